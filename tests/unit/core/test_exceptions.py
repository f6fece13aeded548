"""Exceptions and deletions of series, and how they find their occurrence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from keepstep.core.appointment import (
    Appointment,
    ChangedOccurrence,
    Daily,
    Details,
    Occurrence,
    Weekday,
    Weekly,
)
from keepstep.core.recurrence import ends_after, last_end, occurrences, span, straightened
from tests.unit.core.builders import series, utc

HOUR = timedelta(hours=1)


def changed(original: str, start: str, **more: object) -> ChangedOccurrence:
    begins = utc(start)
    made = ChangedOccurrence(utc(original), begins, begins + HOUR, "changed")
    return replace(made, **more)  # type: ignore[arg-type]


def in_june(appointment: Appointment) -> list[Occurrence]:
    return occurrences(appointment, utc("2026-06-01"), utc("2026-07-01"))


def starts(found: list[Occurrence]) -> list[datetime]:
    return [each.start for each in found]


MONDAYS = series(Weekly(1, frozenset({Weekday.MONDAY})), "2026-01-05 09:00")
JUNE_MONDAYS = [utc(f"2026-06-{day:02} 07:00") for day in (1, 8, 15, 22, 29)]


def test_an_untouched_series_shows_each_occurrence() -> None:
    assert starts(in_june(MONDAYS)) == JUNE_MONDAYS
    assert [each.recurrence_id for each in in_june(MONDAYS)] == JUNE_MONDAYS


def test_an_occurrence_moved_into_the_window_is_shown_there() -> None:
    moved = replace(MONDAYS, changed=(changed("2026-08-03 07:00", "2026-06-10 12:00"),))
    found = in_june(moved)
    assert starts(found) == sorted([*JUNE_MONDAYS, utc("2026-06-10 12:00")])
    exception = next(each for each in found if each.is_exception)
    assert exception.recurrence_id == utc("2026-08-03 07:00")


def test_an_occurrence_moved_out_of_the_window_is_not_shown() -> None:
    moved = replace(MONDAYS, changed=(changed("2026-06-08 07:00", "2026-07-10 12:00"),))
    assert starts(in_june(moved)) == [JUNE_MONDAYS[0], *JUNE_MONDAYS[2:]]


def test_two_swapped_occurrences_come_in_order_of_start() -> None:
    swapped = replace(
        MONDAYS,
        changed=(
            changed("2026-06-08 07:00", "2026-06-15 10:00"),
            changed("2026-06-15 07:00", "2026-06-08 10:00"),
        ),
    )
    found = in_june(swapped)
    assert starts(found) == sorted(starts(found))
    assert [each.recurrence_id for each in found[1:3]] == [JUNE_MONDAYS[2], JUNE_MONDAYS[1]]


def test_a_changed_occurrence_tells_its_own_details() -> None:
    own = Details(subject="Elsewhere", location="Room 7", cancelled=True)
    told = replace(
        MONDAYS,
        details=Details(subject="Weekly"),
        changed=(changed("2026-06-08 07:00", "2026-06-08 07:00", details=own),),
    )
    assert [each.details.subject for each in in_june(told)][:3] == ["Weekly", "Elsewhere", "Weekly"]
    assert in_june(told)[1].details is own


def test_a_changed_occurrence_without_details_tells_those_of_the_series() -> None:
    told = replace(
        MONDAYS,
        details=Details(subject="Weekly"),
        changed=(changed("2026-06-08 07:00", "2026-06-09 07:00"),),
    )
    assert {each.details.subject for each in in_june(told)} == {"Weekly"}


def test_an_occurrence_can_become_all_day() -> None:
    whole = changed(
        "2026-06-08 07:00",
        "2026-06-07 22:00",
        end=utc("2026-06-08 22:00"),
        all_day=True,
    )
    found = in_june(replace(MONDAYS, changed=(whole,)))[1]
    assert found.all_day
    assert (found.first_day, found.last_day) == (date(2026, 6, 8), date(2026, 6, 9))


def test_an_exception_on_a_day_that_no_longer_matches_is_still_shown() -> None:
    """The series moved to Mondays after this one was changed, on a Thursday."""
    orphan = replace(MONDAYS, changed=(changed("2026-06-11 07:00", "2026-06-11 13:00"),))
    found = in_june(orphan)
    assert starts(found) == sorted([*JUNE_MONDAYS, utc("2026-06-11 13:00")])
    assert [each.recurrence_id for each in found if each.is_exception] == [utc("2026-06-11 07:00")]


def test_a_deleted_occurrence_is_left_out() -> None:
    fewer = replace(MONDAYS, deleted=(JUNE_MONDAYS[1], JUNE_MONDAYS[3]))
    assert starts(in_june(fewer)) == [JUNE_MONDAYS[0], JUNE_MONDAYS[2], JUNE_MONDAYS[4]]


def test_what_is_both_changed_and_deleted_on_the_wire_is_shown_as_changed() -> None:
    """Inside Exchange the deleted ones count the changed ones in; some servers pass that on."""
    both = replace(
        MONDAYS,
        deleted=(JUNE_MONDAYS[1],),
        changed=(changed("2026-06-08 07:00", "2026-06-09 07:00"),),
    )
    assert starts(in_june(both)) == [JUNE_MONDAYS[0], utc("2026-06-09 07:00"), *JUNE_MONDAYS[2:]]


# How servers name the occurrence of Monday 8 June 2026, 09:00 in Berlin (07:00 UTC), of a series
# that began in winter: rightly; by midnight; with the offset of winter; by winter's midnight. And
# how they tell that it was moved to 14:00 (12:00 UTC) of the Wednesday.
WINTER_NAMES = [
    ("2026-06-08 07:00", "2026-06-10 12:00"),
    ("2026-06-07 22:00", "2026-06-10 12:00"),
    ("2026-06-08 08:00", "2026-06-10 13:00"),
    ("2026-06-07 23:00", "2026-06-10 13:00"),
]
# Monday 7 December 2026 (08:00 UTC), of a series that began in summer, named in the same ways.
SUMMER_NAMES = ["2026-12-07 08:00", "2026-12-06 23:00", "2026-12-07 07:00", "2026-12-06 22:00"]


@pytest.mark.parametrize(("name", "told"), WINTER_NAMES)
def test_wrong_offsets_follow_the_zone_of_the_series(name: str, told: str) -> None:
    """Some real servers are an hour off across a clock change: pattern and zone decide."""
    deleted = replace(MONDAYS, deleted=(utc(name),))
    assert starts(in_june(deleted)) == [JUNE_MONDAYS[0], *JUNE_MONDAYS[2:]]
    moved = replace(MONDAYS, changed=(changed(name, told),))
    found = in_june(moved)
    assert starts(found) == [JUNE_MONDAYS[0], utc("2026-06-10 12:00"), *JUNE_MONDAYS[2:]]
    assert found[1].end == utc("2026-06-10 13:00")
    assert found[1].recurrence_id == JUNE_MONDAYS[1]


@pytest.mark.parametrize(("name", "told"), WINTER_NAMES)
def test_a_series_can_be_straightened_once_for_all(name: str, told: str) -> None:
    crooked = replace(MONDAYS, changed=(changed(name, told),), deleted=(utc("2026-06-22 08:00"),))
    straight = straightened(crooked)
    assert straight.changed == (changed("2026-06-08 07:00", "2026-06-10 12:00"),)
    assert straight.deleted == (JUNE_MONDAYS[3],)
    assert straightened(straight) is straight
    assert starts(in_june(straight)) == starts(in_june(crooked))
    assert span(straight) == span(crooked)


def test_a_moved_occurrence_told_by_a_wrong_offset_bounds_the_span_rightly() -> None:
    """Told as 21:00 to 22:00 UTC in winter's offset: 20:00 to 21:00."""
    last = series(Weekly(1, frozenset({Weekday.MONDAY})), "2026-03-23 09:00", count=2)
    moved = replace(last, changed=(changed("2026-03-29 23:00", "2026-03-30 21:00"),))
    assert span(moved) == (utc("2026-03-23 08:00"), utc("2026-03-30 21:00"))
    assert ends_after(moved, utc("2026-03-30 20:59"))
    assert not ends_after(moved, utc("2026-03-30 21:00"))


