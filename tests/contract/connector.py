"""What every connector keeps to, whatever it speaks: run against each by a subclass.

A subclass gives a connector that reads a `Simulator`, by `connector()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from keepstep.core.appointment import Appointment, Sensitivity, Weekly
from keepstep.core.errors import ExchangeError
from keepstep.core.failures import FAILURES
from keepstep.exchange.connector import (
    ChangeKind,
    Connector,
    Gone,
    ItemKind,
    Listing,
    NotAnAppointment,
    Target,
    Unreadable,
)
from keepstep_simulator import Attendee, Fault, MailboxModel, Person, Recurrence, Simulator
from keepstep_simulator.zones import YearlyRule, custom_zone
from tests.contract.truth import details_of, patterns, recurrence_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NINE = datetime(2027, 3, 1, 9, 0)  # noqa: DTZ001 - read in the mailbox's zone
HOUR = timedelta(hours=1)
OPERATOR = "anna@example.com"
TARGET = Target(OPERATOR, "Europe/Berlin")


class ConnectorContract:
    """The tests. `has_join_url`: the wire has a place for the address of an online meeting."""

    has_join_url = True

    def simulator(self) -> Simulator:
        """Give the server to read from."""
        return Simulator(clock=lambda: NOW)

    def connector(self, server: Simulator) -> Connector:
        """Give the connector under test."""
        raise NotImplementedError

    @pytest.fixture
    def server(self) -> Simulator:
        return self.simulator()

    @pytest.fixture
    def mailbox(self, server: Simulator) -> MailboxModel:
        return server.add_mailbox(OPERATOR, "Anna")

    @pytest.fixture
    async def reader(self, server: Simulator, mailbox: MailboxModel) -> AsyncIterator[Connector]:
        connector = self.connector(server)
        yield connector
        await connector.close()

    @pytest.fixture
    def made(self, mailbox: MailboxModel) -> Callable[..., str]:
        def make(**fields: Any) -> str:
            return mailbox.create(**{"start": NINE, "end": NINE + HOUR, **fields})

        return make

    # The folder

    async def test_the_folder_is_the_same_each_time(self, reader: Connector) -> None:
        folder = await reader.folder(TARGET)
        assert folder.id
        assert folder.name == "Calendar"
        assert await reader.folder(TARGET) == folder

    # Listings

    async def test_an_empty_calendar_is_one_empty_last_page(self, reader: Connector) -> None:
        listing = await reader.changes(TARGET, None, 10)
        assert (listing.last, listing.changes) == (True, ())
        assert listing.sync_state

    @pytest.mark.parametrize("size", [1, 3, 7, 512])
    async def test_pages_are_bounded_and_name_each_item_once(
        self, reader: Connector, made: Callable[..., str], size: int
    ) -> None:
        ids = [made(subject=f"number {number}") for number in range(10)]
        listings = await self.whole(reader, None, size)
        assert all(len(listing.changes) <= size for listing in listings)
        assert sorted(self.listed(listings)) == sorted(ids)
        assert all(one.kind is ChangeKind.CREATE for page in listings for one in page.changes)

    async def test_nothing_new_is_an_empty_last_page(
        self, reader: Connector, made: Callable[..., str]
    ) -> None:
        made()
        state = (await reader.changes(TARGET, None, 10)).sync_state
        listing = await reader.changes(TARGET, state, 10)
        assert (listing.last, listing.changes) == (True, ())

    async def test_only_what_changed_is_listed_and_how(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        made(subject="stays")
        changed, gone = made(subject="changes"), made(subject="goes")
        state = (await reader.changes(TARGET, None, 10)).sync_state
        mailbox.update(changed, subject="changed")
        mailbox.delete(gone)
        new = made(subject="comes")
        listing = await reader.changes(TARGET, state, 10)
        assert {one.item_id: one.kind for one in listing.changes} == {
            changed: ChangeKind.UPDATE,
            gone: ChangeKind.DELETE,
            new: ChangeKind.CREATE,
        }

    async def test_a_listing_says_what_decides_whether_to_read_an_item(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        single = made(sensitivity="private")
        series = made(recurrence=Recurrence("daily", NINE.date()))
        listing = await reader.changes(TARGET, None, 10)
        told = {one.item_id: one for one in listing.changes}
        assert told[single].item_kind is ItemKind.SINGLE
        assert told[series].item_kind is ItemKind.SERIES
        assert told[single].sensitivity is Sensitivity.PRIVATE
        for item in mailbox.items():
            one = told[item.id]
            assert (one.uid, one.start, one.end) == (item.uid, item.start, item.end)
            assert (one.change_key, one.last_modified) == (item.change_key, item.modified)

    async def test_a_changed_occurrence_shows_as_an_update_of_its_series(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        series = made(recurrence=Recurrence("daily", NINE.date(), count=5))
        state = (await reader.changes(TARGET, None, 10)).sync_state
        mailbox.change_occurrence(series, NINE + timedelta(days=1), subject="other")
        listing = await reader.changes(TARGET, state, 10)
        assert [(one.kind, one.item_id) for one in listing.changes] == [(ChangeKind.UPDATE, series)]

    async def test_a_state_that_the_server_forgot_is_told(
        self, reader: Connector, mailbox: MailboxModel
    ) -> None:
        state = (await reader.changes(TARGET, None, 10)).sync_state
        mailbox.forget_sync_states()
        assert await self.failure(reader.changes(TARGET, state, 10)) == "sync-state-refused"

    # Reading items

    async def test_each_id_asked_for_has_one_entry(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        ids = [made(subject=f"number {number}") for number in range(25)]
        mailbox.delete(ids[4])
        read = await reader.appointments(TARGET, [*ids, ids[0]], 7)
        assert set(read) == set(ids)
        assert isinstance(read[ids[4]], Gone)
        others = [one for one in read.values() if isinstance(one, Appointment)]
        assert sorted(one.item_id for one in others) == sorted(set(ids) - {ids[4]})

    async def test_asking_for_nothing_costs_nothing(
        self, reader: Connector, server: Simulator
    ) -> None:
        assert await reader.appointments(TARGET, [], 7) == {}
        assert server.requests() == []

    async def test_an_appointment_is_read_whole(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        made(
            subject="Quarterly 🚀 <review> & “more”",
            location="第三会議室",
            body="Dear all,\nsee https://crm.example.com/?a=1&b=2\n",
            body_type="Text",
            organizer=Person("Bruno", "bruno@example.com"),
            attendees=[
                Attendee("Chloé", "c@example.com", "required", "accepted"),
                Attendee("Deniz", "d@example.com", "optional", "tentative"),
                Attendee("Room 5", "r5@example.com", "resource", "declined"),
                Attendee("Emma", "/O=EX/CN=EMMA", "required", "none", routing="EX"),
            ],
            sensitivity="confidential",
            show_as="out_of_office",
            categories=["Sales", "重要"],
            is_organizer=False,
            my_response="tentative",
            join_url="https://meet.example.com/1",
        )
        [item] = mailbox.items()
        read = await self.read_all(reader)
        appointment = read[item.id]
        assert (appointment.uid, appointment.change_key) == (item.uid, item.change_key)
        assert (appointment.start, appointment.end) == (item.start, item.end)
        assert appointment.zone.name == "Europe/Berlin"
        assert appointment.end_zone is None
        assert not appointment.all_day
        assert appointment.recurrence is None
        assert appointment.last_modified == item.modified
        assert appointment.warnings == ()
        assert appointment.details == details_of(item, with_join_url=self.has_join_url)

    async def test_a_cancelled_meeting_says_so(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        meeting = made(is_organizer=False, my_response="accepted")
        mailbox.cancel(meeting)
        assert (await self.read_all(reader))[meeting].details.cancelled

    @pytest.mark.parametrize("day", ["2027-03-28", "2027-10-31", "2027-07-01"])
    async def test_an_all_day_one_lasts_from_midnight_to_midnight_of_its_own_zone(
        self, reader: Connector, made: Callable[..., str], day: str
    ) -> None:
        first = datetime.fromisoformat(day).date()
        last = first + timedelta(days=2)
        one = made(start=first, end=last, all_day=True, time_zone="America/New_York")
        appointment = (await self.read_all(reader))[one]
        assert appointment.all_day
        assert appointment.zone.name == "America/New_York"
        walls = [self.wall(at, "America/New_York") for at in (appointment.start, appointment.end)]
        assert walls == [f"{first}T00:00:00", f"{last}T00:00:00"]

    async def test_start_and_end_can_lie_in_different_zones(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        flight = made(start_zone="Europe/Berlin", end_zone="America/New_York", end=NINE + 3 * HOUR)
        appointment = (await self.read_all(reader))[flight]
        assert appointment.zone.name == "Europe/Berlin"
        assert appointment.end_zone is not None
        assert appointment.end_zone.name == "America/New_York"
        assert appointment.end == mailbox.get(flight).end

    async def test_a_zone_of_ones_own_comes_with_its_rules_and_a_warning(
        self, reader: Connector, made: Callable[..., str]
    ) -> None:
        own = custom_zone(
            timedelta(hours=2, minutes=30),
            timedelta(hours=4),
            YearlyRule(4, 4, 2, timedelta(hours=3)),
            YearlyRule(9, 1, 5, timedelta(hours=1)),
        )
        one = made(time_zone=own, recurrence=Recurrence("daily", NINE.date()))
        appointment = (await self.read_all(reader))[one]
        assert appointment.warnings == ("unknown-time-zone",)
        [era] = [era for era in appointment.zone.eras if era.changes]
        assert [(one.month, one.position, one.weekday, one.at.hour) for one in era.changes] == [
            (4, 2, 4, 3),
            (9, -1, 1, 1),
        ]
        assert [one.offset for one in era.changes] == [
            timedelta(hours=4),
            timedelta(hours=2, minutes=30),
        ]

    @pytest.mark.parametrize("recurrence", patterns(), ids=str)
    async def test_every_pattern_is_read(
        self, reader: Connector, made: Callable[..., str], recurrence: Recurrence
    ) -> None:
        series = made(recurrence=recurrence)
        appointment = (await self.read_all(reader))[series]
        wanted = recurrence_of(recurrence)
        if isinstance(wanted.pattern, Weekly) and recurrence.first_day_of_week is None:
            assert appointment.recurrence is not None
            assert isinstance(appointment.recurrence.pattern, Weekly)
            assert appointment.recurrence.pattern.weekdays == wanted.pattern.weekdays
        else:
            assert appointment.recurrence == wanted

    async def test_a_series_comes_with_its_exceptions_as_they_are(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        series = made(
            subject="Round", body="all", recurrence=Recurrence("daily", NINE.date(), count=40)
        )
        second, third, after_change = (NINE + timedelta(days=days) for days in (1, 2, 30))
        mailbox.change_occurrence(
            series, second, subject="Special", location="Room 9", attendees=["x@example.com"]
        )
        mailbox.delete_occurrence(series, third)
        mailbox.change_occurrence(series, after_change, start=after_change + 5 * HOUR)
        master = mailbox.get(series)
        appointment = (await self.read_all(reader))[series]
        assert appointment.deleted == master.deleted_occurrences
        assert [one.original_start for one in appointment.changed] == [
            one.original_start for one in master.exceptions
        ]
        for told, original in zip(appointment.changed, (second, after_change), strict=True):
            truth = mailbox.occurrence(series, master.start_zone.instant(original))
            assert (told.start, told.end) == (truth.start, truth.end)
            assert told.details == details_of(truth.item, with_join_url=self.has_join_url)

    async def test_500_exceptions_cost_no_more_requests_than_500_by_batch_size(
        self,
        reader: Connector,
        server: Simulator,
        mailbox: MailboxModel,
        made: Callable[..., str],
    ) -> None:
        series = made(recurrence=Recurrence("daily", NINE.date()))
        for day in range(500):
            mailbox.change_occurrence(series, NINE + timedelta(days=day), subject=f"day {day}")
        await reader.appointments(TARGET, [made()], 100)
        plain = len(server.requests())
        appointment = (await reader.appointments(TARGET, [series], 100))[series]
        assert isinstance(appointment, Appointment)
        subjects = [one.details.subject for one in appointment.changed if one.details is not None]
        assert subjects == [f"day {day}" for day in range(500)]
        assert len(server.requests()) - plain <= plain + 5

    @pytest.mark.parametrize(
        ("body", "body_type"),
        [
            ("<html><body><p>Hello <b>you</b></p></body></html>", "HTML"),
            ("Hello you", "Text"),
        ],
    )
    async def test_a_body_is_text_even_where_the_server_makes_none(
        self,
        reader: Connector,
        server: Simulator,
        made: Callable[..., str],
        body: str,
        body_type: str,
    ) -> None:
        server.faults.add(Fault("empty-text-body", times=None))
        single = made(body=body, body_type=body_type)
        read = await self.read_all(reader)
        assert read[single].details.body == "Hello you"

    # What goes wrong

    async def test_one_bad_item_never_spoils_the_others(
        self, reader: Connector, server: Simulator, made: Callable[..., str]
    ) -> None:
        ids = [made(subject=f"number {number}") for number in range(5)]
        server.faults.add(
            Fault("item-error", "GetItem", times=None, item_id=ids[1], code="ErrorItemCorrupt"),
            Fault("poisoned", "GetItem", times=None, item_id=ids[3]),
        )
        read = await reader.appointments(TARGET, ids, 10)
        for bad in (ids[1], ids[3]):
            one = read[bad]
            assert isinstance(one, Unreadable)
            assert one.code == "item-unreadable"
            assert "number" not in one.detail
        assert all(isinstance(read[good], Appointment) for good in (ids[0], ids[2], ids[4]))

    async def test_an_item_gone_while_it_is_read_is_gone(
        self, reader: Connector, server: Simulator, made: Callable[..., str]
    ) -> None:
        ids = [made(), made()]
        server.faults.add(Fault("deleted-meanwhile", "GetItem"))
        read = await reader.appointments(TARGET, ids, 10)
        assert isinstance(read[ids[0]], Gone)
        assert isinstance(read[ids[1]], Appointment)

    async def test_a_mailbox_that_is_not_there_is_told(self, reader: Connector) -> None:
        nobody = Target("nobody@example.com")
        assert await self.failure(reader.folder(nobody)) == "no-such-mailbox"
        assert await self.failure(reader.changes(nobody, None, 10)) == "no-such-mailbox"

    async def test_a_refused_impersonation_is_told(
        self, reader: Connector, server: Simulator
    ) -> None:
        server.may_not_impersonate.add(OPERATOR)
        assert await self.failure(reader.folder(TARGET)) == "impersonation-refused"

    @pytest.mark.parametrize(
        "status", ["ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable"]
    )
    async def test_a_mailbox_that_can_not_be_read_now_is_told(
        self, reader: Connector, server: Simulator, status: str
    ) -> None:
        server.faults.add(Fault("error", code=status))
        code = await self.failure(reader.changes(TARGET, None, 10))
        assert FAILURES[code].passes_by_itself

    @pytest.mark.parametrize("kind", ["busy-503", "busy-fault", "busy-inner"])
    @pytest.mark.parametrize("what", ["listing", "items"])
    async def test_a_busy_server_is_an_error_with_its_pause_and_never_an_empty_answer(
        self,
        reader: Connector,
        server: Simulator,
        made: Callable[..., str],
        kind: str,
        what: str,
    ) -> None:
        one = made()
        server.faults.add(Fault(kind, back_off_ms=7000, retry_after=7))
        questions: dict[str, Coroutine[Any, Any, object]] = {
            "listing": reader.changes(TARGET, None, 10),
            "items": reader.appointments(TARGET, [one], 10),
        }
        with pytest.raises(ExchangeError) as busy:
            await questions.pop(what)
        for unasked in questions.values():
            unasked.close()
        assert busy.value.code == "server-busy"
        assert busy.value.pause == timedelta(seconds=7)

    async def test_many_mailboxes_are_read_side_by_side(
        self, reader: Connector, server: Simulator
    ) -> None:
        mailboxes = [server.add_mailbox(f"operator{number}@example.com") for number in range(20)]
        ids = {
            each.email: each.create(start=NINE, end=NINE + HOUR, subject=each.email)
            for each in mailboxes
        }
        found = await asyncio.gather(
            *(reader.appointments(Target(address), [one], 10) for address, one in ids.items())
        )
        subjects = [one.details.subject for each in found for one in self.appointments(each)]
        assert subjects == list(ids)

    async def test_exchange_is_only_read(
        self, reader: Connector, server: Simulator, made: Callable[..., str]
    ) -> None:
        made(recurrence=Recurrence("daily", NINE.date()))
        await reader.folder(TARGET)
        await self.read_all(reader)
        assert {entry.operation for entry in server.requests()} <= {
            "GetFolder",
            "SyncFolderItems",
            "GetItem",
        }

    # Helpers

    @staticmethod
    async def whole(reader: Connector, state: str | None, size: int) -> list[Listing]:
        listings = [await reader.changes(TARGET, state, size)]
        while not listings[-1].last:
            assert len(listings) < 50
            listings.append(await reader.changes(TARGET, listings[-1].sync_state, size))
        return listings

    @staticmethod
    def listed(listings: list[Listing]) -> list[str]:
        return [one.item_id for listing in listings for one in listing.changes]

    async def read_all(self, reader: Connector) -> dict[str, Appointment]:
        ids = self.listed(await self.whole(reader, None, 100))
        read = await reader.appointments(TARGET, ids, 100)
        assert not any(isinstance(one, NotAnAppointment) for one in read.values())
        return {one.item_id: one for one in self.appointments(read)}

    @staticmethod
    def appointments(read: dict[str, Any]) -> list[Appointment]:
        assert all(isinstance(one, Appointment) for one in read.values()), read
        return list(read.values())

    @staticmethod
    async def failure(asked: Any) -> str:
        with pytest.raises(ExchangeError) as raised:
            await asked
        return raised.value.code

    @staticmethod
    def wall(moment: datetime, zone: str) -> str:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
