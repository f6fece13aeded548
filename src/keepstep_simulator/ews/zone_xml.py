"""Time zone definitions on the wire: periods, groups of yearly transitions, and when each holds.

The rules of a named zone are found by asking the tz database for its clock changes year by year;
years with the same rules share a group, as in the Windows registry.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from keepstep_simulator.ews.words import duration
from keepstep_simulator.items import DAY_NAMES
from keepstep_simulator.text import xml
from keepstep_simulator.zones import CustomRules, YearlyRule, Zone

FIRST_YEAR, LAST_YEAR = 2007, 2037
"""The span whose rules are told; the tz database's tables end in 2037."""


@dataclass(frozen=True, slots=True)
class _Change:
    wall: datetime
    before: timedelta
    after: timedelta


@dataclass(frozen=True, slots=True)
class _Rule:
    """One transition within a group; ``day`` is set where no weekday rule fits."""

    month: int
    at: timedelta
    weekday: int
    nth: int
    day: int | None
    after: timedelta


_Group = tuple[_Rule, ...] | timedelta


@lru_cache(maxsize=512)
def definition(zone: Zone, element: str, *, full: bool = True) -> str:
    """Give a ``t:`` element with the zone's definition; with ``full`` false its names only."""
    name = xml(display_name(zone))
    opening = f'<t:{element} Id="{xml(zone.windows_id)}" Name="{name}"'
    if not full:
        return opening + "/>"
    groups = _groups(zone)
    periods = _periods(zone, groups)
    parts = [opening, "><t:Periods>"]
    for (offset, is_daylight), period_id in periods.items():
        label = "Daylight" if is_daylight else "Standard"
        parts.append(f'<t:Period Bias="{duration(-offset)}" Name="{label}" Id="{xml(period_id)}"/>')
    parts.append("</t:Periods><t:TransitionsGroups>")
    for number, (_, group) in enumerate(groups):
        parts.append(f'<t:TransitionsGroup Id="{number}">{_group(group, periods)}')
        parts.append("</t:TransitionsGroup>")
    parts.append("</t:TransitionsGroups><t:Transitions>")
    for number, (year, _) in enumerate(groups):
        target = f'<t:To Kind="Group">{number}</t:To>'
        if number == 0:
            parts.append(f"<t:Transition>{target}</t:Transition>")
        else:
            moment = f"<t:DateTime>{year}-01-01T00:00:00</t:DateTime>"
            parts.append(f"<t:AbsoluteDateTransition>{target}{moment}</t:AbsoluteDateTransition>")
    parts.append(f"</t:Transitions></t:{element}>")
    return "".join(parts)


