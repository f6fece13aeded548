"""Subscribe and Unsubscribe: having Exchange tell of changes in a calendar, by push or stream.

Streams exist since 2010 SP1, and Microsoft's schema of 2010 (SP2) has them; a server that does not
know them refuses the request by its schema.
"""

from __future__ import annotations

from lxml.etree import _Element

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.envelope import Answer, escaped, messages_of
from keepstep.exchange.ews.notified import id_of
from keepstep.exchange.ews.wire import M
from keepstep.exchange.notification import Subscribed

SUBSCRIBE = "Subscribe"
UNSUBSCRIBE = "Unsubscribe"
MOST_MINUTES = 1440

# All that can happen to an item of a calendar. Free/busy changes come with one of these.
_EVENT_TYPES = b"".join(
    b"<t:EventType>%bEvent</t:EventType>" % name
    for name in (b"Copied", b"Created", b"Deleted", b"Modified", b"Moved")
)
_WHAT = (
    b'<t:FolderIds><t:FolderId Id="%b"/></t:FolderIds>'
    b"<t:EventTypes>" + _EVENT_TYPES + b"</t:EventTypes>"
)
_PUSH = (
    b"<m:Subscribe><m:PushSubscriptionRequest>" + _WHAT + b"%b"
    b"<t:StatusFrequency>%d</t:StatusFrequency><t:URL>%b</t:URL>"
    b"</m:PushSubscriptionRequest></m:Subscribe>"
)
_STREAMING = (
    b"<m:Subscribe><m:StreamingSubscriptionRequest>" + _WHAT + b""
    b"</m:StreamingSubscriptionRequest></m:Subscribe>"
)
_UNSUBSCRIBE = b"<m:Unsubscribe><m:SubscriptionId>%b</m:SubscriptionId></m:Unsubscribe>"


def push_request(folder_id: str, url: str, frequency_minutes: int, watermark: str | None) -> bytes:
    """Ask for calls of `url` at each change and every so many minutes (1-1440)."""
    since = b"<t:Watermark>%b</t:Watermark>" % escaped(watermark) if watermark else b""
    minutes = min(max(frequency_minutes, 1), MOST_MINUTES)
    return _PUSH % (escaped(folder_id), since, minutes, escaped(url))


def streaming_request(folder_id: str) -> bytes:
    """Ask for a subscription that a stream tells of."""
    return _STREAMING % escaped(folder_id)


def unsubscribe_request(subscription_id: str) -> bytes:
    """Ask for the end of a subscription."""
    return _UNSUBSCRIBE % escaped(subscription_id)


def subscribed_of(answer: Answer) -> Subscribed:
    """Read the answer to either; a stream's has no watermark, nor has each server's for push."""
    message = messages_of(answer, SUBSCRIBE, 1)[0]
    message.raise_failure()
    subscription_id = _text(message.element.find(f"{M}SubscriptionId"))
    if not subscription_id:
        raise ExchangeError("answer-unreadable", "Subscribe: no subscription")
    return Subscribed(subscription_id, _text(message.element.find(f"{M}Watermark")))


def ended(answer: Answer) -> None:
    """Read the answer to an unsubscribe request; a subscription that is not there has ended."""
    try:
        messages_of(answer, UNSUBSCRIBE, 1)[0].raise_failure()
    except ExchangeError as failure:
        if failure.code != "subscription-gone":
            raise


def no_notifications(failure: ExchangeError) -> ExchangeError:
    """Give what a failure of subscribing means: a server that does not understand, offers none."""
    if failure.code != "request-refused":
        return failure
    return ExchangeError("notifications-refused", failure.detail, failure.pause)


def _text(element: _Element | None) -> str:
    return "" if element is None else id_of(element)
