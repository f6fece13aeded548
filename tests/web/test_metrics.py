"""Health and metrics: numbers for machines, and nobody's name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from keepstep.core.delivery import Way
from keepstep.store import subscriptions
from keepstep.store.models import Account, Mailbox, Operator, Worker
from keepstep.store.subscriptions import Made, Trouble

ClientOf = Callable[[Account | None], Client]
Samples = dict[tuple[str, str], float]


@pytest.fixture
def covered(operator: Account) -> Mailbox:
    """A mailbox that Exchange tells of by push, its last round an hour ago."""
    now = datetime.now(UTC)
    Operator.objects.update(calendar_sync=True)
    mailbox = Mailbox.objects.get()
    subscriptions.note_made([Made(mailbox.pk, Way.PUSH, "s", operator.email, "f")], now)
    Mailbox.objects.update(
        last_success=now - timedelta(hours=1),
        covered_until=now + timedelta(minutes=5),
        delay=0.7,
    )
    return mailbox


def samples(client: Client, address: str) -> Samples:
    """Read the answer as Prometheus' own client does: by name and the labels' values."""
    text = client.get(address).content.decode()
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_reads_how_the_whole_stands(client_of: ClientOf, covered: Mailbox) -> None:
    found = samples(client_of(None), "/health/metrics")
    assert found["keepstep_mailboxes", "in_step"] == 1
    assert found["keepstep_mailboxes_by_way", "push"] == 1
    assert found["keepstep_delay_most_seconds", ""] == 0.7
    assert found["keepstep_behind_most_seconds", ""] == 0


def test_prometheus_reads_way_and_delay_of_each_mailbox(
    client_of: ClientOf, covered: Mailbox
) -> None:
    found = samples(client_of(None), "/health/metrics/mailboxes")
    key = f"{covered.operator_id},push"
    assert found["keepstep_mailbox_delay_seconds", key] == 0.7
    assert 3600 <= found["keepstep_mailbox_polled_seconds", key] < 3700


def test_metrics_name_nobody(client_of: ClientOf, covered: Mailbox, operator: Account) -> None:
    Mailbox.objects.update(failure_code="no-such-mailbox", failing_since=datetime.now(UTC))
    for address in ("/health", "/health/metrics", "/health/metrics/mailboxes"):
        assert operator.email not in client_of(None).get(address).content.decode()
    assert samples(client_of(None), "/health/metrics")[
        "keepstep_failing_mailboxes", "no-such-mailbox"
    ]


def test_a_mailbox_that_is_told_of_is_not_behind_until_it_fails(
    client_of: ClientOf, covered: Mailbox
) -> None:
    health = client_of(None).get("/health").json()
    assert health["seconds_behind"] == 0
    assert health["seconds_since_the_oldest_success"] >= 3600
    Mailbox.objects.update(failing_since=datetime.now(UTC))
    assert client_of(None).get("/health").json()["seconds_behind"] >= 3600


def test_it_is_alive_and_ready(client_of: ClientOf) -> None:
    assert client_of(None).get("/health/live").content == b"ok"
    assert client_of(None).get("/health/ready").status_code == 200


def test_it_is_not_ready_with_the_tables_of_an_older_version(client_of: ClientOf) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'store' AND name LIKE '0011%%'")
    answer = client_of(None).get("/health/ready")
    assert (answer.status_code, answer.content) == (503, b"not ready")


def test_the_pages_show_the_way_and_its_delay(
    client_of: ClientOf, administrator: Account, covered: Mailbox, operator: Account
) -> None:
    client = client_of(administrator)
    assert "0.7 s" in client.get("/operators/").content.decode()
    page = client.get(f"/operators/of/{operator.email}").content.decode()
    assert "Changes come by</dt><dd>push" in page
    assert "0.7 s" in page
    assert "push: 1" in client.get("/health/overview").content.decode()


def test_the_pages_say_why_a_way_does_not_serve(
    client_of: ClientOf, administrator: Account, covered: Mailbox, operator: Account
) -> None:
    now = datetime.now(UTC)
    subscriptions.note_troubles([Trouble(Way.STREAMING, "subscription-limit", "", now)])
    subscriptions.note_refused(covered.pk, "subscription-limit", now + timedelta(minutes=9))
    client = client_of(administrator)
    assert "subscription-limit" in client.get("/health/overview").content.decode()
    page = client.get(f"/operators/of/{operator.email}").content.decode()
    assert "subscription-limit" in page
    assert "Changes come by</dt><dd>polling" in page


def test_the_way_is_chosen_on_the_settings_page(
    client_of: ClientOf, administrator: Account
) -> None:
    page = client_of(administrator).get("/settings/").content.decode()
    for word in ('value="streaming"', 'name="safety_poll"'):
        assert word in page


def test_the_health_page_and_metrics_tell_of_the_workers(
    client_of: ClientOf, administrator: Account, covered: Mailbox
) -> None:
    now = datetime.now(UTC)
    given = {"kind": "worker", "version": "0.1.0", "backend": 1, "started_at": now}
    Worker.objects.create(
        name="a", host="east", pid=4711, seen_at=now, leads=True, shards=3, overtaken=2, **given
    )
    gone = now - timedelta(minutes=5)
    Worker.objects.create(name="b", host="west", pid=4712, seen_at=gone, **given)
    page = client_of(administrator).get("/health/overview").content.decode()
    for words in ("east", "4711", "leads", "west", "stopped"):
        assert words in page
    found = samples(client_of(None), "/health/metrics")
    assert found["keepstep_workers", "0.1.0"] == 1
    assert found["keepstep_shards_in_hand", ""] == 3
    assert found["keepstep_overtaken_writes", ""] == 2
