"""From the time zone elements of EWS to the eras of the core.

A definition (`StartTimeZone`, since 2010) names periods (a bias each), groups of transitions within
a year, and the transitions between the groups; `MeetingTimeZone` (2007) has one bias and two
changes. A bias is what is to be added to local time to have UTC, so an offset is its negative.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import lru_cache

from lxml.etree import _Element

from keepstep.core.appointment import Weekday, Zone, ZoneChange, ZoneEra
from keepstep.core.timezones import zone_from_wire
from keepstep.exchange.ews.recurrence import MONTHS, POSITIONS, WEEKDAYS, word_of
from keepstep.exchange.ews.wire import (
    Malformed,
    T,
    child,
    date_of,
    duration,
    moment_of,
    number_of,
    token_of,
)

_DAY = timedelta(days=1)
_LARGEST_BIAS = timedelta(hours=24)


ZoneRead = tuple[Zone, str]
"""A zone, and the code of a warning ("" where there is no doubt)."""


def zone_of_definition(element: _Element) -> ZoneRead | None:
    """Give the zone of a StartTimeZone or EndTimeZone; None where it says nothing."""
    return _zone(element, element.get("Id", ""), element.get("Name", ""), eras_of_definition)


def zone_of_meeting_zone(element: _Element) -> ZoneRead | None:
    """Give the zone of a MeetingTimeZone; None where it says nothing."""
    return _zone(element, "", element.get("TimeZoneName", ""), eras_of_meeting_zone)


@lru_cache(maxsize=1024)
def zone_of_name(wire_id: str, wire_name: str = "") -> ZoneRead:
    """Give the zone of an id or a name alone."""
    return zone_from_wire(wire_id, wire_name, ())


def _zone(
    element: _Element,
    wire_id: str,
    wire_name: str,
    eras_of: Callable[[_Element], tuple[ZoneEra, ...]],
) -> ZoneRead | None:
    """Name the zone, reading the rules only where the name does not tell (they are long)."""
    by_name = zone_of_name(wire_id, wire_name)
    if not by_name[1]:
        return by_name
    try:
        eras = eras_of(element)
    except Malformed:
        eras = ()  # as if not given: the warning on the appointment says so
    if not eras:
        return by_name if wire_id or wire_name else None
    return zone_from_wire(wire_id, wire_name, eras)


def eras_of_definition(element: _Element) -> tuple[ZoneEra, ...]:
    """Read a StartTimeZone or EndTimeZone; no eras where it only names a zone."""
    periods = element.find(f"{T}Periods")
    transitions = element.find(f"{T}Transitions")
    if periods is None or transitions is None:
        return ()
    offsets = {period.get("Id", ""): _offset(period) for period in periods}
    groups = {
        group.get("Id", ""): group for group in element.iterfind(f"{T}TransitionsGroups/{T}*")
    }
    eras = [_era(transition, offsets, groups) for transition in transitions]
    return tuple(sorted(eras, key=lambda era: era.begins or datetime.min))  # noqa: DTZ901


def eras_of_meeting_zone(element: _Element) -> tuple[ZoneEra, ...]:
    """Read a MeetingTimeZone, the form of 2007: the same rules for all time."""
    base_element = element.find(f"{T}BaseOffset")
    if base_element is None:
        return ()
    base = duration(token_of(base_element), base_element.tag)
    changes = [
        _meeting_change(part, base)
        for part in (element.find(f"{T}Standard"), element.find(f"{T}Daylight"))
        if part is not None and part.find(f"{T}Offset") is not None
    ]
    if len(changes) != 2 or changes[0].offset == changes[1].offset:
        return (ZoneEra(None, _plausible(-base, base_element.tag)),)
    return (_yearly_era(None, changes),)


def _offset(period: _Element) -> timedelta:
    return _plausible(-duration(period.get("Bias", ""), period.tag), period.tag)


def _plausible(offset: timedelta, tag: str) -> timedelta:
    # tzinfo refuses offsets of a day and more.
    if abs(offset) >= _LARGEST_BIAS:
        raise Malformed(tag, "a bias of a day or more")
    return offset


def _era(
    transition: _Element, offsets: dict[str, timedelta], groups: dict[str, _Element]
) -> ZoneEra:
    begins = None
    moment = transition.find(f"{T}DateTime")
    if moment is not None:
        begins = _local_moment(moment)
    target = child(transition, f"{T}To")
    if target.get("Kind") == "Period":
        return ZoneEra(begins, _target_offset(transition, offsets))
    group = groups.get(token_of(target))
    if group is None:
        raise Malformed(target.tag, "an unknown group")
    changes = [_change(part, offsets) for part in group if part.tag in _YEARLY]
    if changes:
        return _yearly_era(begins, changes)
    return ZoneEra(begins, _target_offset(child(group, f"{T}Transition"), offsets))


def _local_moment(element: _Element) -> datetime:
    """Give the wall clock as written: eras begin at a local instant."""
    moment_of(element)  # refuses what is no date and time
    return datetime.fromisoformat(token_of(element)).replace(tzinfo=None)


def _target_offset(transition: _Element, offsets: dict[str, timedelta]) -> timedelta:
    target = child(transition, f"{T}To")
    try:
        return offsets[token_of(target)]
    except KeyError:
        raise Malformed(target.tag, "an unknown period") from None


def _change(element: _Element, offsets: dict[str, timedelta]) -> ZoneChange:
    offset = _target_offset(element, offsets)
    month = number_of(child(element, f"{T}Month"), 1, 12)
    shift = child(element, f"{T}TimeOffset")
    at = _time_of_day(duration(token_of(shift), shift.tag))
    if element.tag == _BY_DATE:
        day = number_of(child(element, f"{T}Day"), 1, 31)
        return ZoneChange(month, 0, Weekday.MONDAY, day, at, offset)
    weekday = word_of(child(element, f"{T}DayOfWeek"), WEEKDAYS)
    return ZoneChange(month, _occurrence(element), weekday, 0, at, offset)


def _occurrence(element: _Element) -> int:
    """Give the position in the month; the fifth, as Windows counts, is the last."""
    position = number_of(child(element, f"{T}Occurrence"), -5, 5)
    if position == 0 or position < -1:
        raise Malformed(element.tag, "a position that no month has")
    return -1 if position == 5 else position


def _time_of_day(after_midnight: timedelta) -> time:
    # Some zones change at the very end of a day, written PT23H59M59.999S or PT24H.
    last = _DAY - timedelta(microseconds=1)
    clipped = min(max(after_midnight, timedelta(0)), last)
    return (datetime.min + clipped).time()  # noqa: DTZ901


def _yearly_era(begins: datetime | None, changes: list[ZoneChange]) -> ZoneEra:
    """Give the era of yearly changes; its year begins in what the last of them left."""
    ordered = sorted(changes, key=lambda change: (change.month, change.position % 6, change.day))
    return ZoneEra(begins, ordered[-1].offset, tuple(ordered))


def _meeting_change(element: _Element, base: timedelta) -> ZoneChange:
    bias_element = child(element, f"{T}Offset")
    bias = base + duration(token_of(bias_element), bias_element.tag)
    offset = _plausible(-bias, bias_element.tag)
    time_element = child(element, f"{T}Time")
    try:
        at = time.fromisoformat(token_of(time_element)).replace(tzinfo=None)
    except ValueError:
        raise Malformed(time_element.tag, "not a time of day") from None
    rule = element.find(f"{T}RelativeYearlyRecurrence")
    if rule is None:
        day = date_of(child(element, f"{T}AbsoluteDate"))
        return ZoneChange(day.month, 0, Weekday.MONDAY, day.day, at, offset)
    return ZoneChange(
        word_of(child(rule, f"{T}Month"), MONTHS),
        word_of(child(rule, f"{T}DayOfWeekIndex"), POSITIONS),
        word_of(child(rule, f"{T}DaysOfWeek"), WEEKDAYS),
        0,
        at,
        offset,
    )


_BY_DATE = f"{T}RecurringDateTransition"
_YEARLY = {_BY_DATE, f"{T}RecurringDayTransition"}
