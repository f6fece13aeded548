"""What every connector keeps to when it reads items whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from keepstep.core.appointment import Appointment, Weekly
from keepstep.exchange.connector import (
    Connector,
    Gone,
)
from keepstep_simulator import Attendee, Fault, MailboxModel, Person, Recurrence, Simulator
from keepstep_simulator.zones import YearlyRule, custom_zone
from tests.contract.harness import HOUR, NINE, TARGET, ConnectorTests
from tests.contract.truth import details_of, patterns, recurrence_of


class ReadingContract(ConnectorTests):
    """Items come whole, as the mailbox holds them."""

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
