"""Between an appointment and its row: columns for what is asked for, JSON for the rest."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from keepstep.core.appointment import Appointment, Details, Sensitivity, ShowAs, Zone
from keepstep.core.pack import (
    pack_details,
    pack_instant,
    pack_series,
    pack_zone,
    unpack_details,
    unpack_instant,
    unpack_series,
    unpack_zone,
)
from keepstep.core.reconcile import KnownRow, RowState
from keepstep.core.record import ALL, Shown
from keepstep.core.recurrence import span
from keepstep.store import models


def model_row(
    appointment: Appointment, shown: Shown, mailbox_id: int, at: datetime
) -> models.Appointment:
    """Give a live row for the appointment, made and changed at `at` (UTC); not stored yet."""
    row = models.Appointment(
        mailbox_id=mailbox_id,
        state=RowState.LIVE.value,
        state_since=at,
        created_at=at,
        updated_at=at,
    )
    fill(row, appointment, shown)
    return row


def fill(row: models.Appointment, appointment: Appointment, shown: Shown) -> None:
    """Set the columns that come from the appointment and from what of it is shown."""
    details = appointment.details
    first, last = span(appointment)
    row.item_id = appointment.item_id
    row.change_key = appointment.change_key
    row.last_modified = appointment.last_modified
    row.uid = appointment.uid
    row.start, row.end = appointment.start, appointment.end
    row.span_start = first
    row.span_end = shown.until if shown.until and not shown.also else last
    row.all_day = appointment.all_day
    row.time_zone = appointment.zone.name
    row.subject, row.location, row.body = details.subject, details.location, details.body
    row.sensitivity = details.sensitivity.value
    row.show_as = details.show_as.value
    row.cancelled = details.cancelled
    row.masked = appointment.masked
    row.people = _dump(_pack_people(details))
    row.series = _dump(pack_series(appointment))
    row.zone = _dump(_pack_zones(appointment))
    row.shown = pack_shown(shown)
    row.warnings = " ".join(appointment.warnings)


def unpack(row: models.Appointment) -> tuple[Appointment, Shown]:
    """Give the appointment of a row, and which of its occurrences the row shows."""
    people = unpack_details(json.loads(row.people)) if row.people else _NOBODY
    recurrence, changed, deleted = (
        unpack_series(json.loads(row.series)) if row.series else (None, (), ())
    )
    zone, end_zone = _unpack_zones(row)
    appointment = Appointment(
        item_id=row.item_id,
        change_key=row.change_key,
        uid=row.uid,
        start=row.start,
        end=row.end,
        zone=zone,
        end_zone=end_zone,
        all_day=row.all_day,
        details=Details(
            subject=row.subject,
            location=row.location,
            body=row.body,
            organizer=people.organizer,
            attendees=people.attendees,
            sensitivity=Sensitivity(row.sensitivity),
            show_as=ShowAs(row.show_as),
            cancelled=row.cancelled,
            categories=people.categories,
            join_url=people.join_url,
            response=people.response,
        ),
        recurrence=recurrence,
        changed=changed,
        deleted=deleted,
        last_modified=row.last_modified,
        warnings=tuple(row.warnings.split()),
        masked=row.masked,
    )
    return appointment, _unpack_shown(json.loads(row.shown)) if row.shown else ALL


def known_row(row: models.Appointment) -> KnownRow:
    """Give a row as `reconcile` wants it."""
    appointment, shown = unpack(row)
    return KnownRow(row.pk, RowState(row.state), appointment, shown)


_NOBODY = Details()


def _dump(value: dict[str, Any] | None) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""


def _pack_people(details: Details) -> dict[str, Any]:
    """Pack what has no column of its own."""
    return pack_details(
        Details(
            organizer=details.organizer,
            attendees=details.attendees,
            categories=details.categories,
            join_url=details.join_url,
            response=details.response,
        )
    )


def _pack_zones(appointment: Appointment) -> dict[str, Any]:
    """Pack the zones, where there is more to them than an IANA name."""
    zone, end_zone = appointment.zone, appointment.end_zone
    packed: dict[str, Any] = {}
    if zone.eras or zone.wire_name:
        packed["s"] = pack_zone(zone)
    if end_zone is not None:
        packed["e"] = pack_zone(end_zone)
    return packed


def _unpack_zones(row: models.Appointment) -> tuple[Zone, Zone | None]:
    packed = json.loads(row.zone) if row.zone else {}
    zone = unpack_zone(packed["s"]) if "s" in packed else Zone(row.time_zone)
    return zone, unpack_zone(packed["e"]) if "e" in packed else None


def pack_shown(shown: Shown) -> str:
    """Give which occurrences a row shows as its column keeps it."""
    packed: dict[str, Any] = {}
    if shown.after is not None:
        packed["a"] = pack_instant(shown.after)
    if shown.until is not None:
        packed["u"] = pack_instant(shown.until)
    if shown.also:
        packed["+"] = sorted(day.toordinal() for day in shown.also)
    if shown.never:
        packed["-"] = sorted(day.toordinal() for day in shown.never)
    return _dump(packed)


def _unpack_shown(packed: dict[str, Any]) -> Shown:
    return Shown(
        after=unpack_instant(packed["a"]) if "a" in packed else None,
        until=unpack_instant(packed["u"]) if "u" in packed else None,
        also=frozenset(map(date.fromordinal, packed.get("+", ()))),
        never=frozenset(map(date.fromordinal, packed.get("-", ()))),
    )
