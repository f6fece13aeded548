"""The dates of a recurrence, numbered from 0: any of them is reached in one step.

Dates are counted as ordinals (`date.toordinal`), so a pattern that runs past the last year of the
calendar needs no special case.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekday,
    Weekly,
)

# No date beyond is worked out, so that ends can still be held. Exchange itself ends in 4500.
LAST_ORDINAL = date(9900, 12, 31).toordinal()


@dataclass(frozen=True, slots=True)
class Course:
    """The dates of a recurrence in order.

    `nth(n)` gives the ordinal of the n-th date, n from 0; `index(ordinal)` the number of the
    first date that is not before the ordinal. `length` says how many dates there are, None where
    they don't end, or not before `LAST_ORDINAL`.
    """

    nth: Callable[[int], int]
    index: Callable[[int], int]
    length: int | None

    def between(self, first: int, last: int) -> Iterator[int]:
        """Give the ordinals from `first` to `last`, both included."""
        number = self.index(first)
        last = min(last, LAST_ORDINAL)
        while self.length is None or number < self.length:
            ordinal = self.nth(number)
            if ordinal > last:
                return
            yield ordinal
            number += 1

    def holds(self, ordinal: int) -> bool:
        """Say whether the date is one of the recurrence."""
        if ordinal > LAST_ORDINAL:
            return False
        number = self.index(ordinal)
        within = self.length is None or number < self.length
        return within and self.nth(number) == ordinal


def course(recurrence: Recurrence) -> Course:
    """Work out the dates of a recurrence.

    Days, weeks, months and years are counted from the one that holds `first_date`; dates before
    it are none of the recurrence. ValueError: a pattern that can't be (no weekday, an interval
    below 1, a day, month or position that the calendar lacks).
    """
    check(recurrence)
    nth, index = _steps(recurrence)
    length = recurrence.count
    if recurrence.last_date is not None:
        until = index(recurrence.last_date.toordinal() + 1)
        length = until if length is None else min(length, until)
    if length is not None:
        length = max(length, 0)
        if length and nth(length - 1) > LAST_ORDINAL:
            length = None
    return Course(nth, index, length)


def check(recurrence: Recurrence) -> None:
    """Raise ValueError if the pattern can't be."""
    pattern = recurrence.pattern
    if pattern.interval < 1:
        raise ValueError("interval below 1")
    if isinstance(pattern, Weekly | RelativeMonthly | RelativeYearly) and not pattern.weekdays:
        raise ValueError("no weekday")
    if isinstance(pattern, RelativeMonthly | RelativeYearly) and pattern.position not in (
        *range(1, 5),
        -1,
    ):
        raise ValueError("no such position in a month")
    if isinstance(pattern, AbsoluteMonthly | AbsoluteYearly) and not 1 <= pattern.day <= 31:
        raise ValueError("no such day of a month")
    if isinstance(pattern, AbsoluteYearly | RelativeYearly) and not 1 <= pattern.month <= 12:
        raise ValueError("no such month")


_Steps = tuple[Callable[[int], int], Callable[[int], int]]


def _steps(recurrence: Recurrence) -> _Steps:
    pattern, first = recurrence.pattern, recurrence.first_date
    match pattern:
        case Daily():
            return _daily(pattern.interval, first.toordinal())
        case Weekly():
            return _weekly(pattern, first)
        case AbsoluteMonthly():
            return _monthly(first, pattern.interval, first.month, _day_of_month(pattern.day))
        case RelativeMonthly():
            chosen = _day_by_position(pattern.weekdays, pattern.position)
            return _monthly(first, pattern.interval, first.month, chosen)
        case AbsoluteYearly():
            chosen = _day_of_month(pattern.day)
            return _monthly(first, 12 * pattern.interval, pattern.month, chosen)
        case RelativeYearly():
            chosen = _day_by_position(pattern.weekdays, pattern.position)
            return _monthly(first, 12 * pattern.interval, pattern.month, chosen)


def _daily(interval: int, first: int) -> _Steps:
    def nth(number: int) -> int:
        return first + number * interval

    def index(ordinal: int) -> int:
        return max(-((first - ordinal) // interval), 0)

    return nth, index


def _weekly(pattern: Weekly, first_date: date) -> _Steps:
    first = first_date.toordinal()
    week = first - (first_date.weekday() - pattern.first_weekday) % 7
    days = sorted((day - pattern.first_weekday) % 7 for day in pattern.weekdays)
    stride = 7 * pattern.interval
    # The first week may have begun before the first date.
    passed = sum(week + day < first for day in days)

    def nth(number: int) -> int:
        weeks, day = divmod(number + passed, len(days))
        return week + weeks * stride + days[day]

    def index(ordinal: int) -> int:
        weeks, rest = divmod(ordinal - week, stride)
        before = sum(day < rest for day in days)
        return max(weeks * len(days) + before - passed, 0)

    return nth, index


def _monthly(
    first_date: date, interval: int, month: int, chosen: Callable[[int, int], int]
) -> _Steps:
    """Give one date in every `interval`th month from that of the first date's year on."""
    begin = first_date.year * 12 + month - 1

    def raw(number: int) -> int:
        year, month0 = divmod(begin + number * interval, 12)
        if year > 9999:
            return LAST_ORDINAL + 1 + number
        return date(year, month0 + 1, chosen(year, month0 + 1)).toordinal()

    passed = 1 if raw(0) < first_date.toordinal() else 0

    def nth(number: int) -> int:
        return raw(number + passed)

    def index(ordinal: int) -> int:
        day = date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))
        number = max((day.year * 12 + day.month - 1 - begin) // interval, 0)
        if raw(number) < ordinal:
            number += 1
        return max(number - passed, 0)

    return nth, index


def _day_of_month(day: int) -> Callable[[int, int], int]:
    """Choose a fixed day; in a month without it the last (Microsoft's page of DayOfMonth)."""

    def chosen(year: int, month: int) -> int:
        return day if day <= 28 else min(day, calendar.monthrange(year, month)[1])

    return chosen


def _day_by_position(weekdays: frozenset[Weekday], position: int) -> Callable[[int, int], int]:
    """Choose by position (1-4, -1) among the days of a month that are one of the weekdays."""

    def chosen(year: int, month: int) -> int:
        first_weekday, length = calendar.monthrange(year, month)
        days = [day for day in range(1, length + 1) if (first_weekday + day - 1) % 7 in weekdays]
        return days[position - 1 if position > 0 else -1]

    return chosen
