"""Recurrences on the wire, both ways."""

import re
from datetime import date, datetime

from lxml import etree

from keepstep_simulator.ews.envelope import T, schema_fault
from keepstep_simulator.ews.words import local_date, offset_of
from keepstep_simulator.items import DAY_NAMES, INDEXES, MONTHS, Item, Recurrence
from keepstep_simulator.text import xml

_ELEMENTS = {
    "daily": "DailyRecurrence",
    "weekly": "WeeklyRecurrence",
    "absolute_monthly": "AbsoluteMonthlyRecurrence",
    "relative_monthly": "RelativeMonthlyRecurrence",
    "absolute_yearly": "AbsoluteYearlyRecurrence",
    "relative_yearly": "RelativeYearlyRecurrence",
}
_KINDS = {wire: kind for kind, wire in _ELEMENTS.items()}
_DAYS = (*DAY_NAMES, "Day", "Weekday", "WeekendDay")
_DATE = re.compile(r"(-?\d{4,}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?$")


def write_recurrence(item: Item) -> str:
    """Give the ``t:Recurrence`` of a series; dates carry the offset of the zone on their day."""
    recurrence = item.recurrence
    if recurrence is None:
        return ""
    element = _ELEMENTS[recurrence.kind]
    inner = _pattern(recurrence)
    return (
        f"<t:Recurrence><t:{element}>{inner}</t:{element}>{_range(item, recurrence)}</t:Recurrence>"
    )


def _pattern(recurrence: Recurrence) -> str:
    kind = recurrence.kind
    parts = []
    if not kind.endswith("yearly"):
        parts.append(f"<t:Interval>{recurrence.interval}</t:Interval>")
    if kind == "weekly" or kind.startswith("relative"):
        parts.append(f"<t:DaysOfWeek>{xml(' '.join(recurrence.days))}</t:DaysOfWeek>")
    if kind == "weekly" and recurrence.first_day_of_week:
        parts.append(f"<t:FirstDayOfWeek>{recurrence.first_day_of_week}</t:FirstDayOfWeek>")
    if kind.startswith("relative"):
        parts.append(f"<t:DayOfWeekIndex>{recurrence.index}</t:DayOfWeekIndex>")
    if kind.startswith("absolute"):
        parts.append(f"<t:DayOfMonth>{recurrence.day_of_month}</t:DayOfMonth>")
    if kind.endswith("yearly"):
        parts.append(f"<t:Month>{MONTHS[recurrence.month - 1]}</t:Month>")
    return "".join(parts)


def _range(item: Item, recurrence: Recurrence) -> str:
    start = f"<t:StartDate>{_dated(item, recurrence.start)}</t:StartDate>"
    if recurrence.count is not None:
        number = f"<t:NumberOfOccurrences>{recurrence.count}</t:NumberOfOccurrences>"
        return f"<t:NumberedRecurrence>{start}{number}</t:NumberedRecurrence>"
    if recurrence.end is not None:
        end = f"<t:EndDate>{_dated(item, recurrence.end)}</t:EndDate>"
        return f"<t:EndDateRecurrence>{start}{end}</t:EndDateRecurrence>"
    return f"<t:NoEndRecurrence>{start}</t:NoEndRecurrence>"


def _dated(item: Item, day: date) -> str:
    midnight = datetime(day.year, day.month, day.day, tzinfo=item.start_zone.tz)
    return local_date(day, offset_of(midnight))


def read_recurrence(element: etree._Element) -> Recurrence:
    """Give a client's ``t:Recurrence``. Raises EwsFault for what the schema does not allow."""
    if len(element) != 2:
        raise schema_fault("Recurrence needs a pattern and a range.")
    pattern, span = element
    kind = _KINDS.get(_name(pattern))
    if kind is None:
        raise schema_fault(f"The element '{_name(pattern)}' is invalid.")
    days = tuple((pattern.findtext(T + "DaysOfWeek") or "").split())
    for day in days:
        _one_of(day, _DAYS)
    first = pattern.findtext(T + "FirstDayOfWeek")
    number = span.findtext(T + "NumberOfOccurrences")
    end = span.findtext(T + "EndDate")
    return Recurrence(
        kind,
        read_date(span.findtext(T + "StartDate")),
        interval=_integer(pattern.findtext(T + "Interval") or "1"),
        days=days,
        index=_one_of(pattern.findtext(T + "DayOfWeekIndex") or "First", INDEXES),
        day_of_month=_integer(pattern.findtext(T + "DayOfMonth") or "1"),
        month=MONTHS.index(_one_of(pattern.findtext(T + "Month") or "January", MONTHS)) + 1,
        first_day_of_week=first,
        end=None if end is None else read_date(end),
        count=None if number is None else _integer(number),
    )


def read_date(text: str | None) -> date:
    """Give an xs:date, whose offset is left aside: the date is the series' own."""
    match = _DATE.match((text or "").strip())
    if match is None:
        raise schema_fault(f"The value '{text}' is invalid according to its datatype 'xs:date'.")
    return date.fromisoformat(match[1])


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise schema_fault(f"The value '{text}' is no integer.") from error


def _one_of(word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise schema_fault(f"The value '{word}' is invalid - The Enumeration constraint failed.")
    return word
