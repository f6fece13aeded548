"""Occurrences: what a calendar shows of an appointment in a window of time.

A series keeps the wall clock of its zone. Its occurrences begin at one wall time and end at one,
both in the zone of the start, as Exchange keeps them (MS-OXOCAL, RecurrencePattern: StartTime and
EndTime are based on the time zone of the start): an occurrence across a clock change is an hour
longer or shorter. All-day ones go from midnight to midnight of their dates.

Exceptions and deletions name the start that an occurrence would have had. Some servers name it
wrongly, see `_Series.day_of`: pattern and zone of the series decide.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from keepstep.core.appointment import Appointment, ChangedOccurrence, Occurrence, Recurrence
from keepstep.core.patterns import LAST_ORDINAL, course
from keepstep.core.timezones import local, wall_offset

_MIDNIGHT = time()
_NOTHING = timedelta(0)
_NOON = 12
_LAST_DAY = date.max.toordinal()
# An occurrence of a series is never longer; no calendar has one, but hostile input might.
_LONGEST = timedelta(days=3660)
# How far, in days, the UTC date of an instant and the date of a pattern can lie apart: an offset
# of up to 14 hours, and a day that a zone left out altogether (Pacific/Apia in 2011).
_NEAR = 2


def occurrences(appointment: Appointment, start: datetime, end: datetime) -> list[Occurrence]:
    """Give the occurrences that overlap a window (aware instants), in order of start.

    One overlaps if it ends after `start` and begins before `end`; one of no length if it is at
    `start` or later, and before `end`. The cost follows what the window holds, not what lies
    before it. ValueError: a pattern that can't be (`patterns.check`).
    """
    recurrence = appointment.recurrence
    if recurrence is None:
        if not _overlaps(appointment.start, appointment.end, start, end):
            return []
        return [_single(appointment)]
    series = _Series(appointment, recurrence)
    first, last = series.days_around(start, end)
    taken = series.taken(first, last)
    found = series.by_pattern(first, last, taken, start, end)
    if appointment.changed:
        found += series.exceptions(start, end)
        found.sort(key=_order)
    return found


def span(appointment: Appointment) -> tuple[datetime, datetime | None]:
    """Give the first start and the last end of all occurrences; None as end: there is no last.

    Where every occurrence is deleted, those of the pattern's first.
    """
    recurrence = appointment.recurrence
    if recurrence is None:
        return appointment.start, appointment.end
    series = _Series(appointment, recurrence)
    starts = [changed.start for changed in appointment.changed]
    ends = [changed.end for changed in appointment.changed]
    taken = series.taken(1, _LAST_DAY)
    first = series.outermost(taken, backwards=False)
    if first is not None:
        starts.append(series.times(first)[0])
    if series.course.length is None:
        return min(starts, default=appointment.start), None
    last = series.outermost(taken, backwards=True)
    if last is not None:
        ends.append(series.times(last)[1])
    if not starts:
        return series.first_times()
    return min(starts), max(ends)


def last_end(appointment: Appointment) -> datetime | None:
    """Give the end of the last occurrence; None: the series never ends."""
    return span(appointment)[1]


def ends_after(appointment: Appointment, instant: datetime) -> bool:
    """Say whether any occurrence ends after the instant."""
    recurrence = appointment.recurrence
    if recurrence is None:
        return appointment.end > instant
    if any(changed.end > instant for changed in appointment.changed):
        return True
    series = _Series(appointment, recurrence)
    length = series.course.length
    if length is None:
        return True
    if not length:
        return appointment.end > instant
    if series.times(series.course.nth(length - 1))[1] <= instant:
        return False
    last = last_end(appointment)
    return last is not None and last > instant


class _Series:
    """A series, worked out so far that each of its dates gives an occurrence.

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
            first_day, last_day = _days(begin, finish)
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
            if ordinal in taken:
                continue
            start, end = times(ordinal)
            if start >= before:
                break
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
            self.day_of(original)
            for original in originals
            if first - _NEAR <= original.toordinal() <= last + _NEAR
        )
        return frozenset(day for day in days if day is not None)

    def exceptions(self, start: datetime, end: datetime) -> list[Occurrence]:
        """Give the changed occurrences that overlap a window, wherever the pattern had them."""
        found = {
            changed.original_start: self._exception(changed)
            for changed in self.appointment.changed
            if _overlaps(changed.start, changed.end, start, end)
        }
        return list(found.values())

    def _exception(self, changed: ChangedOccurrence) -> Occurrence:
        day = self.day_of(changed.original_start)
        original = changed.original_start if day is None else self.times(day)[0]
        first_day = last_day = None
        if changed.all_day:
            first_day, last_day = _days(
                local(changed.start, self.zone), local(changed.end, self.zone)
            )
        return Occurrence(
            self.appointment,
            changed.start,
            changed.end,
            changed.details or self.appointment.details,
            changed.all_day,
            original,
            first_day,
            last_day,
            is_exception=True,
        )

    def day_of(self, original: datetime) -> int | None:
        """Give the date of the occurrence that should begin at an instant; None: there is none.

        Right servers name the instant itself. Others count with the UTC offset of the series'
        start on both sides of a clock change, or name the midnight of the day (gromox does both
        at once). So, in this order: the instant; the local midnight; the wall time or midnight by
        the offset of the series' start; the local date. What names the right wall time of a day
        without occurrence belongs to none: the series was changed since.
        """
        wall = local(original, self.zone)
        day = wall.toordinal()
        for candidate in (day, day - 1):
            if self.course.holds(candidate) and self.times(candidate)[0] == original:
                return candidate
        if wall.time() not in (_MIDNIGHT, self.wall):
            fixed = original.astimezone(self.first_offset)
            if fixed.time() in (_MIDNIGHT, self.wall) and self.course.holds(fixed.toordinal()):
                return fixed.toordinal()
        return day if self.course.holds(day) else None

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


def _single(appointment: Appointment) -> Occurrence:
    first_day = last_day = None
    if appointment.all_day:
        zone = appointment.zone
        first_day, last_day = _days(local(appointment.start, zone), local(appointment.end, zone))
    return Occurrence(
        appointment,
        appointment.start,
        appointment.end,
        appointment.details,
        appointment.all_day,
        first_day=first_day,
        last_day=last_day,
    )


def _days(begin: datetime, finish: datetime) -> tuple[date, date]:
    """Give the first day and the day after the last, from wall times; at least one day.

    The nearest midnight counts: where a clock change skips midnight, the day begins at one.
    """
    first = min(_nearest_day(begin), _LAST_DAY - 1)
    last = min(max(_nearest_day(finish), first + 1), _LAST_DAY)
    return date.fromordinal(first), date.fromordinal(last)


def _nearest_day(wall: datetime) -> int:
    return wall.toordinal() + (wall.hour >= _NOON)


def _overlaps(start: datetime, end: datetime, after: datetime, before: datetime) -> bool:
    return start < before and (end > after or (start == end and start >= after))


def _order(occurrence: Occurrence) -> tuple[datetime, datetime]:
    return occurrence.start, occurrence.end
