"""A page: what one answer to "what changed since this sync state" says, and the items read.

A *listing* is the answer itself, a *listed change* names one item and the few cheap facts about
it, a *read item* is what came of reading it whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keepstep.core.appointment import Appointment, Sensitivity


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
class Page:
    """A listing with the items that were read for it, by item id."""

    listing: Listing
    items: Mapping[str, ReadItem]
