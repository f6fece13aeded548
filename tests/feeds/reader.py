"""A reader of feeds that knows nothing of Keepstep: icalendar and recurring-ical-events."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import NamedTuple

import icalendar
import recurring_ical_events
from icalendar import Calendar, Event

from keepstep.core.appointment import Occurrence


class Seen(NamedTuple):
    """When something is, as instants in UTC or dates, and its subject."""

    start: datetime | date
    end: datetime | date
    subject: str


def read(text: bytes, start: datetime, end: datetime) -> list[Seen]:
    """Give what a reader shows between two instants, each once, in order.

    RFC 5545, 3.8.5.3: what comes twice at one instant counts once.
    """
    calendar = parsed(text)
    found = recurring_ical_events.of(calendar).between(start, end)
    return sorted({_seen(each) for each in found}, key=_order)


def components(text: bytes) -> list[Event]:
    """Give the events that the feed is made of."""
    return list(parsed(text).events)


def parsed(text: bytes) -> Calendar:
    """Give the calendar. The library remembers time zones of other calendars by name: not here."""
    icalendar.use_zoneinfo()
    return Calendar.from_ical(text)


def _seen(event: Event) -> Seen:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start
    return Seen(_plain(start), _plain(end), str(event.get("SUMMARY", "")))


def shown(occurrence: Occurrence) -> Seen:
    """Give an occurrence as Keepstep shows it in the same terms."""
    subject = occurrence.details.subject
    if occurrence.first_day and occurrence.last_day:
        return Seen(occurrence.first_day, occurrence.last_day, subject)
    return Seen(_plain(occurrence.start), _plain(occurrence.end), subject)


def in_order(found: list[Seen]) -> list[Seen]:
    """Give them in order of time."""
    return sorted(set(found), key=_order)


def _plain(moment: datetime | date) -> datetime | date:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _order(seen: Seen) -> tuple[datetime, str, str]:
    moment = seen.start
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    return moment, str(seen.end), seen.subject
