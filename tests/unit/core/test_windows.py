"""What overlaps a window, all-day appointments, and what an expansion costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Appointment,
    Daily,
    Occurrence,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekday,
    Weekly,
    Zone,
)
from keepstep.core.patterns import course
from keepstep.core.recurrence import ends_after, occurrences, span
from keepstep.core.timezones import instant, local
from tests.unit.core.builders import BERLIN, series, utc, wall

MONDAY = frozenset({Weekday.MONDAY})


def single(start: str, end: str, **more: object) -> Appointment:
    made = Appointment("id", "key", "uid", utc(start), utc(end), zone=BERLIN)
    return replace(made, **more)  # type: ignore[arg-type]


def all_day(first: str, days: int, zone: Zone = BERLIN, **more: object) -> Appointment:
    start, end = instant(wall(first), zone), instant(wall(first) + timedelta(days=days), zone)
    made = Appointment("id", "key", "uid", start, end, zone=zone, all_day=True)
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2026-06-01 09:00", "2026-06-01 10:00", True),
        ("2026-06-01 08:00", "2026-06-01 09:00", False),  # ends as the window begins
        ("2026-06-01 08:00", "2026-06-01 09:01", True),
        ("2026-06-01 12:00", "2026-06-01 13:00", False),  # begins as the window ends
        ("2026-06-01 11:59", "2026-06-01 13:00", True),
        ("2026-05-01 08:00", "2026-07-01 13:00", True),  # holds it
        ("2026-06-01 09:00", "2026-06-01 09:00", True),  # of no length, at its start
        ("2026-06-01 12:00", "2026-06-01 12:00", False),
    ],
)
def test_what_overlaps_a_window_is_shown(start: str, end: str, shown: bool) -> None:
    window = utc("2026-06-01 09:00"), utc("2026-06-01 12:00")
    assert bool(occurrences(single(start, end), *window)) is shown
    daily = series(Daily(), "2026-06-01 09:00", zone=Zone("UTC"), count=1)
    as_series = replace(daily, start=utc(start), end=utc(end))
    as_series = replace(as_series, recurrence=Recurrence(Daily(), utc(start).date(), count=1))
    assert bool(occurrences(as_series, *window)) is shown


def test_a_single_appointment_gives_itself() -> None:
    appointment = single("2026-06-01 09:00", "2026-06-01 10:00")
    (found,) = occurrences(appointment, utc("2026-06-01"), utc("2026-06-02"))
    assert found == Occurrence(
        appointment, appointment.start, appointment.end, appointment.details, all_day=False
    )
    assert span(appointment) == (appointment.start, appointment.end)
    assert ends_after(appointment, utc("2026-06-01 09:59"))
    assert not ends_after(appointment, utc("2026-06-01 10:00"))


@pytest.mark.parametrize(
    ("first", "days", "zone", "last"),
    [
        ("2026-06-01", 1, "Europe/Berlin", date(2026, 6, 2)),
        ("2026-03-28", 3, "Europe/Berlin", date(2026, 3, 31)),  # 71 hours
        ("2026-10-24", 3, "Europe/Berlin", date(2026, 10, 27)),  # 73 hours
        ("2018-11-04", 1, "America/Sao_Paulo", date(2018, 11, 5)),  # begins at one o'clock
        ("2018-11-03", 1, "America/Sao_Paulo", date(2018, 11, 4)),  # ends at one o'clock
        ("2026-06-01", 1, "Pacific/Kiritimati", date(2026, 6, 2)),
        ("2026-06-01", 1, "Pacific/Pago_Pago", date(2026, 6, 2)),
    ],
)
def test_all_day_is_a_matter_of_dates_in_its_own_zone(
    first: str, days: int, zone: str, last: date
) -> None:
    appointment = all_day(first, days, Zone(zone))
    (found,) = occurrences(appointment, appointment.start, appointment.end)
    assert (found.first_day, found.last_day) == (date.fromisoformat(first), last)
    told = replace(appointment, recurrence=Recurrence(Daily(30), date.fromisoformat(first)))
    (found,) = occurrences(told, appointment.start, appointment.end)
    assert (found.first_day, found.last_day) == (date.fromisoformat(first), last)
    assert (found.start, found.end) == (appointment.start, appointment.end)


def test_an_all_day_series_keeps_its_dates_across_clock_changes() -> None:
    days = all_day("2026-01-05", 2, recurrence=Recurrence(Weekly(1, MONDAY), date(2026, 1, 5)))
    found = occurrences(days, utc("2026-03-16"), utc("2026-04-08"))
    assert [(each.first_day, each.last_day) for each in found] == [
        (date(2026, 3, 16), date(2026, 3, 18)),
        (date(2026, 3, 23), date(2026, 3, 25)),
        (date(2026, 3, 30), date(2026, 4, 1)),
        (date(2026, 4, 6), date(2026, 4, 8)),
    ]
    midnights = {local(each.start, BERLIN).time() for each in found}
    midnights |= {local(each.end, BERLIN).time() for each in found}
    assert midnights == {wall("2026-01-01").time()}


def test_all_day_told_in_a_wrong_zone_is_the_nearest_day() -> None:
    """Midnight in Berlin, from a server that named no zone."""
    appointment = replace(all_day("2026-06-01", 1), zone=Zone("UTC"))
    (found,) = occurrences(appointment, appointment.start, appointment.end)
    assert (found.first_day, found.last_day) == (date(2026, 6, 1), date(2026, 6, 2))


def test_an_occurrence_of_several_days_is_found_from_its_last() -> None:
    week = series(AbsoluteMonthly(1, 1), "2026-01-01 09:00", length=timedelta(days=10))
    (found,) = occurrences(week, utc("2026-06-11"), utc("2026-06-11 00:01"))
    assert local(found.start, BERLIN) == wall("2026-06-01 09:00")


@pytest.mark.parametrize(
    ("first_weekday", "days"),
    [
        (Weekday.MONDAY, [4, 10, 18, 24]),  # Sunday 10 January ends the week of Monday the 4th
        (Weekday.SUNDAY, [4, 17, 18, 31]),  # and begins one that does not count
    ],
)
def test_the_first_day_of_the_week_decides_which_weeks_count(
    first_weekday: Weekday, days: list[int]
) -> None:
    """Mondays and Sundays of every second week from Monday, 4 January 2027."""
    weekdays = frozenset({Weekday.MONDAY, Weekday.SUNDAY})
    appointment = series(Weekly(2, weekdays, first_weekday), "2027-01-04 09:00")
    found = occurrences(appointment, utc("2027-01-01"), utc("2027-02-01"))
    assert [local(each.start, BERLIN).day for each in found] == days


PATTERNS: list[Pattern] = [
    Daily(),
    Daily(3),
    Weekly(1, frozenset(Weekday)),
    Weekly(2, MONDAY),
    AbsoluteMonthly(1, 31),
    RelativeMonthly(1, frozenset(Weekday), -1),
    AbsoluteYearly(2, 29),
    RelativeYearly(11, MONDAY, 4),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_window_costs_what_it_holds_and_not_what_lies_before(pattern: Pattern) -> None:
    """From a first date in 1601 no date before the window is worked out but a few."""
    worked_out = 0
    dates = course(Recurrence(pattern, date(1601, 1, 1)))

    def nth(number: int) -> int:
        nonlocal worked_out
        worked_out += 1
        return dates.nth(number)

    first = date(2026, 6, 1).toordinal()
    found = list(replace(dates, nth=nth).between(first, first + 29))
    assert worked_out == len(found) + 1
    assert all(first <= each <= first + 29 for each in found)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_numbers_and_dates_of_a_pattern_agree(pattern: Pattern) -> None:
    dates = course(Recurrence(pattern, date(1999, 12, 31)))
    run = [dates.nth(number) for number in range(400)]
    assert run == sorted(set(run))
    for number, ordinal in enumerate(run[:-1]):
        assert dates.index(ordinal) == number
        assert dates.index(ordinal + 1) == number + 1
        assert dates.holds(ordinal)
        assert dates.holds(ordinal + 1) is (ordinal + 1 in run)


@pytest.mark.parametrize(
    "pattern",
    [
        Daily(0),
        Weekly(1, frozenset()),
        RelativeMonthly(1, frozenset(), 1),
        RelativeMonthly(1, MONDAY, 5),
        RelativeYearly(1, MONDAY, 0),
        AbsoluteMonthly(1, 0),
        AbsoluteMonthly(1, 32),
        AbsoluteYearly(13, 1),
        RelativeYearly(0, MONDAY, 1),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(pattern: Pattern) -> None:
    with pytest.raises(ValueError, match=r"no |below"):
        course(Recurrence(pattern, date(2026, 1, 1)))


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("year", [1, 2, 9899, 9998, 9999])
def test_the_ends_of_the_calendar_raise_nothing(pattern: Pattern, year: int) -> None:
    whole = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    edge = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, tzinfo=UTC)
    for zone in (Zone("Pacific/Kiritimati"), Zone("Pacific/Pago_Pago")):
        for begins in (edge[0], edge[1] - timedelta(hours=1)):
            appointment = Appointment(
                "id", "key", "uid", begins, edge[1], zone=zone,
                recurrence=Recurrence(pattern, begins.date(), count=2), all_day=year % 2 == 0,
                deleted=(begins,), changed=(),
            )  # fmt: skip
            first, last = span(appointment)
            assert last is None or first <= last
            for window in (whole, edge):
                found = occurrences(appointment, *window)
                assert all(each.start <= each.end for each in found)


def test_a_giant_interval_gives_what_the_calendar_can_hold() -> None:
    for pattern in (Daily(999_999_999), AbsoluteMonthly(999_999_999, 1), Weekly(10**9, MONDAY)):
        rare = series(pattern, "2026-06-01 09:00", count=10)
        found = occurrences(rare, utc("2000-01-01"), utc("9999-12-31"))
        assert [each.start for each in found] == [utc("2026-06-01 07:00")]
        gone = replace(rare, deleted=(utc("2026-06-01 07:00"),))
        assert occurrences(gone, utc("2000-01-01"), utc("9999-12-31")) == []
        assert span(gone)[0] == utc("2026-06-01 07:00")
