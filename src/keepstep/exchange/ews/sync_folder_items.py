"""SyncFolderItems: what changed in the calendar since a sync state.

The operation knows nothing of calendars: a series is one item, its master, and neither body nor
attendees nor recurrence come with it, whatever is asked.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from lxml.etree import _Element

from keepstep.core.appointment import Sensitivity
from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import ChangeKind, ItemKind, ListedChange, Listing
from keepstep.exchange.ews.envelope import Answer, escaped, messages_of
from keepstep.exchange.ews.item import CALENDAR_ITEM, SENSITIVITIES
from keepstep.exchange.ews.versions import Dialect
from keepstep.exchange.ews.wire import M, Malformed, T, moment_of, text_of, token_of

OPERATION = "SyncFolderItems"
MOST_CHANGES = 512

_REQUEST = (
    b"<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
    b"<t:AdditionalProperties>%b</t:AdditionalProperties></m:ItemShape>"
    b'<m:SyncFolderId><t:DistinguishedFolderId Id="calendar"/></m:SyncFolderId>'
    b"%b<m:MaxChangesReturned>%d</m:MaxChangesReturned></m:SyncFolderItems>"
)
_KINDS = {
    f"{T}Create": ChangeKind.CREATE,
    f"{T}Update": ChangeKind.UPDATE,
    f"{T}Delete": ChangeKind.DELETE,
}
_ITEM_KINDS = {
    "RecurringMaster": ItemKind.SERIES,
    "Single": ItemKind.SINGLE,
    "Occurrence": ItemKind.SINGLE,
    "Exception": ItemKind.SINGLE,
}
_ITEM_ID = f"{T}ItemId"
_UID = f"{T}UID"
_START = f"{T}Start"
_END = f"{T}End"
_KIND = f"{T}CalendarItemType"
_SENSITIVITY = f"{T}Sensitivity"
_LAST_MODIFIED = f"{T}LastModifiedTime"


def sync_request(dialect: Dialect, sync_state: str | None, most: int) -> bytes:
    """Ask for at most `most` (1-512) changes since `sync_state`, None for all there is."""
    state = b"" if sync_state is None else b"<m:SyncState>%b</m:SyncState>" % escaped(sync_state)
    return _REQUEST % (field_uris(dialect.listing), state, _bounded(most))


def _bounded(most: int) -> int:
    return min(max(most, 1), MOST_CHANGES)


@cache
def field_uris(names: tuple[str, ...]) -> bytes:
    """Give the elements that ask for these properties."""
    return b"".join(b'<t:FieldURI FieldURI="%b"/>' % name.encode() for name in names)


def listing_of(answer: Answer, most: int = MOST_CHANGES) -> Listing:
    """Read the answer to a request for at most `most` changes.

    Changes stand in the server's order, read flags are passed over. An error inside is raised: a
    busy server's answer says "last" with an empty sync state, and must never pass for an empty
    listing. A full page is never the last, whatever it says: one server measured says so although
    deletes remain beyond it, and where it was the last the next one is empty.
    """
    message = messages_of(answer, OPERATION, 1)[0]
    message.raise_failure()
    state = last = changes = None
    for part in message.element:
        if part.tag == f"{M}SyncState":
            state = text_of(part)
        elif part.tag == f"{M}IncludesLastItemInRange":
            last = token_of(part)
        elif part.tag == f"{M}Changes":
            changes = part
    if not state or not state.strip():
        raise ExchangeError("listing-doubtful", "no sync state")
    listed = () if changes is None else _listed(changes)
    # Where the server does not say, an empty page is the end.
    is_last = not listed if last is None else last in ("true", "1")
    is_full = changes is not None and len(changes) >= _bounded(most)
    return Listing(state, is_last and not is_full, listed)


def _listed(changes: _Element) -> tuple[ListedChange, ...]:
    listed = []
    for change in changes:
        kind = _KINDS.get(change.tag)
        if kind is not None:
            listed.append(_change(kind, change))
    return tuple(listed)


def _change(kind: ChangeKind, change: _Element) -> ListedChange:
    if kind is ChangeKind.DELETE:
        return ListedChange(kind, _id_of(change.find(_ITEM_ID)))
    if len(change) == 0:
        raise ExchangeError("answer-unreadable", "a change without an item")
    item = change[0]
    parts = {part.tag: part for part in item}
    find = parts.get
    item_id = find(_ITEM_ID)
    return ListedChange(
        kind,
        _id_of(item_id),
        "" if item_id is None else item_id.get("ChangeKey", ""),
        _item_kind(find(_KIND)) if item.tag == CALENDAR_ITEM else ItemKind.OTHER,
        _token(find(_UID)),
        _moment(find(_START)),
        _moment(find(_END)),
        _moment(find(_LAST_MODIFIED)),
        _sensitivity(find(_SENSITIVITY)),
    )


def _id_of(element: _Element | None) -> str:
    item_id = "" if element is None else element.get("Id", "")
    if not item_id:
        raise ExchangeError("answer-unreadable", "a change without an item id")
    return item_id


def _item_kind(element: _Element | None) -> ItemKind:
    return _ITEM_KINDS.get(_token(element), ItemKind.OTHER)


def _token(element: _Element | None) -> str:
    return "" if element is None else token_of(element)


def _moment(element: _Element | None) -> datetime | None:
    """Give an instant, None where there is none to be sure of: reading the item will tell."""
    if element is None:
        return None
    try:
        moment = moment_of(element)
    except Malformed:
        return None
    return moment if moment.tzinfo is not None else None


def _sensitivity(element: _Element | None) -> Sensitivity | None:
    return SENSITIVITIES.get(_token(element).lower())