@lru_cache(maxsize=512)
def display_name(zone: Zone) -> str:
    """Give a name such as Windows shows: ``(UTC+01:00) Europe, Berlin``."""
    if zone.windows_id in ("UTC", "tzone://Microsoft/Utc"):
        return "(UTC) Coordinated Universal Time"
    base = _offset(zone.tz, datetime(2026, 1, 1, tzinfo=UTC))
    minutes = int(base.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    place = (zone.iana or zone.windows_id).replace("_", " ").replace("/", ", ")
    return f"(UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}) {place}"


def _groups(zone: Zone) -> list[tuple[int, _Group]]:
    if isinstance(zone.tz, CustomRules):
        return [(FIRST_YEAR, _custom_group(zone.tz))]
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    changes = {year: _changes_in(zone.tz, year) for year in years}
    groups: list[tuple[int, _Group]] = []
    for year in years:
        group = _group_of(changes, year, zone.tz)
        if not groups or groups[-1][1] != group:
            groups.append((year, group))
    return groups


def _custom_group(rules: CustomRules) -> _Group:
    if rules.daylight is None or rules.to_daylight is None or rules.to_standard is None:
        return rules.standard
    return (
        _from_yearly(rules.to_daylight, rules.daylight),
        _from_yearly(rules.to_standard, rules.standard),
    )


def _from_yearly(rule: YearlyRule, after: timedelta) -> _Rule:
    return _Rule(rule.month, rule.at, rule.weekday, rule.nth, None, after)


def _changes_in(zone: tzinfo, year: int) -> list[_Change]:
    """Give the clock changes of a year, found by probing every week and halving to the minute."""
    found = []
    low = datetime(year, 1, 1, tzinfo=UTC)
    end = datetime(year + 1, 1, 1, tzinfo=UTC)
    while low < end:
        high = min(low + timedelta(days=7), end)
        before, after = _offset(zone, low), _offset(zone, high)
        if before != after:
            moment = _boundary(zone, low, high)
            found.append(_Change((moment + before).replace(tzinfo=None), before, after))
        low = high
    return found


def _offset(zone: tzinfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _boundary(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    before = _offset(zone, low)
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) // 2
        middle = middle.replace(second=0, microsecond=0)
        if middle <= low:
            break
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _group_of(changes: dict[int, list[_Change]], year: int, zone: tzinfo) -> _Group:
    mine = changes[year]
    if not mine:
        return _offset(zone, datetime(year, 1, 1, tzinfo=UTC))
    return tuple(
        _rule(change, _like(changes, change, year, place)) for place, change in enumerate(mine)
    )


def _like(
    changes: dict[int, list[_Change]], change: _Change, year: int, place: int
) -> list[_Change]:
    """Give the same change in the years around, as far as it seems to be the same."""
    around = []
    for other in range(year - 3, year + 4):
        theirs = changes.get(other, [])
        if len(theirs) == len(changes[year]):
            twin = theirs[place]
            same = (twin.wall.month, twin.wall.time(), twin.after) == (
                change.wall.month,
                change.wall.time(),
                change.after,
            )
            if same and twin.wall.weekday() == change.wall.weekday():
                around.append(twin)
    return around


def _rule(change: _Change, around: list[_Change]) -> _Rule:
    wall = change.wall
    at = timedelta(hours=wall.hour, minutes=wall.minute)
    weekday = wall.weekday()
    nth = (wall.day - 1) // 7 + 1
    if len(around) < 3:
        return _Rule(wall.month, at, weekday, nth, wall.day, change.after)
    if all(_is_last(twin.wall.date()) for twin in around):
        return _Rule(wall.month, at, weekday, 5, None, change.after)
    if all((twin.wall.day - 1) // 7 + 1 == nth for twin in around):
        return _Rule(wall.month, at, weekday, nth, None, change.after)
    return _Rule(wall.month, at, weekday, nth, wall.day, change.after)


def _is_last(day: date) -> bool:
    return (day + timedelta(days=7)).month != day.month


def _periods(zone: Zone, groups: list[tuple[int, _Group]]) -> dict[tuple[timedelta, bool], str]:
    periods: dict[tuple[timedelta, bool], str] = {}
    for _, group in groups:
        for key in _keys(group):
            if key not in periods:
                kind = "Daylight" if key[1] else "Standard"
                prefix = f"trule:Microsoft/Registry/{zone.windows_id}"
                periods[key] = f"{prefix}/{len(periods) + 1}-{kind}"
    return periods


def _keys(group: _Group) -> list[tuple[timedelta, bool]]:
    if isinstance(group, timedelta):
        return [(group, False)]
    standard = min(rule.after for rule in group)
    return [(rule.after, rule.after != standard) for rule in group]


def _group(group: _Group, periods: dict[tuple[timedelta, bool], str]) -> str:
    if isinstance(group, timedelta):
        period = xml(periods[group, False])
        return f'<t:Transition><t:To Kind="Period">{period}</t:To></t:Transition>'
    keys = _keys(group)
    parts = []
    for rule, key in zip(group, keys, strict=True):
        target = f'<t:To Kind="Period">{xml(periods[key])}</t:To>'
        time = f"<t:TimeOffset>{duration(rule.at)}</t:TimeOffset><t:Month>{rule.month}</t:Month>"
        if rule.day is not None:
            day = f"<t:Day>{rule.day}</t:Day>"
            parts.append(f"<t:RecurringDateTransition>{target}{time}{day}")
            parts.append("</t:RecurringDateTransition>")
        else:
            nth = -1 if rule.nth == 5 else rule.nth
            day = f"<t:DayOfWeek>{DAY_NAMES[rule.weekday]}</t:DayOfWeek>"
            parts.append(f"<t:RecurringDayTransition>{target}{time}{day}")
            parts.append(f"<t:Occurrence>{nth}</t:Occurrence></t:RecurringDayTransition>")
    return "".join(parts)
