"""Time zones as VTIMEZONE tells them: the changes of the offset, as few rules as say them all.

They come from what `core.timezones` reckons by, so a zone that only the wire describes is told as
well as one of the IANA data.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from keepstep.core.appointment import Zone
from keepstep.core.ical.rules import DAYS, Rule
from keepstep.core.timezones import local
from keepstep.core.zone_eras import EraRules

# So many years tell a rule by weekday from all others that agree with it for a while.
YEARS_TO_TELL = 35
_LAST_YEAR = 9990
_SECOND = timedelta(seconds=1)
# Nowhere do clocks change twice within so few days.
_STEP = timedelta(days=5)
_FEWEST = 3
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Observance:
    """From `begins` on (wall time by `offset_from`), and by the rule again, an offset holds."""

    is_daylight: bool
    begins: datetime
    offset_from: timedelta
    offset_to: timedelta
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    moment: datetime  # naive UTC
    before: timedelta
    after: timedelta

    @property
    def wall(self) -> datetime:
        return self.moment + self.before


def zone_id(zone: Zone) -> str:
    """Give the TZID: the IANA name, or a name that no other zone has for one known by its rules."""
    if not zone.eras:
        return zone.name
    digest = sha256(repr(zone.eras).encode()).hexdigest()[:8]
    called = "".join(each for each in zone.wire_name if each.isalnum() or each in " -()")
    return f"{called.strip() or 'Custom'} {digest}"


@lru_cache(maxsize=256)
def observances(zone: Zone, first_year: int, last_year: int) -> tuple[Observance, ...]:
    """Give what tells the offsets of a zone from the first year on, in order of time.

    Rules that hold at the end hold for ever; offsets that follow no rule are told to the last
    year, and some years beyond.
    """
    first = max(first_year - 1, 1)
    last = min(max(last_year + 1, first + YEARS_TO_TELL), _LAST_YEAR)
    changes = list(_changes(zone, first, last))
    found = sorted(_told(changes, last), key=lambda each: each.begins)
    start = datetime(first_year, 1, 1)  # noqa: DTZ001 - wall times are naive
    if not changes or changes[0].moment > start - timedelta(days=1):
        offset = changes[0].before if changes else _offset(zone, start)
        found.insert(0, Observance(False, datetime(first, 1, 1), offset, offset))  # noqa: DTZ001
    return tuple(found)


def _offset(zone: Zone, moment: datetime) -> timedelta:
    return local(moment.replace(tzinfo=UTC), zone) - moment


def _changes(zone: Zone, first: int, last: int) -> Iterator[_Change]:
    moments = _of_eras(zone, first, last) if zone.eras else _looked_for(zone, first, last)
    for moment in moments:
        # iCalendar knows no parts of a second; Windows ends a day a thousandth before its end.
        whole = moment.replace(microsecond=0) + (_SECOND if moment.microsecond else timedelta(0))
        before, after = _offset(zone, moment - _SECOND), _offset(zone, whole)
        if before != after:
            yield _Change(whole, before, after)


def _of_eras(zone: Zone, first: int, last: int) -> Iterator[datetime]:
    rules = EraRules(zone.eras)
    for year in range(first, last + 1):
        yield from rules.changes(year)


def _looked_for(zone: Zone, first: int, last: int) -> Iterator[datetime]:
    at, end = datetime(first, 1, 1), datetime(last + 1, 1, 1)  # noqa: DTZ001
    offset = _offset(zone, at)
    while at < end:
        following = min(at + _STEP, end)
        later = _offset(zone, following)
        if later != offset:
            yield _between(zone, at, following, offset)
        at, offset = following, later


def _between(zone: Zone, before: datetime, after: datetime, offset: timedelta) -> datetime:
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
    return after


def _told(changes: list[_Change], last_year: int) -> Iterator[Observance]:
    """Give rules for what comes again year by year, and each other change by itself."""
    left = changes
    for key in (_weekday_key, _date_key):
        others: list[_Change] = []
        for run in _runs(left, key):
            rule = _rule(run, last_year) if len(run) >= _FEWEST else None
            if rule is None:
                others += run
            else:
                yield _observance(run[0], changes, rule)
        left = sorted(others, key=lambda each: each.moment)
    for each in left:
        yield _observance(each, changes, None)


def _observance(change: _Change, changes: list[_Change], rule: Rule | None) -> Observance:
    lowest = min(
        (
            offset
            for each in changes
            if abs(each.moment - change.moment) < timedelta(days=370)
            for offset in (each.before, each.after)
        ),
    )
    # What is changed to and not back within a year or so is no daylight time.
    back = any(
        timedelta(0) < each.moment - change.moment < timedelta(days=370)
        and each.after == change.before
        for each in changes
    )
    is_daylight = change.after > lowest and change.after > change.before and back
    return Observance(is_daylight, change.wall, change.before, change.after, rule)


def _weekday_key(change: _Change) -> Hashable:
    wall = change.wall
    return wall.month, wall.weekday(), wall.time(), change.before, change.after


def _date_key(change: _Change) -> Hashable:
    wall = change.wall
    return wall.month, wall.day, wall.time(), change.before, change.after


def _runs(
    changes: Iterable[_Change], key: Callable[[_Change], Hashable]
) -> Iterator[list[_Change]]:
    """Give those alike by the key that come year after year."""
    alike: dict[Hashable, list[_Change]] = defaultdict(list)
    for each in changes:
        run = alike[key(each)]
        if run and each.wall.year != run[-1].wall.year + 1:
            yield run
            run = alike[key(each)] = []
        run.append(each)
    yield from alike.values()


def _rule(run: list[_Change], last_year: int) -> Rule | None:
    walls = [each.wall for each in run]
    days = {wall.day for wall in walls}
    rule: Rule = {"FREQ": ["YEARLY"], "BYMONTH": [walls[0].month]}
    if len(days) == 1 and len({wall.weekday() for wall in walls}) > 1:
        rule["BYMONTHDAY"] = [walls[0].day]
    elif position := _position(walls):
        rule["BYDAY"] = [f"{position}{DAYS[walls[0].weekday()]}"]
    elif max(days) - min(days) < _WEEK:
        rule["BYMONTHDAY"] = [*range(min(days), max(days) + 1)]
        rule["BYDAY"] = [DAYS[walls[0].weekday()]]
    else:
        return None
    if walls[-1].year < last_year:
        rule["UNTIL"] = [run[-1].moment.replace(tzinfo=UTC)]
    return rule


def _position(walls: list[datetime]) -> int:
    """Give which of its weekday in the month all of them are: 1 to 4, -1 the last; 0: none."""
    if all(wall.day + _WEEK > calendar.monthrange(wall.year, wall.month)[1] for wall in walls):
        return -1
    positions = {(wall.day - 1) // _WEEK + 1 for wall in walls}
    return positions.pop() if len(positions) == 1 else 0
