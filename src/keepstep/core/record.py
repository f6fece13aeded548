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
    if not standing:
        return Succession(None, _from(new, boundary, _moved_back(old, shown, new, boundary)))
    if new.recurrence is not None and _over(new, shown, boundary) == standing:
        return Succession(None, shown)
    record = replace(shown, until=boundary, never=shown.never | _moved_on(standing, new, boundary))
    if old.recurrence is None:
        record = ALL
    return Succession(record, _from(new, boundary, _moved_back(old, shown, new, boundary)))


def close(old: Appointment, shown: Shown, boundary: datetime) -> Shown | None:
    """Give what a deleted series goes on showing: its past; None where it has none."""
    if old.recurrence is None or not _over(old, shown, boundary):
        return None
    return replace(shown, until=boundary)


def _from(new: Appointment, boundary: datetime, also: frozenset[date]) -> Shown:
    return Shown(after=boundary, also=also) if new.recurrence is not None else ALL


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
        return {}
    begin = EARLIEST if shown.after is None or shown.also else shown.after
    found = shown_occurrences(appointment, shown, begin, boundary)
    return {_day(each): _look(each) for each in found if each.end <= boundary}


def _near(appointment: Appointment, boundary: datetime) -> Iterable[Occurrence]:
    """Give the occurrences that a change could have carried across the boundary."""
    if appointment.recurrence is None:
        return occurrences(appointment, EARLIEST, datetime.max.replace(tzinfo=UTC))
    length = appointment.end - appointment.start
    near = occurrences(appointment, boundary - length - _NEARBY, boundary + length + _NEARBY)
    return [*near, *_exceptions(appointment)]


def _exceptions(appointment: Appointment) -> list[Occurrence]:
    return [
        Occurrence(
            appointment,
            changed.start,
            changed.end,
            changed.details or appointment.details,
            changed.all_day,
            changed.original_start,
        )
        for changed in appointment.changed
    ]


def _moved_on(standing: Iterable[date], new: Appointment, boundary: datetime) -> frozenset[date]:
    """Give the days of past occurrences that the change moves into the future."""
    if new.recurrence is None:
        return frozenset()
    days = set(standing)
    return frozenset(
        _day(each) for each in _near(new, boundary) if each.end > boundary and _day(each) in days
    )


def _moved_back(
    old: Appointment, shown: Shown, new: Appointment, boundary: datetime
) -> frozenset[date]:
    """Give the days of future occurrences that the change moves into the past."""
    if new.recurrence is None:
        return frozenset()
    past = {_day(each) for each in _near(new, boundary) if each.end <= boundary}
    if not past:
        return frozenset()
    ahead = {_day(each) for each in _ahead(old, shown, boundary, past) if each.end > boundary}
    return frozenset(past & ahead)


def _ahead(old: Appointment, shown: Shown, boundary: datetime, days: set[date]) -> list[Occurrence]:
    """Give the old version's occurrences on these local dates, and its exceptions."""
    if old.recurrence is None:
        return [each for each in _near(old, boundary) if each.end > boundary]
    found = {changed.original_start: changed for changed in old.changed}
    result = [each for each in _exceptions(old) if shown.holds(each)]
    for day in days:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        for each in occurrences(old, noon - timedelta(hours=30), noon + timedelta(hours=30)):
            if each.recurrence_id not in found and shown.holds(each):
                result += [each]
    return result
