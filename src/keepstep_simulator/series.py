"""The occurrences of a series, by the simulator's own reckoning.

Written apart from the product's expansion, so that the two can disagree. A day of month that a
month lacks is that month's last day (Microsoft's documentation of DayOfMonth).
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

from keepstep_simulator.items import DAY_GROUPS, DAY_NAMES, INDEXES, Item, Occurrence, Recurrence

LAST_YEAR = 4500
"""Exchange's calendar ends in August 4500; a series without end is not followed further."""


class BadRecurrence(ValueError):
    """A pattern that cannot be."""


def check(recurrence: Recurrence) -> None:
    """Refuse a pattern or range that Exchange would refuse. Raises BadRecurrence."""
    if recurrence.interval < 1 or recurrence.interval > 999:
        raise BadRecurrence("interval")
    if recurrence.kind.endswith("yearly") and recurrence.interval != 1:
        raise BadRecurrence("EWS has no interval of years")
    if recurrence.kind == "weekly" and not recurrence.days:
        raise BadRecurrence("weekly without days")
    if recurrence.kind.startswith("relative") and len(recurrence.days) != 1:
        raise BadRecurrence("one day is needed")
    if recurrence.kind.startswith("absolute_") and not 1 <= recurrence.day_of_month <= 31:
        raise BadRecurrence("day of month")
    if recurrence.count is not None and not 1 <= recurrence.count <= 999:
        raise BadRecurrence("number of occurrences")
    if recurrence.end is not None and recurrence.end < recurrence.start:
        raise BadRecurrence("end before start")


def dates(recurrence: Recurrence, since: date | None = None) -> Iterator[date]:
    """Give the local dates of the originals in order, from ``since`` (default: the first) on.

    The range's end and count are kept. Without a count the cost does not grow with what lies
    before ``since``.
    """
    start = max(recurrence.start, since or recurrence.start)
    if recurrence.count is not None:
        counted = islice(_endless(recurrence, recurrence.start), recurrence.count)
        yield from (day for day in counted if day >= start)
        return
    for day in _endless(recurrence, start):
        if recurrence.end is not None and day > recurrence.end:
            return
        yield day


def _endless(recurrence: Recurrence, start: date) -> Iterator[date]:
    if recurrence.kind == "daily":
        found = _daily(recurrence, start)
    elif recurrence.kind == "weekly":
        found = _weekly(recurrence, start)
    else:
        found = _by_month(recurrence, start)
    return (day for day in found if day >= start)


