"""The arithmetic of a zone that is given by its eras, as the wire describes custom zones."""

from __future__ import annotations

import calendar
from bisect import bisect_right
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from typing import NamedTuple

from keepstep.core.appointment import ZoneChange, ZoneEra

_TICK = timedelta(microseconds=1)
_FIRST = datetime.combine(date.min, time.min)
_LAST = datetime.combine(date.max, time.max)


class _Change(NamedTuple):
    """A moment (naive UTC) from which another offset holds."""

    moment: datetime
    before: timedelta
    after: timedelta


class EraRules:
    """Offsets by instant and by wall time. Years are worked out when first asked for.

    The eras are taken in order of time; the first holds from the beginning of time on, whatever
    its `begins` says.
    """

    def __init__(self, eras: tuple[ZoneEra, ...]) -> None:
        begins = [era.begins or _FIRST for era in eras]
        order = sorted(range(len(eras)), key=lambda index: (begins[index], index))
        self._eras = [eras[index] for index in order]
        self._begins = [_FIRST, *(begins[index] for index in order[1:])]
        self._years: dict[int, tuple[list[datetime], list[datetime], list[timedelta]]] = {}

    def offset_at(self, moment: datetime) -> timedelta:
        """Give the UTC offset at an instant (naive UTC)."""
        moments, _, offsets = self._around(moment.year)
        return offsets[bisect_right(moments, moment)]

    def offset_of(self, wall: datetime) -> timedelta:
        """Give the UTC offset by which to read a wall time, whatever zone it is marked with.

        In a skipped or doubled hour it is the offset from before the change.
        """
        if wall.tzinfo is not None:
            wall = wall.replace(tzinfo=None)
        _, walls, offsets = self._around(wall.year)
        return offsets[bisect_right(walls, wall)]

    def changes(self, year: int) -> list[datetime]:
        """Give the instants (naive UTC) at which the offset changes in a year."""
        return [change.moment for change in self._changes(year)]

    def _around(self, year: int) -> tuple[list[datetime], list[datetime], list[timedelta]]:
        """Give the changes of a year and its neighbours: instants, wall times, offsets between.

        From its wall time on the new offset reads a wall time: the later of the two that clocks
        show at the change. There is one offset more than there are changes.
        """
        found = self._years.get(year)
        if found is None:
            first = max(year - 1, MINYEAR + 1)
            years = range(first, min(year + 1, MAXYEAR - 1) + 1)
            changes = [change for each in years for change in self._changes(each)]
            start = self._offset_before(_new_year(min(first, MAXYEAR - 1)))
            found = (
                [change.moment for change in changes],
                [change.moment + max(change.before, change.after) for change in changes],
                [start, *(change.after for change in changes)],
            )
            self._years[year] = found
        return found

    def _changes(self, year: int) -> list[_Change]:
        changes = []
        before = self._offset_before(_new_year(year))
        for wall, after in self._events(year):
            if after != before:
                changes.append(_Change(wall - before, before, after))
            before = after
        return changes

    def _events(self, year: int) -> list[tuple[datetime, timedelta]]:
        """Give the wall times of a year from which an offset is set, in order."""
        events = []
        for index, era in enumerate(self._eras):
            begins, ends = self._begins[index], self._ends(index)
            if begins.year == year:
                events.append((begins, _offset_in(era, begins)))
            for change in era.changes:
                wall = _wall(change, year)
                if begins < wall < ends:
                    events.append((wall, change.offset))
        return sorted(events, key=lambda event: event[0])

    def _offset_before(self, wall: datetime) -> timedelta:
        just = wall - _TICK
        index = bisect_right(self._begins, just) - 1
        return _offset_in(self._eras[index], just)

    def _ends(self, index: int) -> datetime:
        return self._begins[index + 1] if index + 1 < len(self._begins) else _LAST


def _offset_in(era: ZoneEra, wall: datetime) -> timedelta:
    """Give the offset that an era's yearly rules have set last, by a wall time."""
    if not era.changes:
        return era.offset
    passed = [change for change in era.changes if _wall(change, wall.year) <= wall]
    return max(passed or era.changes, key=lambda change: _wall(change, wall.year)).offset


def _wall(change: ZoneChange, year: int) -> datetime:
    """Give the wall time at which a yearly change happens in a year."""
    first_weekday, length = calendar.monthrange(year, change.month)
    if change.position == 0:
        day = min(change.day, length)
    else:
        day = 1 + (change.weekday - first_weekday) % 7
        day += 7 * ((length - day) // 7 if change.position < 0 else change.position - 1)
    return datetime.combine(date(year, change.month, min(day, length)), change.at)


def _new_year(year: int) -> datetime:
    return datetime.combine(date(year, 1, 1), time())
