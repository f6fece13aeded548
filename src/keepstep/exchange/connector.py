"""What a connector promises: the boundary between keeping in step and any wire format.

Words: a *target* is the mailbox to read; a *listing* is one answer to "what changed since this
sync state"; a *listed change* names one item and the few cheap facts about it; an *appointment*
is the item read whole.

A connector only reads; how it hears that there is something to read is in `notification`. Every
method may raise `ExchangeError` with a code of the catalogue, and nothing else. Any implementation
must pass tests/contract/connector.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keepstep.core.page import (
    ChangeKind,
    Gone,
    ItemKind,
    ListedChange,
    Listing,
    NotAnAppointment,
    ReadItem,
    Unreadable,
)

__all__ = [
    "ChangeKind",
    "Connector",
    "Folder",
    "Gone",
    "ItemKind",
    "ListedChange",
    "Listing",
    "NotAnAppointment",
    "ReadItem",
    "Target",
    "Unreadable",
]


@dataclass(frozen=True, slots=True)
class Target:
    """A mailbox to read: its e-mail address, and the IANA zone for items that name none."""

    address: str
    time_zone: str = "UTC"


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

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        """Give at most `batch_size` (1-512) changes since `sync_state` (None: all there is)."""
        ...

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        """Read items whole, a series with its exceptions; one entry for each id asked for.

        `batch_size` bounds how many items one request asks for.
        """
        ...

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        ...

    async def close(self) -> None:
        """Release connections. The connector is not used afterwards."""
        ...
