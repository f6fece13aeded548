"""The sales calendar as it is listed: days of the operator, series expanded."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from keepstep.core.appointment import (
    Address,
    Appointment,
    Attendee,
    ChangedOccurrence,
    Daily,
    Details,
    Recurrence,
    Response,
    Role,
    Zone,
)
from keepstep.core.decisions import RowState
from keepstep.core.record import ALL
from keepstep.store import calendar, operators
from keepstep.store.models import Appointment as AppointmentRow
from keepstep.store.models import Mailbox
from keepstep.store.rows import fill

pytestmark = pytest.mark.usefixtures("database")

BERLIN = Zone("Europe/Berlin")
DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def anna(database):
    return operators.add("anna@example.com", {"time_zone": "Europe/Berlin"})


def store(appointment, state=RowState.LIVE):
    row = AppointmentRow(mailbox=Mailbox.objects.get(), item_id=appointment.item_id)
    row.state, row.state_since = state.value, NOON
    row.created_at = row.updated_at = NOON
    fill(row, appointment, ALL)
    row.save()


def single(uid="one", start=NOON, end=None, **details):
    return Appointment(
        item_id=f"item {uid}",
        change_key="1",
        uid=uid,
        start=start,
        end=end or start + HOUR,
        zone=BERLIN,
        details=Details(**({"subject": uid} | details)),
    )


def all_day(uid, first, days=1):
    """An all-day appointment made in Berlin in winter."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - HOUR
    made = single(uid, start, start + timedelta(days=days))
    return replace(made, all_day=True)


def uids(first=DAY, last=DAY + timedelta(days=1), **options):
    return [each["uid"] for each in calendar.entries("anna@example.com", first, last, **options)]


def test_an_entry_has_the_fields_of_the_contract_and_no_other():
    store(
        single(
            location="Room 5",
            body="Text",
            organizer=Address("Bob", "bob@example.com"),
            attendees=(Attendee("Eve", "eve@example.com", Role.OPTIONAL, Response.ACCEPTED),),
            categories=("Red",),
        )
    )
    assert calendar.entries("ANNA@example.com", DAY, DAY + timedelta(days=1)) == [
        {
            "uid": "one",
            "operator": "anna@example.com",
            "subject": "one",
            "location": "Room 5",
            "body": "Text",
            "start": "2026-11-24T12:00:00Z",
            "end": "2026-11-24T13:00:00Z",
            "all_day": False,
            "time_zone": "Europe/Berlin",
            "organizer": {"name": "Bob", "email": "bob@example.com"},
            "attendees": [
                {
                    "name": "Eve",
                    "email": "eve@example.com",
                    "role": "optional",
                    "response": "accepted",
                }
            ],
            "sensitivity": "normal",
            "show_as": "busy",
            "status": "confirmed",
            "recurrence_id": None,
            "categories": ["Red"],
        }
    ]


def test_a_day_is_the_operators_day():
    store(single("late", datetime(2026, 11, 23, 23, 30, tzinfo=UTC)))
    store(single("last", datetime(2026, 11, 24, 22, 30, tzinfo=UTC), NOON.replace(hour=23)))
    store(single("next", datetime(2026, 11, 24, 23, 0, tzinfo=UTC)))
    assert uids() == ["late", "last"]


def test_the_day_of_a_clock_change_has_its_own_length():
    autumn = date(2026, 10, 25)
    store(single("first", datetime(2026, 10, 24, 22, 0, tzinfo=UTC)))
    store(single("hour 25", datetime(2026, 10, 25, 22, 30, tzinfo=UTC)))
    store(single("next", datetime(2026, 10, 25, 23, 0, tzinfo=UTC)))
    assert uids(autumn, autumn + timedelta(days=1)) == ["first", "hour 25"]


def test_all_day_appointments_belong_to_their_dates_whatever_the_readers_zone():
    operators.edit("anna@example.com", {"time_zone": "Pacific/Kiritimati"})
    store(all_day("before", DAY - timedelta(days=1)))
    store(all_day("today", DAY))
    store(all_day("long", DAY - timedelta(days=2), days=3))
    store(all_day("after", DAY + timedelta(days=1)))
    assert uids() == ["long", "today"]
    listed = calendar.entries("anna@example.com", DAY, DAY + timedelta(days=1))
    assert [(each["start"], each["end"], each["all_day"]) for each in listed] == [
        ("2026-11-22", "2026-11-25", True),
        ("2026-11-24", "2026-11-25", True),
    ]


def test_an_appointment_of_no_length_at_midnight_belongs_to_the_day_it_begins():
    midnight = datetime(2026, 11, 23, 23, tzinfo=UTC)
    store(single("flash", midnight, midnight))
    assert uids() == ["flash"]
    assert uids(DAY - timedelta(days=1), DAY) == []


def test_a_series_is_listed_by_its_occurrences():
    series = replace(single("daily"), recurrence=Recurrence(Daily(), DAY))
    moved = ChangedOccurrence(
        NOON + timedelta(days=1),
        NOON + timedelta(days=1, hours=2),
        NOON + timedelta(days=1, hours=3),
        "x",
    )
    store(replace(series, changed=(moved,), deleted=(NOON + timedelta(days=2),)))
    listed = calendar.entries("anna@example.com", DAY, DAY + timedelta(days=4))
    assert [(each["start"], each["recurrence_id"]) for each in listed] == [
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-25T14:00:00Z", "2026-11-25T12:00:00Z"),
        ("2026-11-27T12:00:00Z", "2026-11-27T12:00:00Z"),
    ]


def test_cancelled_ones_are_listed_only_when_asked_for():
    store(single("open"))
    store(single("off", cancelled=True))
    series = replace(single("series", cancelled=True), recurrence=Recurrence(Daily(), DAY, count=1))
    store(series)
    assert uids() == ["open"]
    assert uids(include_cancelled=True) == ["off", "open", "series"]


@pytest.mark.parametrize(
    ("state", "is_listed"),
    [
        (RowState.PENDING, True),
        (RowState.HELD, True),
        (RowState.KEPT, True),
        (RowState.RECORD, True),
        (RowState.REMOVED, False),
    ],
)
def test_only_what_is_removed_is_in_no_view(state, is_listed):
    store(single(), state)
    assert uids(include_cancelled=True) == (["one"] if is_listed else [])


def test_today_is_the_date_where_the_operator_is(anna):
    assert calendar.today(anna, datetime(2026, 11, 23, 23, 30, tzinfo=UTC)) == DAY
