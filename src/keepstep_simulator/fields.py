"""From loosely given fields to those of an Item: instants in UTC, zones, midnights, tuples."""

from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from keepstep_simulator.items import Attendee, Item, Person, Recurrence
from keepstep_simulator.series import check, dates
from keepstep_simulator.zones import Zone, zone_of

_NAMES = frozenset(each.name for each in dataclass_fields(Item))
_TUPLES = frozenset(("attendees", "categories", "exceptions", "deleted_occurrences"))


class BadFields(ValueError):
    """Fields that make no item."""


def zones_in(given: Mapping[str, Any], default: Zone) -> tuple[Zone, Zone]:
    """Give start's and end's zone from ``time_zone``, ``start_zone`` and ``end_zone``."""
    both = given.get("time_zone")
    start = as_zone(given.get("start_zone") or both or default)
    end = as_zone(given.get("end_zone") or both or given.get("start_zone") or default)
    return start, end


def as_zone(value: str | Zone) -> Zone:
    """Give a zone by its name, or as it is."""
    return zone_of(value) if isinstance(value, str) else value


def as_instant(value: date | datetime, zone: Zone) -> datetime:
    """UTC instant (whole seconds) of a datetime, or of a date's midnight.

    What has no offset is read in the zone.
    """
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    value = value.replace(microsecond=0)
    if value.tzinfo is None:
        return zone.instant(value)
    return value.astimezone(UTC)


def cleaned(given: Mapping[str, Any], start_zone: Zone, end_zone: Zone) -> dict[str, Any]:
    """Give the given fields with exact types; unknown names are refused with BadFields."""
    result: dict[str, Any] = {}
    for name, value in given.items():
        if name == "time_zone":
            continue
        if name not in _NAMES:
            raise BadFields(f"no such field: {name}")
        if name in ("start_zone", "end_zone"):
            continue
        if name in ("start", "end"):
            value = as_instant(value, start_zone if name == "start" else end_zone)
        elif name in _TUPLES:
            value = tuple(value)
        elif name == "organizer" and isinstance(value, str):
            value = Person(value, value)
        result[name] = value
    if "attendees" in result:
        result["attendees"] = tuple(_as_attendee(each) for each in result["attendees"])
    return result


def _as_attendee(value: str | Attendee) -> Attendee:
    return Attendee(value, value) if isinstance(value, str) else value


def at_midnights(item: Item) -> Item:
    """Push both ends of an all-day item out to midnights of their zones, a day apart at least.

    Microsoft's guide to all-day events: a start goes back to the midnight before it, an end on to
    the one after it.
    """
    if not item.all_day:
        return item
    first = item.start_zone.wall(item.start).date()
    end_wall = item.end_zone.wall(item.end)
    last = end_wall.date() + timedelta(days=int(end_wall.time() != time()))
    last = max(last, first + timedelta(days=1))
    return replace(
        item, start=as_instant(first, item.start_zone), end=as_instant(last, item.end_zone)
    )


def at_first_occurrence(item: Item) -> Item:
    """Give a series whose own start and end are those of its first original. Raises BadFields."""
    recurrence = item.recurrence
    if recurrence is None:
        return item
    check(recurrence)
    first = next(dates(recurrence), None)
    if first is None:
        raise BadFields("a series without occurrence")
    zone = item.start_zone
    wall_start, wall_end = zone.wall(item.start), zone.wall(item.end)
    start = datetime.combine(first, wall_start.time())
    return replace(
        item,
        start=zone.instant(start),
        end=zone.instant(start + (wall_end - wall_start)),
    )


def complete(item: Item) -> Item:
    """Give an item with its own rules kept: midnights, first occurrence, end not before start."""
    item = at_first_occurrence(at_midnights(item))
    if item.end < item.start:
        raise BadFields("end before start")
    return item


def recurrence_on(value: Recurrence, start: datetime, zone: Zone) -> Recurrence:
    """Give a recurrence that begins on the local date of ``start``."""
    return replace(value, start=zone.wall(start).date())