def _daily(recurrence: Recurrence, start: date) -> Iterator[date]:
    step = recurrence.interval
    behind = (start - recurrence.start).days
    day = recurrence.start + timedelta(days=-(-behind // step) * step)
    while day.year <= LAST_YEAR:
        yield day
        day += timedelta(days=step)


def _weekly(recurrence: Recurrence, start: date) -> Iterator[date]:
    wanted = sorted({weekday for name in recurrence.days for weekday in weekdays(name)})
    opening = DAY_NAMES.index(recurrence.first_day_of_week or "Sunday")
    offsets = sorted((weekday - opening) % 7 for weekday in wanted)
    first_week = recurrence.start - timedelta(days=(recurrence.start.weekday() - opening) % 7)
    step = 7 * recurrence.interval
    week = first_week + timedelta(days=(start - first_week).days // step * step)
    while week.year <= LAST_YEAR:
        yield from (week + timedelta(days=offset) for offset in offsets)
        week += timedelta(days=step)


def _by_month(recurrence: Recurrence, start: date) -> Iterator[date]:
    if recurrence.kind.endswith("yearly"):
        step = 12 * recurrence.interval
        first = recurrence.start.year * 12 + recurrence.month - 1
    else:
        step = recurrence.interval
        first = recurrence.start.year * 12 + recurrence.start.month - 1
    wanted = start.year * 12 + start.month - 1
    number = first + max(0, (wanted - first) // step) * step
    while number // 12 <= LAST_YEAR:
        day = _day_in_month(recurrence, number // 12, number % 12 + 1)
        if day >= recurrence.start:
            yield day
        number += step


def _day_in_month(recurrence: Recurrence, year: int, month: int) -> date:
    length = monthrange(year, month)[1]
    if recurrence.kind.startswith("absolute"):
        return date(year, month, min(recurrence.day_of_month, length))
    wanted = weekdays(recurrence.days[0])
    first = date(year, month, 1).weekday()
    found = [day for day in range(1, length + 1) if (first + day - 1) % 7 in wanted]
    place = INDEXES.index(recurrence.index)
    return date(year, month, found[-1] if place == 4 else found[place])


def weekdays(name: str) -> frozenset[int]:
    """Give the weekdays (Monday is 0) that a day's name stands for."""
    if name in DAY_GROUPS:
        return DAY_GROUPS[name]
    return frozenset((DAY_NAMES.index(name),))


def originals(master: Item, since: date | None = None) -> Iterator[tuple[datetime, datetime]]:
    """Start and end (UTC) of each original occurrence, changed and deleted ones included.

    The wall clock of the master's start zone is kept; the length is a length of wall time.
    """
    recurrence = master.recurrence
    if recurrence is None:
        raise BadRecurrence("not a series")
    zone = master.start_zone
    wall_start, wall_end = zone.wall(master.start), zone.wall(master.end)
    length = wall_end - wall_start
    for day in dates(recurrence, since):
        wall = datetime.combine(day, wall_start.time())
        yield zone.instant(wall), zone.instant(wall + length)


def as_occurrence(master: Item, start: datetime, end: datetime) -> Occurrence:
    """Give the occurrence whose original stands at ``start``, with its changes applied."""
    changed = next((each for each in master.exceptions if each.original_start == start), None)
    plain = replace(
        master, recurrence=None, exceptions=(), deleted_occurrences=(), start=start, end=end
    )
    if changed is None:
        return Occurrence(plain, start)
    return Occurrence(replace(plain, **changed.fields), start, is_exception=True)


def occurrences(item: Item, window_start: datetime, window_end: datetime) -> list[Occurrence]:
    """Give what of an item touches the window, in order of start; deleted occurrences are left out.

    An occurrence without length counts if it begins in the window.
    """
    if item.recurrence is None:
        return [Occurrence(item)] if _touches(item, window_start, window_end) else []
    gone = set(item.deleted_occurrences)
    changed = {each.original_start for each in item.exceptions}
    found = [
        as_occurrence(item, each.original_start, each.original_start)
        for each in item.exceptions
        if each.original_start not in gone
    ]
    reach = item.end - item.start + timedelta(days=2)
    since = item.start_zone.wall(window_start - reach).date()
    for start, end in originals(item, since):
        if start >= window_end:
            break
        if start not in gone and start not in changed:
            found.append(as_occurrence(item, start, end))
    kept = [each for each in found if _touches(each.item, window_start, window_end)]
    return sorted(kept, key=lambda each: (each.start, each.original_start))


def _touches(item: Item, window_start: datetime, window_end: datetime) -> bool:
    if item.start >= window_end:
        return False
    return item.end > window_start or item.start == item.end == window_start


def by_index(master: Item, index: int) -> tuple[datetime, datetime] | None:
    """Start and end of the original with that index (from 1), or None beyond the range."""
    if index < 1:
        return None
    return next(islice(originals(master), index - 1, index), None)


def first_occurrence(master: Item) -> Occurrence | None:
    """Give the first occurrence that was not deleted, or None."""
    gone = set(master.deleted_occurrences)
    for start, end in islice(originals(master), len(gone) + 1):
        if start not in gone:
            return as_occurrence(master, start, end)
    return None


def last_occurrence(master: Item) -> Occurrence | None:
    """Give the last occurrence that was not deleted, or None for a series without end."""
    recurrence = master.recurrence
    if recurrence is None or (recurrence.end is None and recurrence.count is None):
        return None
    gone = set(master.deleted_occurrences)
    since = None if recurrence.end is None else _near_the_end(recurrence, len(gone))
    left = [pair for pair in originals(master, since) if pair[0] not in gone]
    return as_occurrence(master, *left[-1]) if left else None


def _near_the_end(recurrence: Recurrence, gone: int) -> date | None:
    years = {"daily": 0, "weekly": 0}.get(recurrence.kind, recurrence.interval)
    days = recurrence.interval * 8 + 7 if years == 0 else years * 366 + 366
    assert recurrence.end is not None
    reach = recurrence.end.toordinal() - days * (gone + 1)
    return date.fromordinal(reach) if reach > recurrence.start.toordinal() else None
