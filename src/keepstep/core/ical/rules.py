"""Patterns as recurrence rules of iCalendar (RFC 5545, 3.3.10).

The rules hold for any first date that is one of the pattern's: intervals count from the week,
month or year that it lies in. They have the shapes that Outlook reads (MS-OXCICAL, 2.1.3.2.2).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, datetime

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Pattern,
    RelativeMonthly,
    RelativeYearly,
    Weekday,
    Weekly,
)

Rule = dict[str, list[str | int | date | datetime]]
"""The parts of a rule by name, each with its values: {"FREQ": ["DAILY"], "INTERVAL": [2]}."""

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ANY_YEAR = 2001
_FEBRUARY = 2
_IN_EVERY_MONTH = 28
_LONGEST_MONTH = 31


def rule_of(pattern: Pattern, until: date | datetime | None = None) -> Rule:
    """Give the rule of a pattern, to `until`: the last start (a date for an all-day series)."""
    rule = _parts(pattern)
    if pattern.interval > 1:
        rule["INTERVAL"] = [pattern.interval]
    if until is not None:
        rule["UNTIL"] = [until]
    return rule


def _parts(pattern: Pattern) -> Rule:
    match pattern:
        case Daily():
            return {"FREQ": ["DAILY"]}
        case Weekly(_, weekdays, first):
            return {"FREQ": ["WEEKLY"], "BYDAY": [*_days(weekdays)], "WKST": [DAYS[first]]}
        case AbsoluteMonthly(_, day):
            return {"FREQ": ["MONTHLY"], **_day_of_any_month(day)}
        case RelativeMonthly(_, weekdays, position):
            return {"FREQ": ["MONTHLY"], **_by_position(weekdays, position)}
        case AbsoluteYearly(month, day):
            return {"FREQ": ["YEARLY"], "BYMONTH": [month], **_day_of_one_month(month, day)}
        case RelativeYearly(month, weekdays, position):
            return {"FREQ": ["YEARLY"], "BYMONTH": [month], **_by_position(weekdays, position)}


def _day_of_any_month(day: int) -> Rule:
    """Give the last day for the 31st; a February without the 29th or 30th is told elsewhere."""
    return {"BYMONTHDAY": [day if day < _LONGEST_MONTH else -1]}


def _day_of_one_month(month: int, day: int) -> Rule:
    if month == _FEBRUARY:
        return {"BYMONTHDAY": [day if day <= _IN_EVERY_MONTH else -1]}
    return {"BYMONTHDAY": [min(day, calendar.monthrange(_ANY_YEAR, month)[1])]}


def _by_position(weekdays: frozenset[Weekday], position: int) -> Rule:
    return {"BYDAY": [*_days(weekdays)], "BYSETPOS": [position]}


def _days(weekdays: Iterable[Weekday]) -> list[str]:
    return [DAYS[day] for day in sorted(weekdays)]
