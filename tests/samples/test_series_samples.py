"""The series in answers of real servers, expanded: worked out by hand from what each one says.

gromox reckons every time of a series by the UTC offset of its start, so what it tells of
occurrences after a clock change is an hour off. Keepstep follows zone and pattern of the master.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from keepstep.core.appointment import Appointment
from keepstep.core.recurrence import occurrences, span, straightened
from keepstep.exchange.ews.build import appointment_of
from keepstep.exchange.ews.item import CALENDAR_ITEM, MASTER, read_item
from tests.samples import files

# Starts in UTC, `days time` month by month; the month of a line comes first.
EXPANDED: dict[str, tuple[timedelta, list[str]]] = {
    "field/getitem-recurring-master-absolute-monthly.xml": (
        timedelta(hours=1, minutes=1, seconds=1),
        ["2050-05: 20 20:42:50", "2050-06: 20 20:42:50", "2050-07: 20 20:42:50"],
    ),
    "field/getitem-recurring-master-daily-no-isrecurring.xml": (
        timedelta(hours=1, minutes=1, seconds=1),
        ["2050-05: 20 21 22 23 24 25 20:42:50"],
    ),
    "field/getitem-recurring-master-weekly-enddate-meetingtimezone.xml": (
        timedelta(hours=1, minutes=1, seconds=1),
        ["2050-05: 20 23 24 27 30 31 20:42:50"],
    ),
    "gromox/getitem-response-meeting-as-attendee-recurring-tentative.xml": (
        timedelta(minutes=30),
        ["2027-02: 05 12 19 26 08:00"],
    ),
    "gromox/getitem-response-recurring-master-daily-every-7-days-over-midnight.xml": (
        timedelta(hours=2),
        ["2027-04: 05 12 19 26 21:00", "2027-05: 03 10 21:00"],
    ),
    "gromox/getitem-response-recurring-master-daily-numbered.xml": (
        timedelta(minutes=15),
        ["2027-05: 03 04 05 06 07 07:00"],
    ),
    "gromox/getitem-response-recurring-master-monthly-day-31.xml": (
        timedelta(hours=1),
        [
            *("2027-01: 31 16:00", "2027-02: 28 16:00", "2027-03: 31 15:00", "2027-04: 30 15:00"),
            *("2027-05: 31 15:00", "2027-06: 30 15:00", "2027-07: 31 15:00", "2027-08: 31 15:00"),
            *("2027-09: 30 15:00", "2027-10: 31 16:00", "2027-11: 30 16:00", "2027-12: 31 16:00"),
        ],
    ),
    "gromox/getitem-response-recurring-master-monthly-first-monday.xml": (
        timedelta(hours=1),
        [
            *("2027-02: 01 09:00", "2027-03: 01 09:00", "2027-04: 05 08:00"),
            *("2027-05: 03 08:00", "2027-06: 07 08:00", "2027-07: 05 08:00"),
        ],
    ),
    "gromox/getitem-response-recurring-master-monthly-last-weekday-every-3-months.xml": (
        timedelta(hours=1),
        [
            *("2027-03: 31 14:00", "2027-06: 30 14:00", "2027-09: 30 14:00"),
            *("2027-12: 31 15:00", "2028-03: 31 14:00"),
        ],
    ),
    "gromox/getitem-response-recurring-master-weekly-allday-deleted-occurrence.xml": (
        timedelta(days=1),
        ["2027-06: 04 18 25 00:00", "2027-07: 02 09 00:00"],
    ),
    "gromox/getitem-response-recurring-master-weekly-every-2-weeks-tue-thu.xml": (
        timedelta(hours=1),
        [
            *("2027-03: 09 11 23 25 13:00", "2027-04: 06 08 20 22 12:00"),
            "2027-05: 04 06 18 20 12:00",
        ],
    ),
    "gromox/getitem-response-recurring-master-weekly-workdays-enddate.xml": (
        timedelta(minutes=30),
        ["2027-05: 10 11 12 13 14 17 18 19 20 21 24 25 26 27 28 12:00"],
    ),
    "gromox/getitem-response-recurring-master-yearly-4th-thursday-november.xml": (
        timedelta(hours=6),
        ["2027-11: 25 17:00", "2028-11: 23 17:00", "2029-11: 22 17:00"],
    ),
}

# Series without end, up to the end of a day.
ENDLESS: dict[str, tuple[timedelta, list[str], str]] = {
    "gromox/getitem-response-recurring-master-daily-every-2-days-no-end.xml": (
        timedelta(minutes=10),
        ["2027-05: 04 06 08 10 12 14 16 18 20 22 24 26 28 30 06:00", "2027-06: 01 03 05 06:00"],
        "2027-06-05",
    ),
    "gromox/getitem-response-recurring-master-yearly-feb-28-allday.xml": (
        timedelta(days=1),
        ["2027-02: 28 00:00", "2028-02: 28 00:00", "2029-02: 28 00:00"],
        "2029-02-28",
    ),
}

# With exceptions, each in its place: start and end in UTC. A star marks the exceptions.
WITH_EXCEPTIONS: dict[str, list[str]] = {
    "gromox/getitem-response-recurring-master-weekly-exceptions.xml": [
        "2027-03-01 08:00 - 09:00",
        # 8 March is deleted.
        "2027-03-15 08:00 - 09:00",
        "2027-03-22 08:00 - 09:00",
        "2027-03-23 14:00 - 15:30 *",  # moved there from 29 March, across the clock change
        "2027-04-05 07:00 - 08:00",
        "2027-04-12 07:00 - 08:00 *",  # renamed only, yet told as 08:00
        "2027-04-19 07:00 - 08:00",
        "2027-04-26 07:00 - 08:00",
        "2027-05-03 07:00 - 08:00",
    ],
    "gromox/getitem-response-recurring-master-weekly-meeting-exception-after-dst.xml": [
        "2027-03-03 10:00 - 11:00",
        "2027-03-10 10:00 - 11:00",
        "2027-03-17 10:00 - 11:00",
        "2027-03-24 10:00 - 11:00",
        "2027-04-01 08:00 - 09:00 *",  # 10:00 in Berlin, told as 09:00 by the offset of winter
        "2027-04-07 09:00 - 10:00",
        "2027-04-14 09:00 - 10:00",
        "2027-04-21 09:00 - 10:00",
    ],
    "gromox/getitem-response-recurring-master-daily-exceptions-across-us-dst.xml": [
        "2027-03-11 14:00 - 17:00",
        "2027-03-12 14:00 - 17:00",
        # 13 March is deleted; clocks change on the 14th.
        "2027-03-14 13:00 - 16:00",
        "2027-03-15 13:00 - 16:00",
        "2027-03-16 13:00 - 13:00 *",  # told to end before it starts
    ],
}
WITH_EXCEPTIONS["gromox/getitem-response-allproperties-base-shape-recurring-master.xml"] = (
    WITH_EXCEPTIONS["gromox/getitem-response-recurring-master-weekly-exceptions.xml"]
)

# Told without a zone, or over more years than a table should hold: tested below by their rule.
BY_RULE = {
    "field/getitem-recurring-master-absolute-yearly.xml",
    "microsoft-docs/getitem-response-recurring-master-weekly-numbered-first-last-occurrence.xml",
}
# The documentation left the recurrence out.
WITHOUT_RECURRENCE = {
    "microsoft-docs/getitem-response-batch-single-master-meeting-with-attendees.xml"
}


def master(name: str) -> Appointment:
    """Read the one series of an answer; an item without a zone is taken for one of Berlin."""
    (element,) = files.answer(name).response.iter(CALENDAR_ITEM)
    return appointment_of(read_item(element), "id", "Europe/Berlin")


def moments(lines: list[str]) -> list[datetime]:
    """Read starts as the tables write them."""
    found = []
    for line in lines:
        month, _, rest = line.partition(": ")
        *days, clock = rest.split()
        found += [datetime.fromisoformat(f"{month}-{day}T{clock}+00:00") for day in days]
    return found


def test_every_series_that_an_answer_of_getitem_holds_is_looked_at() -> None:
    holding = {
        name
        for name in files.all_names()
        if "getitem" in name and name.endswith(".xml") and MASTER.encode() in files.content(name)
    }
    fragments = {name for name in holding if "/fragment-" in name}
    requests = {name for name in holding if "-request-" in name}
    errors = {name for name in holding if "-error-" in name}
    known = {*EXPANDED, *ENDLESS, *WITH_EXCEPTIONS, *BY_RULE, *WITHOUT_RECURRENCE}
    assert holding - fragments - requests - errors == known


@pytest.mark.parametrize("name", sorted(EXPANDED))
def test_a_series_is_shown_at_the_right_instants(name: str) -> None:
    length, lines = EXPANDED[name]
    starts = moments(lines)
    appointment = master(name)
    window = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    found = occurrences(appointment, *window)
    assert [(each.start, each.end) for each in found] == [(each, each + length) for each in starts]
    assert span(appointment) == (starts[0], starts[-1] + length)


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_a_series_without_end_goes_on(name: str) -> None:
    length, lines, last = ENDLESS[name]
    appointment = master(name)
    end = datetime.fromisoformat(f"{last}T23:59+00:00")
    found = occurrences(appointment, datetime(2000, 1, 1, tzinfo=UTC), end)
    assert [(each.start, each.end) for each in found] == [
        (each, each + length) for each in moments(lines)
    ]
    assert span(appointment) == (moments(lines)[0], None)


@pytest.mark.parametrize("name", sorted(WITH_EXCEPTIONS))
def test_wrong_offsets_of_a_real_server_follow_the_zone_of_the_master(name: str) -> None:
    appointment = master(name)
    window = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    for told in (appointment, straightened(appointment)):
        assert [
            f"{each.start:%Y-%m-%d %H:%M} - {each.end:%H:%M}{' *' if each.is_exception else ''}"
            for each in occurrences(told, *window)
        ] == WITH_EXCEPTIONS[name]


def test_a_yearly_series_comes_back_each_year() -> None:
    appointment = master("field/getitem-recurring-master-absolute-yearly.xml")
    found = occurrences(
        appointment, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    )
    assert [each.start for each in found] == [
        datetime(year, 5, 20, 20, 42, 50, tzinfo=UTC) for year in range(2050, 2056)
    ]


def test_first_and_last_occurrence_are_those_that_the_server_names() -> None:
    """Ten Saturdays; read as one of Berlin, since the answer names no zone."""
    appointment = master(
        "microsoft-docs/getitem-response-recurring-master-weekly-numbered-first-last-occurrence.xml"
    )
    found = occurrences(
        appointment, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    )
    assert [each.start.date() for each in found] == [
        date(2014, 3, 8) + timedelta(weeks=number) for number in range(10)
    ]


def test_all_day_series_are_shown_on_their_dates() -> None:
    name = "gromox/getitem-response-recurring-master-weekly-allday-deleted-occurrence.xml"
    found = occurrences(
        master(name), datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    )
    assert [each.first_day for each in found] == [
        date(2027, 6, 4),
        date(2027, 6, 18),
        date(2027, 6, 25),
        date(2027, 7, 2),
        date(2027, 7, 9),
    ]
    assert all(each.first_day and each.last_day for each in found)
    assert {
        each.last_day - each.first_day for each in found if each.first_day and each.last_day
    } == {timedelta(days=1)}
