"""What a table says of one item, and the same taken from an item that was read.

Times are written as in Zulu time, people as `role response name <address>`. The defaults are what
most samples hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keepstep.core.appointment import Recurrence
from keepstep.exchange.ews.item import ItemOnWire


@dataclass(frozen=True)
class Expected:
    """One CalendarItem; None stands for what the answer does not hold."""

    subject: str | None = None
    start: str | None = None
    end: str | None = None
    zone: str | None = "Europe/Berlin"
    kind: str | None = "Single"
    uid: str | None = None
    all_day: bool | None = False
    location: str | None = None
    body: str | None = ""
    sensitivity: str | None = "normal"
    show_as: str | None = "busy"
    cancelled: bool | None = None
    response: str | None = None
    organizer: str | None = None
    attendees: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    join_url: str | None = None
    recurrence: Recurrence | None = None
    changed: tuple[tuple[str, str, str], ...] = ()
    deleted: tuple[str, ...] = ()


def seen(item: ItemOnWire) -> Expected:
    """Give what was read of an item, as the tables write it."""
    return Expected(
        subject=item.subject,
        start=zulu(item.start),
        end=zulu(item.end),
        zone=_zone(item),
        kind=item.kind,
        uid=item.uid,
        all_day=item.all_day,
        location=item.location,
        body=item.body,
        sensitivity=item.sensitivity,
        show_as=item.show_as,
        cancelled=item.is_cancelled,
        response=item.response,
        organizer=None if item.organizer is None else item.organizer.email,
        attendees=tuple(
            f"{one.role} {one.response} {one.name} <{one.email}>" for one in item.attendees
        ),
        categories=item.categories,
        join_url=item.join_url,
        recurrence=item.recurrence,
        changed=tuple(
            (str(zulu(one.original_start)), str(zulu(one.start)), str(zulu(one.end)))
            for one in item.changed
        ),
        deleted=tuple(str(zulu(one)) for one in item.deleted),
    )


def zulu(moment: datetime | None) -> str | None:
    """Write an instant; one without an offset is written without the Z."""
    if moment is None:
        return None
    assert moment.tzinfo is None or moment.utcoffset() == moment.tzinfo.utcoffset(None)
    text = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return text if moment.tzinfo is None else f"{text}Z"


def _zone(item: ItemOnWire) -> str | None:
    found = item.start_zone or item.meeting_zone
    return None if found is None else found[0].name
