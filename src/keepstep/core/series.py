"""A series, worked out so far that each of its dates gives an occurrence.

Exceptions and deletions name the start that an occurrence would have had. Right servers name the
instant itself. gromox tells all local times of a series by the UTC offset of its start, whatever
the season, and names an exception by the midnight of its day (its `process_occurrences`). Pattern
and zone of the series decide.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone

from keepstep.core.appointment import Appointment, ChangedOccurrence, Occurrence, Recurrence
from keepstep.core.patterns import LAST_ORDINAL, course
from keepstep.core.timezones import local, wall_offset

LAST_DAY = date.max.toordinal()

_MIDNIGHT = time()
_NOTHING = timedelta(0)
_DAY = timedelta(days=1)
_NOON = 12
# An occurrence of a series is never longer; no calendar has one, but hostile input might.
_LONGEST = timedelta(days=3660)
# How far, in days, the UTC date of an instant and the date of a pattern can lie apart: an offset
# of up to 14 hours, and a day that a zone left out altogether (Pacific/Apia in 2011).
_NEAR = 2


class Series:
    """What a series shows, date by date.

    Dates are ordinals, as in `patterns`. `wall` is the wall time at which each begins, `length`
    the difference to the wall time of its end (of an all-day one: whole days).
    """

    def __init__(self, appointment: Appointment, recurrence: Recurrence) -> None:
        self.appointment = appointment
        self.zone = appointment.zone
        self.wall_offset = wall_offset(appointment.zone)
        self.course = course(recurrence)
        begin = local(appointment.start, self.zone)
        finish = local(appointment.end, self.zone)
        if appointment.all_day:
            first_day, last_day = days_of(begin, finish)
            self.wall, self.length = _MIDNIGHT, last_day - first_day
        else:
            self.wall, self.length = begin.time(), finish - begin
            if self.length <= _NOTHING:
                # The first occurrence ends in the second of two doubled hours.
                self.length = max(appointment.end - appointment.start, _NOTHING)
        self.length = min(self.length, _LONGEST)
        self.first_offset = timezone(begin - appointment.start.astimezone(UTC).replace(tzinfo=None))

    def times(self, ordinal: int) -> tuple[datetime, datetime]:
        """Give start and end of the occurrence of a date."""
        wall = datetime.combine(date.fromordinal(ordinal), self.wall, UTC)
        wall_end = wall + self.length
        try:
            start = wall - self.wall_offset(wall)
            end = wall_end - self.wall_offset(wall_end)
        except OverflowError:  # in the first or last days that a datetime can hold
            return wall, wall_end
        if end > start or not self.length:
            return start, end
        # Its wall times lie in skipped hours: shifted, it keeps its length. A whole day that was
        # skipped has none.
        return start, start if self.appointment.all_day else start + self.length

    def first_times(self) -> tuple[datetime, datetime]:
        """Give start and end of the pattern's first occurrence, deleted or not."""
        if self.course.length == 0 or self.course.nth(0) > LAST_ORDINAL:
            return self.appointment.start, self.appointment.end
        return self.times(self.course.nth(0))

    def days_around(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Give the first and last date whose occurrences can overlap a window."""
        before = self.length.days + 1 + _NEAR
        return start.toordinal() - before, end.toordinal() + _NEAR

    def by_pattern(
        self, first: int, last: int, taken: frozenset[int], after: datetime, before: datetime
    ) -> list[Occurrence]:
        """Give the occurrences that the pattern has on the dates `first` to `last` in a window.

        The occurrence of a date that a zone left out would begin together with the next day's; of
        two that begin at one instant only the later date's stands (RFC 5545, 3.8.5.3: a duplicate
        counts once).
        """
        appointment, times = self.appointment, self.times
        details, all_day = appointment.details, appointment.all_day
        found: list[Occurrence] = []
        first_day = last_day = None
        for ordinal in self.course.between(first, last):
            start, end = times(ordinal)
            if start >= before:
                break
            if ordinal in taken:
                if found and found[-1].start == start:
                    found.pop()
                continue
            if end <= after and not (start == end and start >= after):
                continue
            if all_day:
                first_day = date.fromordinal(ordinal)
                last_day = first_day + self.length
            if found and found[-1].start == start:
                found.pop()
            found.append(
                Occurrence(appointment, start, end, details, all_day, start, first_day, last_day)
            )
        return found

    def taken(self, first: int, last: int) -> frozenset[int]:
        """Give those dates of the pattern, within bounds, that are deleted or changed."""
        appointment = self.appointment
        if not appointment.deleted and not appointment.changed:
            return frozenset()
        originals = [*appointment.deleted, *(each.original_start for each in appointment.changed)]
        days = (
            self._named(original)[0]
            for original in originals
            if first - _NEAR <= original.toordinal() <= last + _NEAR
        )
        return frozenset(day for day in days if day is not None)

    def exceptions(self, start: datetime, end: datetime) -> list[Occurrence]:
        """Give the changed occurrences that overlap a window, wherever the pattern had them.

        Where two bear one name, the later one counts.
        """
        by_name = {each.original_start: each for each in self.appointment.changed}
        found: dict[datetime, Occurrence] = {}
        for each in by_name.values():
            if each.start - _DAY < end and max(each.start, each.end) + _DAY > start:
                changed = self.corrected(each)
                if overlaps(changed.start, changed.end, start, end):
                    found[changed.original_start] = self._exception(changed)
        return list(found.values())

    def _exception(self, changed: ChangedOccurrence) -> Occurrence:
        first_day = last_day = None
        if changed.all_day:
            first_day, last_day = days_of(
                local(changed.start, self.zone), local(changed.end, self.zone)
            )
        return Occurrence(
            self.appointment,
            changed.start,
            changed.end,
            changed.details or self.appointment.details,
            changed.all_day,
            changed.original_start,
            first_day,
            last_day,
            is_exception=True,
        )

    def corrected(self, changed: ChangedOccurrence) -> ChangedOccurrence:
        """Give the exception with its true original start and its true times.

        It ends no earlier than it starts.
        """
        day, by_first_offset = self._named(changed.original_start)
        original = changed.original_start if day is None else self.times(day)[0]
        start, end = changed.start, changed.end
        if by_first_offset:
            start, end = self._restated(start), self._restated(end)
        end = max(start, end)
        if (original, start, end) == (changed.original_start, changed.start, changed.end):
            return changed
        return replace(changed, original_start=original, start=start, end=end)

    def original_of(self, named: datetime) -> datetime:
        """Give the true original start of the occurrence that a server names."""
        day = self._named(named)[0]
        return named if day is None else self.times(day)[0]

    def _restated(self, moment: datetime) -> datetime:
        """Give the instant of a local time that was told by the offset of the series' start."""
        wall = moment.astimezone(self.first_offset).replace(tzinfo=UTC)
        try:
            return wall - self.wall_offset(wall)
        except OverflowError:
            return moment

    def _named(self, original: datetime) -> tuple[int | None, bool]:
        """Give the date of the occurrence that a server means, None where there is none.

        Further, whether the server reckons by the offset of the series' start. Tried in this
        order: the instant; the local midnight; the midnight or wall time by the offset of the
        series' start; the local date. What names the right wall time of a day without occurrence
        belongs to none: the series was changed since.
        """
        wall = local(original, self.zone)
        day = wall.toordinal()
        for candidate in (day, day - 1):
            if self.course.holds(candidate) and self.times(candidate)[0] == original:
                return candidate, False
        fixed = original.astimezone(self.first_offset)
        told = fixed.replace(tzinfo=None)
        is_certain = wall.time() in (_MIDNIGHT, self.wall) and told != wall
        if not is_certain and told.time() in (_MIDNIGHT, self.wall):
            day_told = told.toordinal()
            if self.course.holds(day_told):
                return day_told, True
        return (day if self.course.holds(day) else None), False

    def outermost(self, taken: frozenset[int], *, backwards: bool) -> int | None:
        """Give the first (or last) date of the pattern that is not taken."""
        length = self.course.length
        tries = len(taken) + 1 if length is None else min(len(taken) + 1, length)
        for number in range(tries):
            at = (length or 0) - 1 - number if backwards else number
            ordinal = self.course.nth(at)
            if ordinal > LAST_ORDINAL:
                return None
            if ordinal not in taken:
                return ordinal
        return None


def days_of(begin: datetime, finish: datetime) -> tuple[date, date]:
    """Give the first day and the day after the last, from wall times; at least one day.

    The nearest midnight counts: where a clock change skips midnight, the day begins at one.
    """
    first = min(_nearest_day(begin), LAST_DAY - 1)
    last = min(max(_nearest_day(finish), first + 1), LAST_DAY)
    return date.fromordinal(first), date.fromordinal(last)


def _nearest_day(wall: datetime) -> int:
    return wall.toordinal() + (wall.hour >= _NOON)


def overlaps(start: datetime, end: datetime, after: datetime, before: datetime) -> bool:
    """Say whether what begins and ends so shows in the window `after` to `before`."""
    return start < before and (end > after or (start == end and start >= after))
