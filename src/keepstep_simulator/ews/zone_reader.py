"""Reading a time zone that a client gives: by its id, or by periods and transitions of its own."""

import re
from datetime import timedelta

from lxml import etree

from keepstep_simulator.ews.envelope import EwsError, T
from keepstep_simulator.items import DAY_NAMES
from keepstep_simulator.zones import UnknownZone, YearlyRule, Zone, custom_zone, zone_of

_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$")


def read_zone(element: etree._Element) -> Zone:
    """Give a known zone by its id, else one of the rules given. Raises EwsError (ErrorTimeZone)."""
    name = element.get("Id", "")
    try:
        return zone_of(name)
    except UnknownZone:
        pass
    try:
        return _custom(element, name)
    except (ValueError, TypeError, IndexError, KeyError):
        raise EwsError("ErrorTimeZone", "The time zone is not valid.") from None


def _custom(element: etree._Element, name: str) -> Zone:
    periods = {
        each.get("Id", ""): -read_duration(each.get("Bias", ""))
        for each in element.iterfind(f"{T}Periods/{T}Period")
    }
    group = element.findall(f"{T}TransitionsGroups/{T}TransitionsGroup")[-1]
    rules = [
        (periods[each.findtext(T + "To") or ""], _rule(each))
        for each in group.iterfind(T + "RecurringDayTransition")
    ]
    if len(rules) < 2:
        target = group.findtext(f"{T}Transition/{T}To") or ""
        return custom_zone(periods[target], windows_id=name)
    (standard, to_standard), (daylight, to_daylight) = sorted(rules, key=lambda each: each[0])[:2]
    return custom_zone(standard, daylight, to_daylight, to_standard, windows_id=name)


def _rule(element: etree._Element) -> YearlyRule:
    nth = int(element.findtext(T + "Occurrence") or "")
    return YearlyRule(
        int(element.findtext(T + "Month") or ""),
        DAY_NAMES.index(element.findtext(T + "DayOfWeek") or ""),
        5 if nth < 0 else nth,
        read_duration(element.findtext(T + "TimeOffset") or ""),
    )


def read_duration(text: str) -> timedelta:
    """Give an xs:duration of days, hours, minutes and seconds. Raises ValueError."""
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(text)
    sign, *numbers = match.groups()
    days, hours, minutes, seconds = (int(each or 0) for each in numbers)
    value = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -value if sign else value
