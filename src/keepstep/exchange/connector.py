"""What a connector promises: the boundary between keeping in step and any wire format.

Words: a *target* is the mailbox to read; a *listing* is one answer to "what changed since this
sync state"; a *listed change* names one item and the few cheap facts about it; an *appointment*
is the item read whole.

A connector only reads. Every method may raise `ExchangeError` with a code of the catalogue, and
nothing else. Any implementation must pass tests/contract/connector.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from keepstep.core.appointment import Appointment, Sensitivity


@dataclass(frozen=True, slots=True)
class Target:
    """A mailbox to read: its e-mail address, and the IANA zone for items that name none."""

    address: str
    time_zone: str = "UTC"


class ChangeKind(StrEnum):
    """What a listing says happened to an item."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class ItemKind(StrEnum):
    """What a listed item is, as far as the listing tells."""

    SINGLE = "single"
    SERIES = "series"
    OTHER = "other"  # no calendar item, or of an unknown kind: only reading it tells


@dataclass(frozen=True, slots=True)
class ListedChange:
    """One change of a listing. Fields that the server did not give are empty or None.

    `start` and `end` (UTC) are those of a single appointment, or of a series' first occurrence.
    """

    kind: ChangeKind
    item_id: str
    change_key: str = ""
    item_kind: ItemKind = ItemKind.OTHER
    uid: str = ""
    start: datetime | None = None
    end: datetime | None = None
    last_modified: datetime | None = None
    sensitivity: Sensitivity | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer: the changes in the server's order, the new sync state, whether it was the last.

    `sync_state` is never empty: an answer without one is an error.
    """

    sync_state: str
    last: bool
    changes: tuple[ListedChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """The item no longer exists (or moved away) when it was to be read."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The item exists but can't be understood: a code of the catalogue, and what is wrong.

    `detail` names elements and kinds of value, never an appointment's text.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class NotAnAppointment:
    """The item is of another kind (a meeting request left in the calendar folder, say)."""


ReadItem = Appointment | Gone | Unreadable | NotAnAppointment


@dataclass(frozen=True, slots=True)
class Folder:
    """The calendar folder of a mailbox: its id, and the name its owner sees."""

    id: str
    name: str


class Connector(Protocol):
    """Reads mailboxes of one Exchange server with one account. Safe for many mailboxes at once."""

    async def folder(self, target: Target) -> Folder:
        """Give the default calendar folder of the mailbox."""
        ...

    async def changes(
        self, target: Target, sync_state: str | None, batch_size: int
    ) -> Listing:
        """Give at most `batch_size` (1-512) changes since `sync_state` (None: all there is)."""
        ...

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        """Read items whole, a series with its exceptions; one entry for each id asked for.

        `batch_size` bounds how many items one request asks for.
        """
        ...

    async def close(self) -> None:
        """Release connections. The connector is not used afterwards."""
        ...
