"""The dates of a series, and the rules that tell them to every reader.

Outlook reads only rules of some shapes (MS-OXCICAL, 2.1.3.2.2), and a day that a month lacks as
that month's last, while by RFC 5545 such a month has none. So a series on the 29th or 30th is told
by two rules: one for the other months and one for February.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from math import lcm

from keepstep.core.appointment import AbsoluteMonthly, AbsoluteYearly, Pattern, Recurrence
from keepstep.core.ical.meetings import Copy, Span
from keepstep.core.series import Series, overlaps
from keepstep.core.timezones import local

_DAY = timedelta(days=1)
_LAST_DAY = date(9800, 1, 1).toordinal()
_FEBRUARY = 2
_NOT_IN_EVERY_FEBRUARY = (29, 30)
# So far two rules keep out of each other's Februaries where a reader would have both.
_YEARS_APART = 40
_MOST_TRIES = 24


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one rule tells of a course: the rule's pattern, and which of the dates are its."""

    pattern: Pattern
    holds: Callable[[int], bool]


class Course:
    """The dates of a series within the times looked at, each with its start and end.

    `tail_date` is the first date that is so late that nothing but the pattern decides what is on
    it, None if there is none. `later` are the times that must be looked at to know of that.
    """

    def __init__(
        self, copy: Copy, recurrence: Recurrence, horizon: datetime, beyond: datetime
    ) -> None:
        self.copy, self.recurrence = copy, recurrence
        self.series = Series(copy.appointment, recurrence)
        self.all_day = copy.appointment.all_day
        self.dates: dict[int, Span] = {}
        self.by_start: dict[datetime, int] = {}
        self._horizon = horizon
        self.tail_date = next(self._after(beyond), None)
        self.later: list[Span] = []
        length = self.series.course.length
        if self.tail_date is not None:
            start = self.series.times(self.tail_date)[0]
            self.later = [(start - _DAY, start + _DAY)]
        elif length:
            # It ends before: all of its dates are to be looked at.
            end = self.series.times(self.series.course.nth(length - 1))[1]
            self.later = [(horizon, end + _DAY)] if end + _DAY > horizon else []

    def _after(self, moment: datetime) -> Iterator[int]:
        """Give the dates after an instant's in order."""
        return self.series.course.between(moment.toordinal() + 1, _LAST_DAY)

    def look_at(self, spans: Iterable[Span]) -> None:
        """Work out the dates within these times."""
        for start, end in spans:
            first, last = self.series.days_around(start, end)
            for ordinal in self.series.course.between(first, last):
                times = self.series.times(ordinal)
                if overlaps(*times, start, end):
                    self.dates[ordinal] = times
        self.dates = dict(sorted(self.dates.items()))
        self.by_start = {start: ordinal for ordinal, (start, _) in self.dates.items()}

    def parts(self) -> list[Part]:
        """Give the rules that tell the dates; most series need one."""
        pattern = self.recurrence.pattern
        if not isinstance(pattern, AbsoluteMonthly) or pattern.day not in _NOT_IN_EVERY_FEBRUARY:
            return [Part(pattern, lambda _: True)]
        years = lcm(pattern.interval, 12) // 12
        return [
            Part(pattern, lambda each: date.fromordinal(each).day == pattern.day),
            Part(
                AbsoluteYearly(_FEBRUARY, pattern.day, years),
                lambda each: date.fromordinal(each).day < pattern.day,
            ),
        ]

    def of_others(self, part: Part, first: int) -> list[int]:
        """Give dates from the first on that another rule tells, and a reader might have by this."""
        if len(self.parts()) == 1:
            return []
        begin = date.fromordinal(first)
        last = begin.toordinal() + _YEARS_APART * 366
        return [
            each
            for each in self.series.course.between(first, last)
            if date.fromordinal(each).month == _FEBRUARY and not part.holds(each)
        ]

    def first(self, part: Part, on: Container[int], *, goes_on: bool) -> int | None:
        """Give the date to begin a series with: the first that something is on, if it is plain.

        Where nothing is on before the horizon, the first after it: from there on the pattern
        decides.
        """
        found = [each for each in self.dates if each in on and part.holds(each)]
        if goes_on:
            later = filter(part.holds, islice(self._after(self._horizon), _MOST_TRIES))
            found = sorted({*found, *later})
        return next(filter(self.is_plain, found), None)

    def last_start(self) -> date | datetime | None:
        """Give the last start as a rule's end names it; None: there is no last."""
        length = self.series.course.length
        return None if length is None else self.start_of(self.series.course.nth(length - 1))

    def start_of(self, ordinal: int) -> date | datetime:
        """Give the start of a date's occurrence as a rule's end names it."""
        if self.all_day:
            return date.fromordinal(ordinal)
        return self.series.times(ordinal)[0].astimezone(UTC)

    def wall(self, ordinal: int) -> datetime | date:
        """Give the wall time that a date's occurrence begins at by the pattern, or the date."""
        day = date.fromordinal(ordinal)
        return day if self.all_day else datetime.combine(day, self.series.wall)

    def wall_end(self, ordinal: int) -> datetime | date:
        """Give the same of its end."""
        day = date.fromordinal(ordinal)
        if self.all_day:
            return day + self.series.length
        return datetime.combine(day, self.series.wall) + self.series.length

    def is_plain(self, ordinal: int) -> bool:
        """Say whether every reader gets the times of a date right."""
        if self.all_day:
            return True
        start, end = self.series.times(ordinal)
        zone = self.copy.appointment.zone
        walls = local(start, zone), local(end, zone)
        is_exact = end - start == self.series.length
        return is_exact and walls == (self.wall(ordinal), self.wall_end(ordinal))
