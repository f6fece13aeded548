"""Time zones: Windows names to IANA, and wall time to instant and back.

The rules of a known zone come from the IANA data (`zoneinfo`); those of a zone that only the wire
describes come from its eras (`zone_eras`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from keepstep.core.appointment import Zone, ZoneEra
from keepstep.core.zone_eras import EraRules

UNKNOWN_ZONE = "unknown-time-zone"

_UTC_IDS = frozenset({"tzone://microsoft/utc", "utc", "etc/utc", "etc/gmt", "gmt", "z"})
_WINDOWS: dict[str, str] = {name.casefold(): iana for name, iana in win_tz.items()}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+)*")
# Found in some zone directories, but not names of a zone: what they mean differs by machine.
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
# The present rules of the world, for naming a zone after its rules; the first Windows names with
# these rules are the least surprising, so the most populous ones come first.
_COMMON = (
    "Europe/Berlin", "Europe/London", "Europe/Bucharest", "America/New_York", "America/Chicago",
    "America/Denver", "America/Los_Angeles", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Sydney",
)  # fmt: skip
_SAMPLE_YEARS = range(2022, 2033)


def zone_from_wire(wire_id: str, wire_name: str, eras: tuple[ZoneEra, ...]) -> tuple[Zone, str]:
    """Give the zone that the wire names, and a warning code ("" where there is no doubt).

    `wire_id` is a Windows id (in any case of letters), an IANA name, or one of Microsoft's own
    (`tzone://Microsoft/Utc`); `wire_name` the display name beside it; `eras` the rules sent with
    it. Windows ids map by CLDR's table of territory 001, as the package tzlocal keeps it. An
    unknown or custom zone follows its eras, or UTC where there are none; both with the warning
    `unknown-time-zone`.
    """
    called = wire_id or wire_name
    for key in (wire_id.strip(), wire_name.strip()):
        if name := _known(key):
            return Zone(name, wire_name=called), ""
    if eras:
        return Zone(_nearest(eras), eras, called), UNKNOWN_ZONE
    return Zone("UTC", wire_name=called), UNKNOWN_ZONE


def local(instant: datetime, zone: Zone) -> datetime:
    """Give the wall time (naive) that clocks of the zone show at an aware instant.

    At the two ends of the calendar, where it could not be held, UTC.
    """
    rules = _rules(zone)
    moment = instant.astimezone(UTC)
    try:
        if isinstance(rules, ZoneInfo):
            return moment.astimezone(rules).replace(tzinfo=None, fold=0)
        naive = moment.replace(tzinfo=None)
        return naive + rules.offset_at(naive)
    except OverflowError:
        return moment.replace(tzinfo=None)


def instant(wall: datetime, zone: Zone) -> datetime:
    """Give the instant (aware, UTC) at which clocks of the zone show the naive wall time.

    A wall time that a clock change skips is read with the offset before the change, so 02:30 is
    shown as 03:30; one that the change doubles is the first of the two (daylight time). So does
    Windows, by whose function Outlook converts (TzSpecificLocalTimeToSystemTimeEx: a skipped time
    takes the standard bias, a doubled one the daylight bias), and so says RFC 5545, 3.3.5, for
    the iCalendar form in which Exchange hands meetings on. At the two ends of the calendar, where
    the instant could not be held, the wall time is taken for UTC.
    """
    wall = wall.replace(tzinfo=UTC, fold=0)
    try:
        return wall - wall_offset(zone)(wall)
    except OverflowError:
        return wall


@lru_cache(maxsize=1024)
def wall_offset(zone: Zone) -> Callable[[datetime], timedelta]:
    """Give what tells the UTC offset by which to read a wall time of the zone (see `instant`).

    For those who read many. What it gives takes the wall time marked as UTC or naive, and with
    no fold.
    """
    rules = _rules(zone)
    if isinstance(rules, ZoneInfo):
        # With a time given, the offset is never None.
        return cast("Callable[[datetime], timedelta]", rules.utcoffset)
    return rules.offset_of


@lru_cache(maxsize=1024)
def zone_exists(name: str) -> bool:
    """Say whether it is the name of a zone in the IANA data (spelled exactly)."""
    if len(name) > 64 or name in _NO_ZONES or not _NAME.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=1024)
def _known(key: str) -> str:
    """Give the IANA name of an id or name of the wire; "" if it has none."""
    folded = key.casefold()
    if folded in _UTC_IDS:
        return "UTC"
    name = _WINDOWS.get(folded, key)
    return name if zone_exists(name) else ""


@lru_cache(maxsize=1024)
def _rules(zone: Zone) -> ZoneInfo | EraRules:
    return EraRules(zone.eras) if zone.eras else ZoneInfo(zone.name)


@lru_cache(maxsize=256)
def _nearest(eras: tuple[ZoneEra, ...]) -> str:
    """Give the IANA name whose offsets agree with the eras in the years around now, for display.

    Else the fixed zone of the offset in winter, and UTC where that is not of whole hours.
    """
    rules = EraRules(eras)
    samples = _samples(rules)
    offsets = [rules.offset_at(sample) for sample in samples]
    if len(set(offsets)) == 1:
        return _fixed(offsets[0])
    for name in dict.fromkeys([*_COMMON, *win_tz.values()]):
        if zone_exists(name) and _agrees(name, samples, offsets):
            return name
    return _fixed(min(offsets))


def _samples(rules: EraRules) -> list[datetime]:
    """Give instants (naive UTC) that tell zones apart: each month, and about each change."""
    midnight = time()
    samples = [
        datetime.combine(date(year, month, 1), midnight)
        for year in _SAMPLE_YEARS
        for month in range(1, 13)
    ]
    for year in _SAMPLE_YEARS:
        for change in rules.changes(year):
            samples += [change - timedelta(hours=1), change + timedelta(hours=1)]
    return samples


def _agrees(name: str, samples: list[datetime], offsets: list[timedelta]) -> bool:
    zone = Zone(name)
    return all(
        local(sample.replace(tzinfo=UTC), zone) - sample == offset
        for sample, offset in zip(samples, offsets, strict=True)
    )


def _fixed(offset: timedelta) -> str:
    """Give the IANA name of a fixed offset; its sign is the reverse of the usual, as POSIX has."""
    hours, rest = divmod(offset, timedelta(hours=1))
    name = f"Etc/GMT{-hours:+d}"
    return name if hours and not rest and zone_exists(name) else "UTC"