def test_an_exception_that_ends_before_it_starts_has_no_length() -> None:
    hostile = changed("2026-06-08 07:00", "2026-06-10 12:00", end=utc("2026-06-09 12:00"))
    found = in_june(replace(MONDAYS, changed=(hostile,)))[1]
    assert (found.start, found.end) == (utc("2026-06-10 12:00"), utc("2026-06-10 12:00"))


@pytest.mark.parametrize("name", SUMMER_NAMES)
@pytest.mark.parametrize("pattern", [Daily(), Weekly(1, frozenset({Weekday.MONDAY}))])
def test_a_name_with_a_wrong_offset_finds_its_occurrence_in_winter(
    name: str, pattern: Daily | Weekly
) -> None:
    began_in_summer = series(pattern, "2026-06-01 09:00")
    window = utc("2026-12-05"), utc("2026-12-09")
    all_of_them = starts(occurrences(began_in_summer, *window))
    fewer = starts(occurrences(replace(began_in_summer, deleted=(utc(name),)), *window))
    assert set(all_of_them) - set(fewer) == {utc("2026-12-07 08:00")}


def test_a_name_with_another_hour_finds_the_occurrence_of_its_day() -> None:
    deleted = replace(MONDAYS, deleted=(utc("2026-06-08 12:34"),))
    assert starts(in_june(deleted)) == [JUNE_MONDAYS[0], *JUNE_MONDAYS[2:]]


