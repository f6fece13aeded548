"""Which appointments come in: conditions, their preview, and a dry round of a chosen operator."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import pytest
from django.test import Client

from keepstep.store import operators, settings
from keepstep.store.models import Account, Appointment
from keepstep.sync.service import sync_now
from keepstep_simulator import SimulatorThread

ANNA = "anna@example.com"
AS_THEY_ARE = {"past_days": "180", "private_appointments": "busy-only"}


@pytest.fixture
def client(client_of: Callable[[Account], Client], administrator: Account) -> Client:
    return client_of(administrator)


@pytest.fixture
def synced(operator: Account, exchange: SimulatorThread) -> SimulatorThread:
    """Anna's calendar with four appointments, in step."""
    mailbox = exchange.simulator.add_mailbox(ANNA)
    start = datetime.now(UTC) + timedelta(days=3)
    each_hour = ("busy", "free", "tentative", "free")
    for number, show_as in enumerate(each_hour):
        begins = start + timedelta(hours=number)
        given = {"subject": f"Meeting {number}", "show_as": show_as}
        mailbox.create(start=begins, end=begins + timedelta(minutes=30), **given)
    operators.switch([ANNA], on=True)
    account = {"username": "svc", "password": "secret", "calendar_integration": "on"}
    settings.change({"exchange_url": exchange.url, **account})
    assert sync_now([ANNA]).created == 4
    return exchange


def test_conditions_are_saved_and_shown_again(client: Client) -> None:
    given = AS_THEY_ARE | {"skip_show_as": ["free", "tentative"], "skip_categories": "Private; Fun"}
    assert client.post("/settings/appointments", given | {"skip_declined": "on"}).status_code == 302
    conditions = settings.load().policy.conditions
    assert [each.value for each in conditions.show_as] == ["free", "tentative"]
    assert conditions.categories == ("Private", "Fun")
    assert conditions.declined
    page = client.get("/settings/appointments").content.decode()
    assert re.search(r'value="free"[^>]*checked', page)
    assert not re.search(r'value="busy"[^>]*checked', page)


def test_a_preview_shows_what_would_go_and_stores_nothing(
    client: Client, synced: SimulatorThread
) -> None:
    answer = client.post("/settings/appointments/preview", AS_THEY_ARE | {"skip_show_as": "free"})
    page = answer.content.decode()
    assert "2 stored appointments would go" in page
    assert "Meeting 1" in page
    assert "Meeting 0" not in page
    assert not settings.load().policy.conditions
    assert Appointment.objects.filter(state="live").count() == 4


def test_what_was_saved_takes_hold_as_it_was_previewed(
    client: Client, synced: SimulatorThread
) -> None:
    client.post("/settings/appointments", AS_THEY_ARE | {"skip_show_as": "free"})
    assert Appointment.objects.filter(state="live").count() == 2


def test_a_dry_round_shows_what_would_come_in_and_go(
    client: Client, synced: SimulatorThread
) -> None:
    begins = datetime.now(UTC) + timedelta(days=5)
    synced.simulator.mailboxes[ANNA].create(
        start=begins, end=begins + timedelta(hours=1), subject="Brand new"
    )
    given = AS_THEY_ARE | {"skip_show_as": "free", "operator": ANNA}
    page = client.post("/settings/appointments/preview", given).content.decode()
    shown = ended(client, page)
    assert "1 would come in, 2 would go" in shown
    assert "Brand new" in shown
    assert Appointment.objects.filter(state="live").count() == 4


def test_a_wrong_condition_is_refused_in_the_preview_too(client: Client) -> None:
    given = AS_THEY_ARE | {"past_days": "-1"}
    page = client.post("/settings/appointments/preview", given).content.decode()
    assert "notice-error" in page
    unknown = AS_THEY_ARE | {"operator": "nobody@example.com"}
    page = client.post("/settings/appointments/preview", unknown).content.decode()
    assert "nobody@example.com" in page


def ended(client: Client, page: str) -> str:
    task = re.search(r'hx-get="(/tasks/[^"]+)"', page)
    assert task is not None, page
    until = monotonic() + 20
    while monotonic() < until:
        shown = client.get(task.group(1)).content.decode()
        if "hx-get" not in shown:
            return shown
        sleep(0.05)
    raise AssertionError("the task did not end")
