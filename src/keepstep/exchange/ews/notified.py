"""The Notification element, as pushed and as streamed.

Servers differ in what they leave out: streams have no watermarks, one server measured sends none at
all, and the element itself stands in either namespace. What an event is about is not read: a
notification is believed no further than "look now".
"""

from __future__ import annotations

from lxml.etree import _Element

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.envelope import ResponseMessage
from keepstep.exchange.ews.wire import T, local_name, token_of
from keepstep.exchange.notification import ChangeEvent, Notification

LONGEST_ID = 2048
"""Of a subscription's id or a watermark; those of Exchange have about a hundred characters."""

_EVENTS = {
    f"{T}CreatedEvent": ChangeEvent.CREATED,
    f"{T}ModifiedEvent": ChangeEvent.MODIFIED,
    f"{T}DeletedEvent": ChangeEvent.DELETED,
    f"{T}MovedEvent": ChangeEvent.MOVED,
    f"{T}CopiedEvent": ChangeEvent.COPIED,
}
_STATUS_EVENT = f"{T}StatusEvent"
_SUBSCRIPTION_ID = f"{T}SubscriptionId"
_PREVIOUS_WATERMARK = f"{T}PreviousWatermark"
_MORE_EVENTS = f"{T}MoreEvents"
_WATERMARK = f"{T}Watermark"


def notification_of(element: _Element) -> Notification:
    """Read a Notification element; raises answer-unreadable where it names no subscription."""
    subscription_id = watermark = previous = ""
    more = False
    events: list[ChangeEvent] = []
    for part in element:
        tag = part.tag
        if tag == _SUBSCRIPTION_ID:
            subscription_id = id_of(part)
        elif tag == _PREVIOUS_WATERMARK:
            previous = id_of(part)
        elif tag == _MORE_EVENTS:
            more = token_of(part) in ("true", "1")
        elif tag.endswith("Event"):
            told = part.find(_WATERMARK)
            watermark = watermark if told is None else id_of(told)
            if tag != _STATUS_EVENT:
                events.append(_EVENTS.get(tag, ChangeEvent.OTHER))
    if not subscription_id:
        raise ExchangeError("answer-unreadable", "a notification without a subscription")
    return Notification(subscription_id, tuple(events), watermark, previous, more)


def notifications_in(message: ResponseMessage) -> list[_Element]:
    """Give the Notification elements of a message: its own, or those of its Notifications."""
    found: list[_Element] = []
    for part in message.element:
        name = local_name(part.tag)
        if name == "Notification":
            found.append(part)
        elif name == "Notifications":
            found += [each for each in part if local_name(each.tag) == "Notification"]
    return found


def id_of(element: _Element) -> str:
    """Read a subscription's id or a watermark; raises answer-unreadable for an endless one."""
    text = token_of(element)
    if len(text) > LONGEST_ID:
        raise ExchangeError("answer-unreadable", f"{local_name(element.tag)}: too long")
    return text
