"""Calendars to look at: what the tests of the calendar page put into the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from keepstep.core.appointment import (
    Address,
    Appointment,
    Attendee,
    ChangedOccurrence,
    Details,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Weekday,
    Weekly,
    Zone,
)
from keepstep.core.decisions import RowState
from keepstep.core.record import ALL, Shown
from keepstep.store import operators
from keepstep.store.models import Appointment as Row
from keepstep.store.models import Operator
from keepstep.store.rows import fill

BERLIN = Zone("Europe/Berlin", wire_name="W. Europe Standard Time")
NEW_YORK = Zone("America/New_York", wire_name="Eastern Standard Time")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECRET = "Zahnarzttermin-Geheimnis"


def add_operator(email: str, name: str, group: str, zone: str = "Europe/Berlin") -> Operator:
    """Add an operator whose calendar sync is on."""
    fields = {"name": name, "access_group": group, "time_zone": zone, "calendar_sync": "true"}
    return operators.add(email, fields)


def row_of(
    operator: Operator,
    appointment: Appointment,
    state: RowState = RowState.LIVE,
    shown: Shown = ALL,
    part: int = 0,
) -> Row:
    """Give the row of an appointment in an operator's calendar, not stored yet."""
    now = datetime.now(UTC)
    row = Row(mailbox=operator.mailbox, item_id=appointment.item_id, part=part, state=state.value)
    row.state_since = row.created_at = row.updated_at = now
    fill(row, appointment, shown)
    return row


def put(
    operator: Operator,
    appointment: Appointment,
    state: RowState = RowState.LIVE,
    shown: Shown = ALL,
    part: int = 0,
) -> Row:
    """Put an appointment into an operator's calendar."""
    row = row_of(operator, appointment, state, shown, part)
    row.save()
    return row


def single(
    uid: str, start: datetime, length: timedelta = HOUR, zone: Zone = BERLIN, **details: Any
) -> Appointment:
    """Give a single appointment; its subject is its UID if not named."""
    return Appointment(
        item_id=f"item {uid}",
        change_key="1",
        uid=uid,
        start=start,
        end=start + length,
        zone=zone,
        details=Details(**({"subject": uid} | details)),
    )


def all_day(uid: str, first: date, days: int = 1, **details: Any) -> Appointment:
    """Give an all-day appointment that was made in UTC."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    made = single(uid, start, days * DAY, Zone("UTC"), **details)
    return replace(made, all_day=True)


def weekly(uid: str, start: datetime, **details: Any) -> Appointment:
    """Give a series on the weekday of its start, without end."""
    pattern = Weekly(1, frozenset({Weekday(start.weekday())}))
    return replace(single(uid, start, **details), recurrence=Recurrence(pattern, start.date()))


def changed(series: Appointment, week: int, by: timedelta, **details: Any) -> Appointment:
    """Give a series whose occurrence of a week is moved, and has details of its own."""
    original = series.start + week * 7 * DAY
    own = replace(series.details, **details)
    exception = ChangedOccurrence(
        original, original + by, original + by + HOUR, f"{series.item_id} {week}", details=own
    )
    return replace(series, changed=(*series.changed, exception))


def meeting(uid: str, start: datetime, organizer: Operator, guests: list[Operator]) -> Appointment:
    """Give a meeting of an organizer and guests, as each of their calendars has it."""
    return single(
        uid,
        start,
        location="Room 5",
        body="Agenda:\n\n1. Figures\n2. Plans",
        organizer=Address(organizer.name, organizer.email),
        attendees=tuple(
            Attendee(each.name, each.email, response=Response.ACCEPTED) for each in guests
        ),
    )


def showcase(anna: Operator, monday: date) -> list[Operator]:
    """Fill the week of a Monday for Anna and two more of her access group, with some of all."""
    ben = add_operator("ben@example.com", "Ben Bauer", anna.access_group)
    cleo = add_operator("cleo@example.com", "Cleo Conti", anna.access_group, "Europe/Rome")

    def at(day: int, hour: int, minute: int = 0) -> datetime:
        return datetime(monday.year, monday.month, monday.day, hour, minute, tzinfo=UTC) + day * DAY

    team = meeting("Quarterly review", at(0, 9), ben, [anna, ben, cleo])
    for each in (anna, ben, cleo):
        put(each, replace(team, item_id=f"review of {each.email}"))
    standup = weekly("Pipeline call", at(0, 8) - 28 * DAY, location="https://zoom.us/j/123456789")
    put(anna, changed(standup, 4, 26 * HOUR, subject="Pipeline call, moved"))
    put(
        anna,
        single(
            "Customer visit: Müller & Söhne",
            at(1, 12),
            2 * HOUR,
            location="Hafenstraße 12, Hamburg",
            body="Bring the offer.\n\nParking behind the house.\n\n"
            "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x/0",
            organizer=Address("Anna Adler", anna.email),
            attendees=(
                Attendee("Anna Adler", anna.email, Role.REQUIRED, Response.ORGANIZER),
                Attendee("Erik Müller", "erik@mueller.example", response=Response.TENTATIVE),
                Attendee("Room 5", "room5@example.com", Role.RESOURCE, Response.ACCEPTED),
                Attendee("", "nina@mueller.example", Role.OPTIONAL, Response.DECLINED),
            ),
            categories=("Key account", "Travel"),
        ),
    )
    put(anna, single("Call with New York", at(2, 15), zone=NEW_YORK, show_as=ShowAs.TENTATIVE))
    put(anna, single(SECRET, at(2, 10), sensitivity=Sensitivity.PRIVATE, body=SECRET))
    put(ben, single(f"{SECRET} B", at(3, 10), sensitivity=Sensitivity.PRIVATE, location=SECRET))
    put(anna, single("Lunch", at(3, 11), show_as=ShowAs.FREE))
    put(anna, single("Cancelled demo", at(3, 13), cancelled=True))
    put(anna, all_day("Trade fair in Hannover", monday + DAY, 2, show_as=ShowAs.OUT_OF_OFFICE))
    put(cleo, all_day("Public holiday in Rome", monday + 4 * DAY, show_as=ShowAs.FREE))
    put(cleo, single("Offer to Rossi", at(1, 9), location="Milano"))
    put(ben, single("Budget 2027", at(1, 13), 3 * HOUR, show_as=ShowAs.BUSY))
    put(ben, single("No longer in Exchange", at(4, 9)), RowState.KEPT)
    return [anna, ben, cleo]
