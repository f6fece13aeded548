"""Short ways to write zones and series in tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from keepstep.core.appointment import (
    Appointment,
    Pattern,
    Recurrence,
    Weekday,
    Zone,
    ZoneChange,
    ZoneEra,
)
from keepstep.core.timezones import instant

BERLIN = Zone("Europe/Berlin")
NEW_YORK = Zone("America/New_York")


def utc(text: str) -> datetime:
    """Read an instant, written without its Z."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str) -> datetime:
    """Read a wall time."""
    return datetime.fromisoformat(text)


def series(
    pattern: Pattern,
    first: str,
    *,
    zone: Zone = BERLIN,
    length: timedelta = timedelta(hours=1),
    last: date | None = None,
    count: int | None = None,
    **more: Any,
) -> Appointment:
    """Make a series whose first occurrence begins at the wall time `first` of the zone."""
    begins = wall(first)
    return Appointment(
        "id",
        "key",
        "uid",
        instant(begins, zone),
        instant(begins + length, zone),
        zone=zone,
        recurrence=Recurrence(pattern, begins.date(), last, count),
        **more,
    )


def sunday_rule(month: int, position: int, at: time, hours: float) -> ZoneChange:
    """Say that an offset begins on a Sunday of a month."""
    return ZoneChange(month, position, Weekday.SUNDAY, 0, at, timedelta(hours=hours))


# The rules of New York since 2007 and before, as a server may spell them out.
NEW_YORK_ERAS = (
    ZoneEra(
        None,
        timedelta(hours=-5),
        (sunday_rule(4, 1, time(2), -4), sunday_rule(10, -1, time(2), -5)),
    ),
    ZoneEra(
        wall("2007-01-01"),
        timedelta(hours=-5),
        (sunday_rule(3, 2, time(2), -4), sunday_rule(11, 1, time(2), -5)),
    ),
)
CUSTOM_NEW_YORK = Zone("America/New_York", NEW_YORK_ERAS, "Customized Time Zone")
