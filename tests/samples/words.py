"""Sets of weekdays for the tables."""

from __future__ import annotations

from keepstep.core.appointment import Weekday


def days(*names: str) -> frozenset[Weekday]:
    """Give weekdays by their English names."""
    return frozenset(Weekday[name.upper()] for name in names)


WORKDAYS = days("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
