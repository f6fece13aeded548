"""Values to plain dictionaries that JSON holds, and back, as the store keeps them.

Keys are short and left out where the value is the default. Instants are whole microseconds since
1970 (UTC), local dates ordinals (`date.toordinal`), lengths seconds. What `pack_*` gives `unpack_*`
takes back, value for value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Address,
    Appointment,
    Attendee,
    ChangedOccurrence,
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
    Zone,
    ZoneChange,
    ZoneEra,
)

Packed = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAIVE_EPOCH = datetime.combine(date(1970, 1, 1), time())


def pack_details(details: Details) -> Packed:
    """Give the details as a dictionary; an empty one stands for the defaults."""
    packed: Packed = {
        "s": details.subject,
        "l": details.location,
        "b": details.body,
        "p": _unless(details.sensitivity, Sensitivity.NORMAL),
        "w": _unless(details.show_as, ShowAs.BUSY),
        "x": details.cancelled,
    }
    return _without_empty(packed) | pack_people(details)


def pack_people(details: Details) -> Packed:
    """Give of the details organizer, attendees, categories, join URL and response, as packed."""
    packed: Packed = {}
    if details.organizer is not None:
        packed["o"] = [details.organizer.name, details.organizer.email]
    if details.attendees:
        packed["a"] = [_pack_attendee(each) for each in details.attendees]
    if details.categories:
        packed["c"] = list(details.categories)
    if details.join_url:
        packed["j"] = details.join_url
    if details.response is not Response.NONE:
        packed["r"] = str(details.response)
    return packed


def unpack_details(packed: Mapping[str, Any]) -> Details:
    """Give the details back."""
    organizer = packed.get("o")
    return Details(
        subject=packed.get("s", ""),
        location=packed.get("l", ""),
        body=packed.get("b", ""),
        organizer=Address(*organizer) if organizer else None,
        attendees=tuple(_unpack_attendee(each) for each in packed.get("a", ())),
        sensitivity=Sensitivity(packed.get("p", Sensitivity.NORMAL)),
        show_as=ShowAs(packed.get("w", ShowAs.BUSY)),
        cancelled=packed.get("x", False),
        categories=tuple(packed.get("c", ())),
        join_url=packed.get("j", ""),
        response=Response(packed.get("r", Response.NONE)),
    )


def pack_zone(zone: Zone) -> Packed:
    """Give the zone as a dictionary."""
    packed = {"n": zone.name, "e": [_pack_era(era) for era in zone.eras], "w": zone.wire_name}
    return _without_empty(packed)


def unpack_zone(packed: Mapping[str, Any]) -> Zone:
    """Give the zone back."""
    eras = tuple(_unpack_era(era) for era in packed.get("e", ()))
    return Zone(packed.get("n", ""), eras, packed.get("w", ""))


def pack_recurrence(recurrence: Recurrence) -> Packed:
    """Give a pattern and its range as a dictionary."""
    packed = {
        "p": _pack_pattern(recurrence.pattern),
        "f": recurrence.first_date.toordinal(),
        "l": recurrence.last_date.toordinal() if recurrence.last_date else None,
        "n": recurrence.count,
    }
    return {key: value for key, value in packed.items() if value is not None}


def unpack_recurrence(packed: Mapping[str, Any]) -> Recurrence:
    """Give a pattern and its range back."""
    last = packed.get("l")
    return Recurrence(
        _unpack_pattern(packed["p"]),
        date.fromordinal(packed["f"]),
        date.fromordinal(last) if last else None,
        packed.get("n"),
    )


def pack_series(appointment: Appointment) -> Packed | None:
    """Give what makes an appointment a series as a dictionary; None for a single one."""
    if appointment.recurrence is None:
        return None
    packed = {
        "r": pack_recurrence(appointment.recurrence),
        "c": [_pack_changed(each) for each in appointment.changed],
        "d": [pack_instant(each) for each in appointment.deleted],
    }
    return _without_empty(packed)


def unpack_series(
    packed: Mapping[str, Any] | None,
) -> tuple[Recurrence | None, tuple[ChangedOccurrence, ...], tuple[datetime, ...]]:
    """Give recurrence, changed occurrences and original starts of deleted ones back."""
    if packed is None:
        return None, (), ()
    return (
        unpack_recurrence(packed["r"]),
        tuple(_unpack_changed(each) for each in packed.get("c", ())),
        tuple(unpack_instant(each) for each in packed.get("d", ())),
    )


def pack_instant(instant: datetime) -> int:
    """Give an aware instant as microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def unpack_instant(packed: int) -> datetime:
    """Give the instant back, in UTC."""
    return _EPOCH + timedelta(microseconds=packed)


