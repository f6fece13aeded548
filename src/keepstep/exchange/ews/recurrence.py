"""From the Recurrence element to the pattern and range of the core."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from lxml.etree import _Element

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekday,
    Weekly,
)
from keepstep.exchange.ews.wire import Malformed, T, child, date_of, local_name, number_of, token_of

_MOST = 999_999_999

WEEKDAYS = {day.name.capitalize(): day for day in Weekday}
_WORKDAYS = frozenset(day for day in Weekday if day <= Weekday.FRIDAY)
DAY_SETS: dict[str, frozenset[Weekday]] = {
    "Day": frozenset(Weekday),
    "Weekday": _WORKDAYS,
    "WeekendDay": frozenset(Weekday) - _WORKDAYS,
    **{name: frozenset({day}) for name, day in WEEKDAYS.items()},
}
POSITIONS = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}

_Meaning = TypeVar("_Meaning")


def word_of(element: _Element, meanings: dict[str, _Meaning]) -> _Meaning:
    """Read an enumeration value; one that is not in the table is malformed."""
    try:
        return meanings[token_of(element)]
    except KeyError:
        raise Malformed(element.tag, "a value that no schema has") from None


def recurrence_of(element: _Element) -> Recurrence:
    """Read a Recurrence element: dates as written, local to the zone of the series.

    Raises `Malformed` for what would be wrong if guessed: an unknown pattern or day, a pattern
    that regenerates (those are for tasks; no calendar has them), a range without a beginning.
    """
    pattern: Pattern | None = None
    first: date | None = None
    last: date | None = None
    count: int | None = None
    for part in element:
        if part.tag in _PATTERNS:
            pattern = _PATTERNS[part.tag](part)
        elif part.tag in _RANGES:
            first = date_of(child(part, f"{T}StartDate"))
            if part.tag == _BY_DATE:
                last = date_of(child(part, f"{T}EndDate"))
            elif part.tag == _BY_NUMBER:
                count = number_of(child(part, f"{T}NumberOfOccurrences"), 1, _MOST)
        else:
            raise Malformed(element.tag, f"{local_name(part.tag)} is not understood")
    if pattern is None or first is None:
        raise Malformed(element.tag, "pattern or range is missing")
    return Recurrence(pattern, first, last, count)


def _interval(element: _Element) -> int:
    found = element.find(f"{T}Interval")
    return 1 if found is None else number_of(found, 1, _MOST)


def _days(element: _Element) -> frozenset[Weekday]:
    holder = child(element, f"{T}DaysOfWeek")
    days: frozenset[Weekday] = frozenset()
    for name in token_of(holder).split():
        if name not in DAY_SETS:
            raise Malformed(holder.tag, "a day that no schema has")
        days |= DAY_SETS[name]
    if not days:
        raise Malformed(holder.tag, "no day")
    return days


def _position(element: _Element) -> int:
    return word_of(child(element, f"{T}DayOfWeekIndex"), POSITIONS)


def _day(element: _Element) -> int:
    return number_of(child(element, f"{T}DayOfMonth"), 1, 31)


def _month(element: _Element) -> int:
    return word_of(child(element, f"{T}Month"), MONTHS)


def _weekly(element: _Element) -> Weekly:
    first = element.find(f"{T}FirstDayOfWeek")
    first_weekday = Weekday.SUNDAY if first is None else word_of(first, WEEKDAYS)
    return Weekly(_interval(element), _days(element), first_weekday)


_PATTERNS: dict[str, Callable[[_Element], Pattern]] = {
    f"{T}DailyRecurrence": lambda of: Daily(_interval(of)),
    f"{T}WeeklyRecurrence": _weekly,
    f"{T}AbsoluteMonthlyRecurrence": lambda of: AbsoluteMonthly(_interval(of), _day(of)),
    f"{T}RelativeMonthlyRecurrence": lambda of: RelativeMonthly(
        _interval(of), _days(of), _position(of)
    ),
    f"{T}AbsoluteYearlyRecurrence": lambda of: AbsoluteYearly(_month(of), _day(of), _interval(of)),
    f"{T}RelativeYearlyRecurrence": lambda of: RelativeYearly(
        _month(of), _days(of), _position(of), _interval(of)
    ),
}
_BY_DATE = f"{T}EndDateRecurrence"
_BY_NUMBER = f"{T}NumberedRecurrence"
_RANGES = {f"{T}NoEndRecurrence", _BY_DATE, _BY_NUMBER}