def test_the_span_holds_exceptions_outside_the_pattern() -> None:
    five = replace(
        series(Weekly(1, frozenset({Weekday.MONDAY})), "2026-06-01 09:00", count=5),
        changed=(
            changed("2026-06-08 07:00", "2026-05-20 07:00"),
            changed("2026-06-15 07:00", "2026-07-20 07:00"),
        ),
    )
    assert span(five) == (utc("2026-05-20 07:00"), utc("2026-07-20 08:00"))


def test_the_span_leaves_out_what_is_deleted_at_its_ends() -> None:
    five = series(Weekly(1, frozenset({Weekday.MONDAY})), "2026-06-01 09:00", count=5)
    fewer = replace(five, deleted=(JUNE_MONDAYS[0], JUNE_MONDAYS[3], JUNE_MONDAYS[4]))
    assert span(five) == (JUNE_MONDAYS[0], JUNE_MONDAYS[4] + HOUR)
    assert span(fewer) == (JUNE_MONDAYS[1], JUNE_MONDAYS[2] + HOUR)
    assert last_end(fewer) == JUNE_MONDAYS[2] + HOUR
    assert ends_after(fewer, JUNE_MONDAYS[2])
    assert not ends_after(fewer, JUNE_MONDAYS[2] + HOUR)


def test_a_series_with_every_occurrence_deleted_spans_its_first() -> None:
    none = replace(
        series(Weekly(1, frozenset({Weekday.MONDAY})), "2026-06-01 09:00", count=5),
        deleted=tuple(JUNE_MONDAYS),
    )
    assert in_june(none) == []
    assert span(none) == (JUNE_MONDAYS[0], JUNE_MONDAYS[0] + HOUR)


def test_a_series_without_end_has_no_last_end() -> None:
    assert span(MONDAYS) == (utc("2026-01-05 08:00"), None)
    assert last_end(MONDAYS) is None
    assert ends_after(MONDAYS, datetime(9000, 1, 1, tzinfo=UTC))


def test_five_hundred_exceptions_are_all_found() -> None:
    daily = series(Daily(), "2026-01-01 09:00")
    each_day = occurrences(daily, utc("2026-01-01"), utc("2027-05-16"))[:500]
    moved = replace(
        daily,
        changed=tuple(
            ChangedOccurrence(each.start, each.start + HOUR, each.end + HOUR, f"{number}")
            for number, each in enumerate(each_day)
        ),
    )
    found = occurrences(moved, utc("2026-01-01"), each_day[-1].end + HOUR)
    assert starts(found) == [each.start + HOUR for each in each_day]
    assert all(each.is_exception for each in found)