def _without_empty(packed: Packed) -> Packed:
    return {key: value for key, value in packed.items() if value}


def _unless(value: str, default: str) -> str:
    return "" if value == default else str(value)


def _pack_attendee(attendee: Attendee) -> list[str]:
    packed = [attendee.name, attendee.email]
    if attendee.role is not Role.REQUIRED or attendee.response is not Response.NONE:
        packed += [str(attendee.role), str(attendee.response)]
    return packed


def _unpack_attendee(packed: list[str]) -> Attendee:
    name, email, *rest = packed
    if not rest:
        return Attendee(name, email)
    return Attendee(name, email, Role(rest[0]), Response(rest[1]))


def _pack_changed(changed: ChangedOccurrence) -> list[Any]:
    details = None if changed.details is None else pack_details(changed.details)
    return [
        pack_instant(changed.original_start),
        pack_instant(changed.start),
        pack_instant(changed.end),
        changed.item_id,
        int(changed.all_day),
        details,
    ]


def _unpack_changed(packed: list[Any]) -> ChangedOccurrence:
    original, start, end, item_id, all_day, details = packed
    return ChangedOccurrence(
        unpack_instant(original),
        unpack_instant(start),
        unpack_instant(end),
        item_id,
        bool(all_day),
        None if details is None else unpack_details(details),
    )


def _pack_weekdays(weekdays: frozenset[Weekday]) -> list[int]:
    return sorted(int(day) for day in weekdays)


def _unpack_weekdays(packed: list[int]) -> frozenset[Weekday]:
    return frozenset(Weekday(day) for day in packed)


def _pack_pattern(pattern: Pattern) -> list[Any]:
    match pattern:
        case Daily(interval):
            return ["d", interval]
        case Weekly(interval, weekdays, first):
            return ["w", interval, _pack_weekdays(weekdays), int(first)]
        case AbsoluteMonthly(interval, day):
            return ["m", interval, day]
        case RelativeMonthly(interval, weekdays, position):
            return ["rm", interval, _pack_weekdays(weekdays), position]
        case AbsoluteYearly(month, day, interval):
            return ["y", interval, month, day]
        case RelativeYearly(month, weekdays, position, interval):
            return ["ry", interval, month, _pack_weekdays(weekdays), position]


def _unpack_pattern(packed: list[Any]) -> Pattern:
    match packed:
        case ["d", interval]:
            return Daily(interval)
        case ["w", interval, weekdays, first]:
            return Weekly(interval, _unpack_weekdays(weekdays), Weekday(first))
        case ["m", interval, day]:
            return AbsoluteMonthly(interval, day)
        case ["rm", interval, weekdays, position]:
            return RelativeMonthly(interval, _unpack_weekdays(weekdays), position)
        case ["y", interval, month, day]:
            return AbsoluteYearly(month, day, interval)
        case ["ry", interval, month, weekdays, position]:
            return RelativeYearly(month, _unpack_weekdays(weekdays), position, interval)
    raise ValueError(f"no pattern: {packed!r}")


def _pack_length(length: timedelta) -> int | float:
    seconds = length.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _pack_era(era: ZoneEra) -> list[Any]:
    begins = None if era.begins is None else (era.begins - _NAIVE_EPOCH) // _MICROSECOND
    changes = [
        [
            change.month,
            change.position,
            int(change.weekday),
            change.day,
            change.at.isoformat(),
            _pack_length(change.offset),
        ]
        for change in era.changes
    ]
    return [begins, _pack_length(era.offset), changes]


def _unpack_era(packed: list[Any]) -> ZoneEra:
    begins, offset, changes = packed
    return ZoneEra(
        None if begins is None else _NAIVE_EPOCH + timedelta(microseconds=begins),
        timedelta(seconds=offset),
        tuple(
            ZoneChange(
                month,
                position,
                Weekday(weekday),
                day,
                time.fromisoformat(at),
                timedelta(seconds=to),
            )
            for month, position, weekday, day, at, to in changes
        ),
    )
