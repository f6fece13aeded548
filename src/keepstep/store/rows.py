"""Between an appointment and its row: columns for what is asked for, JSON for the rest."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from keepstep.core.appointment import Appointment, Details, Sensitivity, ShowAs, Zone
from keepstep.core.decisions import KnownRow, RowState
from keepstep.core.pack import (
    pack_instant,
    pack_people,
    pack_series,
    pack_zone,
    unpack_details,
    unpack_instant,
    unpack_series,
    unpack_zone,
)
from keepstep.core.record import ALL, Shown
from keepstep.core.recurrence import span
from keepstep.store import models

# The columns that come from the appointment, in the order of `columns`.
FILLED = (
    "item_id",
    "change_key",
    "last_modified",
    "uid",
    "start",
    "end",
    "span_start",
    "span_end",
    "all_day",
    "time_zone",
    "subject",
    "location",
    "body",
    "sensitivity",
    "show_as",
    "cancelled",
    "masked",
    "people",
    "series",
    "zone",
    "shown",
    "warnings",
)


def columns(appointment: Appointment, shown: Shown) -> tuple[str | bool | datetime | None, ...]:
    """Give the values of the columns `FILLED`; instants as aware datetimes."""
    details = appointment.details
    first, last = span(appointment)
    return (
        appointment.item_id,
        appointment.change_key,
        appointment.last_modified,
        appointment.uid,
        appointment.start,
        appointment.end,
        first,
        shown.until if shown.until and not shown.also else last,
        appointment.all_day,
        appointment.zone.name,
        details.subject,
        details.location,
        details.body,
        details.sensitivity.value,
        details.show_as.value,
        details.cancelled,
        appointment.masked,
        _dump(pack_people(details)),
        _dump(pack_series(appointment)),
        _dump(_pack_zones(appointment)),
        pack_shown(shown),
        " ".join(appointment.warnings),
    )


def fill(row: models.Appointment, appointment: Appointment, shown: Shown) -> None:
    """Set the columns that come from the appointment and from what of it is shown."""
    for name, value in zip(FILLED, columns(appointment, shown), strict=True):
        setattr(row, name, value)


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
    return appointment, unpack_shown(row.shown)


def known_row(row: models.Appointment) -> KnownRow:
    """Give a row as `reconcile` wants it."""
    appointment, shown = unpack(row)
    return KnownRow(row.pk, RowState(row.state), appointment, shown)


_NOBODY = Details()


# Made once: json.dumps makes one for each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _dump(value: dict[str, Any] | None) -> str:
    return _encode(value) if value else ""


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
    if shown is ALL:
        return ""
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


def unpack_shown(text: str) -> Shown:
    """Give back which occurrences a row shows, from its column."""
    if not text:
        return ALL
    packed = json.loads(text)
    return Shown(
        after=unpack_instant(packed["a"]) if "a" in packed else None,
        until=unpack_instant(packed["u"]) if "u" in packed else None,
        also=frozenset(map(date.fromordinal, packed.get("+", ()))),
        never=frozenset(map(date.fromordinal, packed.get("-", ()))),
    )
