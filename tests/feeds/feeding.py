"""Feeds of appointments, for tests: from values to the text of iCalendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from keepstep.core.appointment import Appointment
from keepstep.core.ical.events import Window, events_of
from keepstep.core.ical.meetings import Copy
from keepstep.core.record import ALL, Shown
from keepstep.feeds.calendar_text import Feed, calendar_text
from keepstep.feeds.event_text import Texts

TEXTS = Texts("Private appointment", "(no subject)", "Join the meeting")
CHANGED = datetime(2026, 11, 1, 12, tzinfo=UTC)
Row = tuple[Appointment, Shown]


def around(middle: datetime, days: int = 200) -> Window:
    """Give a window of so many days before and after an instant."""
    return Window(middle - timedelta(days=days), middle + timedelta(days=days))


def feed_of(rows: Sequence[Row | Appointment], window: Window) -> bytes:
    """Give the feed of one operator in whose calendar these rows of one UID are."""
    copies = [
        Copy(1, "anna@example.com", *(row if isinstance(row, tuple) else (row, ALL)), CHANGED)
        for row in rows
    ]
    feed = Feed("Anna", TEXTS, window.start.year, window.horizon.year)
    return calendar_text(feed, events_of(copies, window, lambda uid: f"disguised {len(uid)}"))
