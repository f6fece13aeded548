"""What a mailbox of the simulator holds, said in the words of the core, for comparison."""

from __future__ import annotations

from datetime import date
from typing import Any

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Address,
    Attendee,
    Daily,
    Details,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Weekday,
    Weekly,
)
from keepstep_simulator import Item
from keepstep_simulator import Recurrence as SimulatedRecurrence
from keepstep_simulator.text import text_of

_POSITIONS = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_GROUPS = {
    "Day": frozenset(Weekday),
    "Weekday": frozenset(list(Weekday)[:5]),
    "WeekendDay": frozenset(list(Weekday)[5:]),
}


def details_of(item: Item, *, with_join_url: bool) -> Details:
    """Give what an item says of itself."""
    organizer = item.organizer
    body = item.body or ""
    return Details(
        subject=item.subject or "",
        location=item.location or "",
        body=text_of(body) if item.body_type == "HTML" else body,
        organizer=None if organizer is None else Address(organizer.name, organizer.email),
        attendees=tuple(
            Attendee(
                each.name,
                "" if each.routing == "EX" else each.email,
                Role(each.role),
                Response(each.response),
            )
            for role in Role
            for each in item.attendees
            if each.role == role
        ),
        sensitivity=Sensitivity(item.sensitivity),
        show_as=ShowAs(item.show_as),
        cancelled=item.cancelled,
        categories=item.categories,
        join_url=(item.join_url or "") if with_join_url else "",
        response=Response(item.my_response),
    )


def recurrence_of(given: SimulatedRecurrence) -> Recurrence:
    """Give a pattern and its range."""
    return Recurrence(_pattern(given), given.start, given.end, given.count)


def _days(names: tuple[str, ...]) -> frozenset[Weekday]:
    found: frozenset[Weekday] = frozenset()
    for name in names:
        found |= _GROUPS.get(name) or frozenset({Weekday[name.upper()]})
    return found


def _pattern(given: SimulatedRecurrence) -> Pattern:
    position = _POSITIONS[given.index]
    patterns: dict[str, Any] = {
        "daily": lambda: Daily(given.interval),
        "weekly": lambda: Weekly(
            given.interval,
            _days(given.days),
            Weekday[(given.first_day_of_week or "Sunday").upper()],
        ),
        "absolute_monthly": lambda: AbsoluteMonthly(given.interval, given.day_of_month),
        "relative_monthly": lambda: RelativeMonthly(given.interval, _days(given.days), position),
        "absolute_yearly": lambda: AbsoluteYearly(given.month, given.day_of_month),
        "relative_yearly": lambda: RelativeYearly(given.month, _days(given.days), position),
    }
    pattern: Pattern = patterns[given.kind]()
    return pattern


def patterns() -> list[SimulatedRecurrence]:
    """Give one recurrence of each kind, range and odd word that EWS can express."""
    first = date(2027, 3, 1)
    return [
        SimulatedRecurrence("daily", first, interval=3),
        SimulatedRecurrence("daily", first, count=999),
        SimulatedRecurrence(
            "weekly", first, 2, ("Monday", "Friday"), first_day_of_week="Monday", count=7
        ),
        SimulatedRecurrence("weekly", first, 1, ("Sunday",), end=date(2027, 6, 30)),
        SimulatedRecurrence("absolute_monthly", first, 2, day_of_month=31),
        SimulatedRecurrence("relative_monthly", first, 1, ("Weekday",), "Last"),
        SimulatedRecurrence("relative_monthly", first, 3, ("WeekendDay",), "First"),
        SimulatedRecurrence("relative_monthly", first, 1, ("Day",), "Fourth"),
        SimulatedRecurrence("absolute_yearly", first, month=2, day_of_month=29, count=4),
        SimulatedRecurrence("relative_yearly", first, 1, ("Thursday",), "Fourth", month=11),
    ]
