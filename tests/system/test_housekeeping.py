"""The nightly purge: at its hour by the clock of the server's zone, once a night, never skipped."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from keepstep.core.errors import StoreError
from keepstep.store.models import History, Mail, Mailbox
from keepstep.store.settings import ApplicationSettings
from keepstep.store.writer import Writer
from keepstep.sync.housekeeping import Housekeeping
from tests.engine import Clock, add_operator
from tests.office import TO

pytestmark = pytest.mark.usefixtures("database")

BERLIN = ZoneInfo("Europe/Berlin")
SETTINGS = ApplicationSettings(calendar_integration=True, notify_sync_failure_to=TO)
LOOK = timedelta(minutes=10)


class House:
    """A server that looks what is to be done, on a clock of the test's own."""

    def __init__(self, writer: Writer, begins: datetime) -> None:
        self.clock = Clock(begins.astimezone(UTC))
        self.writer = writer
        self.settings = SETTINGS
        self.mailbox = Mailbox.objects.get(pk=add_operator("anna@example.com"))
        self.may_judge = True
        self.start_anew()

    def start_anew(self) -> None:
        self.housekeeping = Housekeeping(
            self.writer, self.clock, lambda: self.settings, lambda: self.may_judge, BERLIN
        )

    def leave_old_history(self) -> None:
        """Let there be something to purge."""
        old = self.clock() - timedelta(days=91)
        History.objects.create(
            mailbox=self.mailbox, uid="x", item_id="x", at=old, what="created", rule="new"
        )

    async def purges_until(self, end: datetime) -> list[datetime]:
        """Look every ten minutes; give when something old went, as Berlin's clocks show it."""
        found = []
        while self.clock() < end:
            if not await self.writer.call(History.objects.exists):
                await self.writer.call(self.leave_old_history)
            self.clock.now += LOOK
            await self.housekeeping.look(self.settings)
            if not await self.writer.call(History.objects.exists):
                found.append(self.clock().astimezone(BERLIN))
        return found


def berlin(month: int, day: int, hour: int = 12, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=BERLIN)


@pytest.fixture
async def writer() -> AsyncIterator[Writer]:
    async with Writer() as writer:
        yield writer


async def test_it_is_done_each_night_at_the_hour_of_the_servers_zone(writer: Writer) -> None:
    house = House(writer, berlin(11, 23))
    (after_start, *nights) = await house.purges_until(berlin(11, 28))
    assert after_start.date() == date(2026, 11, 23)
    assert [night.day for night in nights] == [24, 25, 26, 27, 28]
    assert {(night.hour, night.minute) for night in nights} == {(3, 20)}


@pytest.mark.parametrize(
    ("begins", "nights"),
    [(berlin(3, 26, year=2027), [27, 28, 29]), (berlin(10, 23), [24, 25, 26])],
    ids=["clocks-go-forward", "clocks-go-back"],
)
async def test_a_night_of_a_clock_change_has_one_purge(
    writer: Writer, begins: datetime, nights: list[int]
) -> None:
    house = House(writer, begins)
    (_, *found) = await house.purges_until(begins + timedelta(days=3))
    assert [night.day for night in found] == nights
    assert {night.hour for night in found} == {3}


async def test_a_server_that_is_off_at_night_purges_within_the_hour_of_its_start(
    writer: Writer,
) -> None:
    house = House(writer, berlin(11, 23, 9))
    for day in (23, 24, 25):
        house.clock.now = berlin(11, day, 9).astimezone(UTC)
        house.start_anew()
        (found,) = await house.purges_until(berlin(11, day, 17))
        assert (found.day, found.hour) == (day, 10)


async def test_a_purge_that_could_not_be_done_is_tried_again_before_the_next_night(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(writer, berlin(11, 23))
    house.leave_old_history()
    await house.purges_until(berlin(11, 24, 3))

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER stuck BEFORE DELETE ON store_history"
            " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    assert await house.purges_until(berlin(11, 24, 5)) == []
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER stuck")
    (found,) = await house.purges_until(berlin(11, 24, 12))
    assert (found.day, found.hour) == (24, 5)


async def test_what_was_purged_is_one_line_of_the_log_and_nothing_is_none(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keepstep")
    house = House(writer, berlin(11, 23))
    for _ in range(3):
        house.leave_old_history()
    for _ in range(24 * 6):
        house.clock.now += LOOK
        await house.housekeeping.look(house.settings)
    told = [each for each in caplog.records if each.name.startswith("keepstep")]
    assert [each.getMessage() for each in told] == ["purged"]
    assert told[0].__dict__["counts"] == {"history": 3}


async def test_while_calendar_integration_is_off_it_is_purged_and_nobody_is_said_to_fail(
    writer: Writer,
) -> None:
    house = House(writer, berlin(11, 23))
    house.settings = ApplicationSettings(notify_sync_failure_to=TO)
    long_ago = house.clock() - timedelta(days=1)
    Mailbox.objects.update(failing_since=long_ago, failure_code="timed-out")
    assert len(await house.purges_until(berlin(11, 24))) == 2
    assert not Mail.objects.exists()
    house.settings = SETTINGS
    await house.housekeeping.look(house.settings)
    assert Mail.objects.count() == 1


async def test_before_a_first_run_nobody_is_said_to_fail(writer: Writer) -> None:
    house = House(writer, berlin(11, 23))
    house.may_judge = False
    Mailbox.objects.update(failing_since=house.clock() - timedelta(days=1))
    await house.housekeeping.look(house.settings)
    assert not Mail.objects.exists()
    house.may_judge = True
    await house.housekeeping.look(house.settings)
    assert Mail.objects.count() == 1


async def test_a_database_that_can_not_be_used_ends_no_housekeeping(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Writer):
        async def call(self, *_: object, **__: object) -> object:  # type: ignore[override]
            raise StoreError("database-unavailable", "database is locked")

    house = House(writer, berlin(11, 23))
    house.writer = Broken()
    house.start_anew()
    await house.housekeeping.look(house.settings)
    assert [each.getMessage() for each in caplog.records] == [
        "housekeeping: database-unavailable: database is locked"
    ]
