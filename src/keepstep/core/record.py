"""The record of past meetings: which occurrences of a series a row shows.

What was over when we last looked stands, whatever becomes of its series afterwards. So when a
series changes, its earlier occurrences stay in a *record*, the series as it was, and the row goes
on with the later ones. An occurrence is known again after a change by the local date of its
original start: a pattern has at most one a day, and a change of the hour moves all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from keepstep.core.appointment import Appointment, Occurrence
from keepstep.core.recurrence import occurrences
from keepstep.core.timezones import local

EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
_NEARBY = timedelta(days=3)
_A_DAY_AROUND = timedelta(hours=40)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """Which occurrences of its series a row shows.

    Those that end after `after` and not after `until` (None: no such limit), further those whose
    original start falls on a local date of `also`, and none of those of `never`.
    """

    after: datetime | None = None
    until: datetime | None = None
    also: frozenset[date] = frozenset()
    never: frozenset[date] = frozenset()

    def holds(self, occurrence: Occurrence) -> bool:
        """Say whether the row shows this occurrence of its series."""
        if self.also or self.never:
            day = _day(occurrence)
            if day in self.never:
                return False
            if day in self.also:
                return True
        return (self.after is None or occurrence.end > self.after) and (
            self.until is None or occurrence.end <= self.until
        )


ALL = Shown()


def shown_occurrences(
    appointment: Appointment, shown: Shown, start: datetime, end: datetime
) -> list[Occurrence]:
    """Give the occurrences that overlap the window and that the row shows, in order of start."""
    found = occurrences(appointment, start, end)
    if appointment.recurrence is None:
        return found
    return [occurrence for occurrence in found if shown.holds(occurrence)]


@dataclass(frozen=True, slots=True)
class Succession:
    """What becomes of a row whose appointment changes.

    `record` is what the old version goes on showing (None: nothing), `shown` what the new one
    shows.
    """

    record: Shown | None
    shown: Shown


def succeed(old: Appointment, shown: Shown, new: Appointment, boundary: datetime) -> Succession:
    """Decide how the old version's past and the new version's future share the calendar.

    `boundary` is the last success: occurrences that ended by then stand. An occurrence that the
    change moves across the boundary is moved, in either direction.
    """
    standing = _over(old, shown, boundary)
    days = _candidates(old, boundary) | _candidates(new, boundary)
    before, after = _ends(old, shown, days), _ends(new, ALL, days)
    moved_on = frozenset(day for day in standing if after.get(day, boundary) > boundary)
    moved_back = frozenset(
        day
        for day, end in after.items()
        if end <= boundary and before.get(day, boundary) > boundary
    )
    if standing and not moved_back and _over(new, shown, boundary) == standing:
        return Succession(None, shown)
    begun = Shown(after=boundary, also=moved_back) if new.recurrence is not None else ALL
    if not standing:
        return Succession(None, begun)
    if old.recurrence is None:
        return Succession(None if moved_on else ALL, begun)
    return Succession(replace(shown, until=boundary, never=shown.never | moved_on), begun)


def overtake(record: Appointment, shown: Shown, new: Appointment, boundary: datetime) -> Shown:
    """Give what an earlier record of a series goes on showing beside the series' new version.

    An occurrence of the record that the new version has ahead is moved there, so not shown twice.
    """
    days = _candidates(record, boundary) | _candidates(new, boundary)
    stands, ahead = _ends(record, shown, days), _ends(new, ALL, days)
    moved_on = frozenset(day for day in stands if ahead.get(day, boundary) > boundary)
    return replace(shown, never=shown.never | moved_on) if moved_on else shown


def close(old: Appointment, shown: Shown, boundary: datetime) -> Shown | None:
    """Give what a deleted series goes on showing: its past; None where it has none."""
    if old.recurrence is None or not _over(old, shown, boundary):
        return None
    return replace(shown, until=boundary)


def _day(occurrence: Occurrence) -> date:
    original = occurrence.recurrence_id or occurrence.start
    return local(original, occurrence.appointment.zone).date()


def _look(occurrence: Occurrence) -> tuple[object, ...]:
    return (
        occurrence.recurrence_id,
        occurrence.start,
        occurrence.end,
        occurrence.all_day,
        occurrence.details,
    )


def _over(appointment: Appointment, shown: Shown, boundary: datetime) -> dict[date, object]:
    """Give what is shown and ended by the boundary, by local date of its original start."""
    if appointment.recurrence is None:
        single = occurrences(appointment, appointment.start, appointment.end + _TICK)
        return {_day(each): _look(each) for each in single if each.end <= boundary}
    begin = EARLIEST if shown.after is None or shown.also else shown.after
    found = shown_occurrences(appointment, shown, begin, boundary)
    return {_day(each): _look(each) for each in found if each.end <= boundary}


def _candidates(appointment: Appointment, boundary: datetime) -> set[date]:
    """Give the days of the occurrences that a change could carry across the boundary.

    Of the regular ones those near it, as a change leaves the day of the original start; and all
    exceptions, which may be anywhere, or come back from there.
    """
    if appointment.recurrence is None:
        return {local(appointment.start, appointment.zone).date()}
    length = appointment.end - appointment.start
    near = occurrences(appointment, boundary - length - _NEARBY, boundary + length + _NEARBY)
    days = {_day(each) for each in near}
    zone = appointment.zone
    return days | {local(each.original_start, zone).date() for each in appointment.changed}


def _ends(appointment: Appointment, shown: Shown, days: Iterable[date]) -> dict[date, datetime]:
    """Give when the occurrences end whose original start falls on these days, as far as shown."""
    ends: dict[date, datetime] = {}
    for day in days:
        for each in _on(appointment, day):
            if _day(each) == day and (appointment.recurrence is None or shown.holds(each)):
                ends[day] = each.end
    return ends


def _on(appointment: Appointment, day: date) -> list[Occurrence]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    near = occurrences(appointment, noon - _A_DAY_AROUND, noon + _A_DAY_AROUND)
    moved = [
        each
        for changed in appointment.changed
        if local(changed.original_start, appointment.zone).date() == day
        for each in occurrences(appointment, changed.start, max(changed.end, changed.start + _TICK))
    ]
    return [*near, *moved]
