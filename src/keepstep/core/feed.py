"""The changes feed: its events, and the cursors by which readers say how far they are.

A cursor holds where it is in the feed, which database counted so, and when it was given. It is no
secret and is not signed: a made-up one only leads to another place in what its owner may read.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from keepstep.core.decisions import What


class Event(StrEnum):
    """What became of an appointment, as the feed tells it."""

    CREATED = "created"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    REMOVED = "removed"


EVENTS: dict[str, Event] = {
    What.CREATED.value: Event.CREATED,
    What.REVIVED.value: Event.CREATED,
    What.UPDATED.value: Event.CHANGED,
    What.CANCELLED.value: Event.CANCELLED,
    What.REMOVED.value: Event.REMOVED,
}
"""What the feed tells of the history; the rest of it changes no calendar."""

MARGIN = timedelta(hours=12)
_LARGEST = 2**63 - 1
_CURSOR = re.compile(r"1\.([A-Za-z0-9-]{1,40})\.(\d{1,19})\.(\d{1,19})\.(\d{1,12})")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the feed: everything up to this transaction and row was read."""

    xact: int = 0
    row: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """A reader's place. `source` names the database that counted; `given` is when (UTC, hours)."""

    source: str
    position: Position
    given: datetime

    def text(self) -> str:
        """Give it as a reader keeps it."""
        hour = int(self.given.timestamp()) // 3600
        plain = f"1.{self.source}.{self.position.xact}.{self.position.row}.{hour}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    def is_too_old(self, now: datetime, kept: timedelta) -> bool:
        """Say whether entries after it may be gone already, where they are kept for so long."""
        return self.given < now - kept + min(MARGIN, kept / 2)


def read_cursor(text: str) -> Cursor | None:
    """Read what `Cursor.text` gave; None for anything else."""
    try:
        plain = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        found = _CURSOR.fullmatch(plain.decode("ascii"))
    except (binascii.Error, UnicodeError, ValueError):
        return None
    if found is None:
        return None
    xact, row, hour = (int(each) for each in found.groups()[1:])
    if max(xact, row) > _LARGEST or hour > 10_000_000:
        return None
    given = datetime.fromtimestamp(hour * 3600, UTC)
    return Cursor(found[1], Position(xact, row), given)
