"""From the values of an item to the appointment: zones resolved, defaults given, doubts noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from keepstep.core.appointment import (
    OCCURRENCE_UNREAD,
    Appointment,
    ChangedOccurrence,
    Details,
    Response,
    Sensitivity,
    ShowAs,
    Zone,
)
from keepstep.core.recurrence import straightened
from keepstep.core.timezones import instant
from keepstep.exchange.ews.item import CALENDAR_ITEM, MASTER, SINGLE_KINDS, ItemOnWire
from keepstep.exchange.ews.wire import Malformed
from keepstep.exchange.ews.zones import ZoneRead, zone_of_name


@dataclass(frozen=True, slots=True)
class OccurrenceRead:
    """A changed occurrence as read from its own id."""

    details: Details
    all_day: bool
    warnings: tuple[str, ...]


def details_of(item: ItemOnWire) -> Details:
    """Give what the item says of itself."""
    return Details(
        subject=item.subject or "",
        location=item.location or "",
        body=item.body or "",
        organizer=item.organizer,
        attendees=item.attendees,
        sensitivity=item.sensitivity or Sensitivity.NORMAL,
        show_as=item.show_as or ShowAs.BUSY,
        cancelled=bool(item.is_cancelled),
        categories=item.categories,
        join_url=item.join_url or "",
        response=item.response or Response.NONE,
    )


def occurrence_of(item: ItemOnWire) -> OccurrenceRead:
    """Give what a changed occurrence, read from its own id, adds to its series."""
    return OccurrenceRead(details_of(item), bool(item.all_day), tuple(item.warnings))


def appointment_of(
    item: ItemOnWire,
    item_id: str,
    time_zone: str,
    occurrences: Mapping[str, OccurrenceRead] | None = None,
) -> Appointment:
    """Make the appointment; `time_zone` (IANA) is for an item that names no zone.

    `occurrences` are the changed occurrences as read, by item id. Raises `Malformed` where start,
    end or, of a series, the recurrence is missing.
    """
    begins, ends = item.first_occurrence or (None, None)
    begins, ends = item.start or begins, item.end or ends
    if begins is None or ends is None:
        raise Malformed(CALENDAR_ITEM, "Start or End is missing")
    if item.is_series and item.recurrence is None:
        raise Malformed(CALENDAR_ITEM, "Recurrence is missing")
    warnings = list(item.warnings)
    zone = _zone(item, time_zone, warnings)
    changed = _changed(item, zone, occurrences or {}, warnings)
    start = _instant(begins, zone, warnings)
    end = _instant(ends, zone, warnings)
    if end < start or any(occurrence.end < occurrence.start for occurrence in changed):
        warnings.append("ends-before-start")
    if not item.uid:
        warnings.append("no-uid")
    if item.kind != MASTER and item.kind not in SINGLE_KINDS:
        warnings.append("unknown-item-type")
    made = Appointment(
        item_id=item_id,
        change_key=item.change_key,
        uid=item.uid or item_id,
        start=start,
        end=end,
        zone=zone,
        end_zone=_end_zone(item, zone, warnings),
        all_day=bool(item.all_day),
        details=details_of(item),
        recurrence=item.recurrence if item.is_series else None,
        changed=changed,
        deleted=tuple(_instant(moment, zone, warnings) for moment in item.deleted),
        last_modified=None if item.last_modified is None else _as_utc(item.last_modified),
        warnings=tuple(dict.fromkeys(warnings)),
    )
    # Some servers tell a series' exceptions by the offset of its start, across a clock change.
    return straightened(made) if made.recurrence is not None else made


def _zone(item: ItemOnWire, time_zone: str, warnings: list[str]) -> Zone:
    """Take the zone from the best that the item has: definition, id, 2007's form, display text."""
    found = _start_zone(item)
    if found is None:
        warnings.append("no-time-zone")
        return Zone(time_zone)
    zone, warning = found
    if not warning:
        return zone
    warnings.append(warning)
    return zone if zone.eras else Zone(time_zone, wire_name=zone.wire_name)


def _start_zone(item: ItemOnWire) -> ZoneRead | None:
    if item.start_zone is not None:
        return item.start_zone
    if item.start_zone_id:
        return zone_of_name(item.start_zone_id)
    if item.meeting_zone is not None:
        return item.meeting_zone
    # A display text in the server's language: only one that is known says anything.
    by_text = zone_of_name("", item.zone_text or "")
    return None if by_text[1] else by_text


def _end_zone(item: ItemOnWire, zone: Zone, warnings: list[str]) -> Zone | None:
    """Give the zone of the end where it is another than that of the start."""
    found = item.end_zone
    if found is None and item.end_zone_id:
        found = zone_of_name(item.end_zone_id)
    if found is None:
        return None
    end_zone, warning = found
    if end_zone == zone or end_zone.wire_name == zone.wire_name:
        return None
    if warning:
        warnings.append(warning)
        return end_zone if end_zone.eras else None
    return None if end_zone.name == zone.name else end_zone


def _changed(
    item: ItemOnWire,
    zone: Zone,
    read: Mapping[str, OccurrenceRead],
    warnings: list[str],
) -> tuple[ChangedOccurrence, ...]:
    changed = []
    for entry in item.changed:
        occurrence = read.get(entry.item_id)
        if occurrence is None:
            warnings.append(OCCURRENCE_UNREAD)
        else:
            warnings.extend(occurrence.warnings)
        changed.append(
            ChangedOccurrence(
                original_start=_instant(entry.original_start, zone, warnings),
                start=_instant(entry.start, zone, warnings),
                end=_instant(entry.end, zone, warnings),
                item_id=entry.item_id,
                all_day=bool(item.all_day) if occurrence is None else occurrence.all_day,
                details=None if occurrence is None else occurrence.details,
            )
        )
    return tuple(changed)


def _instant(moment: datetime, zone: Zone, warnings: list[str]) -> datetime:
    """Give the instant; a time without an offset is one on the wall of the item's zone."""
    if moment.tzinfo is not None:
        return moment
    warnings.append("no-offset")
    try:
        return instant(moment, zone)
    except OverflowError:
        return _as_utc(moment)


def _as_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
