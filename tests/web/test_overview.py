"""The health page: what it says of the whole, and of what is to be done next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.test import Client

from keepstep.store import overview
from keepstep.store.models import Account, Mailbox, Run, Sample
from keepstep.web.overview import charts

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)

ClientOf = Callable[[Account | None], Client]


def test_a_newcomer_is_told_the_next_step(client_of: ClientOf, administrator: Account) -> None:
    page = client_of(administrator).get("/health/overview").content.decode()
    assert "Enter the Exchange settings" in page
    assert page.count(">to do<") == 5


def test_an_auditor_sees_health_and_no_way_to_change_anything(
    client_of: ClientOf, operator: Account, auditor: Account
) -> None:
    Mailbox.objects.update(failure_code="no-such-mailbox", failing_since=NOW)
    operator.operator.__class__.objects.update(calendar_sync=True)
    page = client_of(auditor).get("/health/overview").content.decode()
    assert "no-such-mailbox" in page
    assert operator.email in page
    for link in ("/operators/", "/settings/", "/jobs/"):
        assert f'href="{link}' not in page


def test_a_sample_is_noted_every_few_minutes(operator: Account) -> None:
    operator.operator.__class__.objects.update(calendar_sync=True)
    Mailbox.objects.update(last_success=NOW - timedelta(seconds=40))
    assert overview.note_sample(NOW)
    assert not overview.note_sample(NOW + timedelta(minutes=4))
    assert overview.note_sample(NOW + timedelta(minutes=5))
    assert [each.most for each in overview.day_of_freshness(NOW + timedelta(minutes=5))] == [
        40,
        340,
    ]
    assert Sample.objects.count() == 2


def test_the_line_breaks_where_nothing_was_noted() -> None:
    minutes = (0, 5, 10, 60, 65)
    points = [overview.Point(NOW - timedelta(minutes=90 - each), 30.0, 60.0) for each in minutes]
    drawn = charts.line(points, NOW)
    assert drawn is not None
    assert len(drawn.paths) == 2
    assert drawn.top == 60


def test_changes_are_counted_by_the_hour(database: None) -> None:
    for minutes in (10, 20, 95):
        Run.objects.create(
            job="J",
            trigger="schedule",
            started=NOW - timedelta(minutes=minutes),
            created=2,
            updated=1,
        )
    hours = overview.day_of_changes(NOW)
    assert len(hours) == 24
    assert [each.changes for each in hours[-3:]] == [3, 0, 6]
    assert charts.bars(hours).total == 9
