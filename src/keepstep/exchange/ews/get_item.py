"""GetItem: items read whole, many in one request.

The answer has one message for each id, in the order of the ids. What is wrong with one item is
that item's alone; a code that speaks of the mailbox or the server spoils the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Gone, NotAnAppointment, Unreadable
from keepstep.exchange.ews.envelope import Answer, ResponseMessage, escaped, messages_of
from keepstep.exchange.ews.faults import GONE, failure_of_code, spoils_batch
from keepstep.exchange.ews.item import CALENDAR_ITEM, ItemOnWire, read_item
from keepstep.exchange.ews.sync_folder_items import field_uris
from keepstep.exchange.ews.wire import M, Malformed

OPERATION = "GetItem"

_REQUEST = (
    b"<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:BodyType>%b</t:BodyType>"
    b"<t:AdditionalProperties>%b</t:AdditionalProperties></m:ItemShape>"
    b"<m:ItemIds>%b</m:ItemIds></m:GetItem>"
)

WireItem = ItemOnWire | Gone | Unreadable | NotAnAppointment


class BodyForm(StrEnum):
    """In what form a body is asked for; BEST is the one that the item is stored in."""

    TEXT = "Text"
    HTML = "HTML"
    BEST = "Best"


BODY_ONLY = ("item:Body",)


def items_request(item_ids: Sequence[str], properties: tuple[str, ...], body: BodyForm) -> bytes:
    """Ask for these items with these properties."""
    ids = b"".join(b'<t:ItemId Id="%b"/>' % escaped(item_id) for item_id in item_ids)
    return _REQUEST % (body.value.encode(), field_uris(properties), ids)


def items_of(answer: Answer, item_ids: Sequence[str]) -> dict[str, WireItem]:
    """Read the answer to a request for these (different) ids; one entry for each.

    Raises `ExchangeError` where the failure is not one item's own.
    """
    wanted = frozenset(item_ids)
    found: dict[str, WireItem] = {}
    messages = messages_of(answer, OPERATION, len(item_ids))
    for asked, message in zip(item_ids, messages, strict=True):
        item = _item_of(message)
        # An item says itself which one it is, should a server answer in another order.
        own_id = item.item_id if isinstance(item, ItemOnWire) else ""
        found[own_id if own_id in wanted else asked] = item
    if len(found) != len(wanted):
        raise ExchangeError("answer-unreadable", "GetItem: the same item twice")
    return found


def _item_of(message: ResponseMessage) -> WireItem:
    if message.failed:
        if message.code in GONE:
            return Gone()
        if spoils_batch(message.code):
            raise failure_of_code(message.code, message.pause)
        return Unreadable("item-unreadable", message.code or "an error without a code")
    items = message.element.find(f"{M}Items")
    if items is None or len(items) == 0:
        return Unreadable("item-unreadable", "GetItem: no item")
    if items[0].tag != CALENDAR_ITEM:
        return NotAnAppointment()
    try:
        return read_item(items[0])
    except Malformed as fault:
        return Unreadable("item-unreadable", str(fault))
