"""What Exchange says to the listener of push notifications, and what it is answered.

Exchange posts SendNotification to the address that the subscription names, at each change and as
often as its StatusFrequency says; the answer is SendNotificationResult with OK or Unsubscribe
(MS-OXWSPSNTIF; the guide to push notifications of Microsoft). Whoever knows the address can post:
nothing here costs more than the limits allow.
"""

from __future__ import annotations

from functools import reduce

from lxml.etree import _Element

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.envelope import ResponseMessage, messages_of, read_envelope
from keepstep.exchange.ews.faults import failure_of_code
from keepstep.exchange.ews.notified import id_of, notification_of, notifications_in
from keepstep.exchange.ews.wire import MESSAGES, T
from keepstep.exchange.notification import Notification

OPERATION = "SendNotification"
CONTENT_TYPE = "text/xml; charset=utf-8"
MOST_BYTES = 1024 * 1024
MOST_MESSAGES = 100
MOST_EVENTS = 10_000

_ANSWER = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b'<SendNotificationResult xmlns="%b"><SubscriptionStatus>%b</SubscriptionStatus>'
    b"</SendNotificationResult></s:Body></s:Envelope>"
)
_OK = _ANSWER % (MESSAGES.encode(), b"OK")
_UNSUBSCRIBE = _ANSWER % (MESSAGES.encode(), b"Unsubscribe")


def answer(ok: bool) -> bytes:
    """Give the answer: go on (OK), or end the subscription (Unsubscribe). For CONTENT_TYPE."""
    return _OK if ok else _UNSUBSCRIBE


def read_notification(body: bytes) -> Notification:
    """Read one call of the listener: all that it tells of its one subscription.

    Raises `ExchangeError` answer-too-large for a body over 1 MB or too many messages or events in
    it, answer-unreadable for whatever is no notification: not XML, a DOCTYPE, elements too deep in
    each other, another operation, more than one subscription.
    """
    if len(body) > MOST_BYTES:
        raise ExchangeError("answer-too-large", f"over {MOST_BYTES} bytes")
    try:
        messages = messages_of(read_envelope(body), OPERATION)
    except ExchangeError as error:
        # What a stranger says went wrong with "the server" or "the sign-in" is no failure of these.
        raise ExchangeError("answer-unreadable", error.detail) from error
    told = [each for message in messages for each in _told_by(message)]
    if len(told) > MOST_MESSAGES or len(messages) > MOST_MESSAGES:
        raise ExchangeError("answer-too-large", f"over {MOST_MESSAGES} messages")
    if not told:
        raise ExchangeError("answer-unreadable", "no notification")
    if sum(len(each.events) for each in told) > MOST_EVENTS:
        raise ExchangeError("answer-too-large", f"over {MOST_EVENTS} events")
    return reduce(_both, told)


def _told_by(message: ResponseMessage) -> list[Notification]:
    if message.failed:
        failure = failure_of_code(message.code)
        return [Notification(_subscription_named(message.element), failure=failure.code)]
    return [notification_of(each) for each in notifications_in(message)]


def _subscription_named(element: _Element) -> str:
    """Find whose failure it is: an error names the subscription as a Value of its MessageXml."""
    for value in element.iter(f"{T}Value"):
        if value.get("Name") == "SubscriptionId":
            return id_of(value)
    return ""


def _both(first: Notification, second: Notification) -> Notification:
    if first.subscription_id != second.subscription_id:
        raise ExchangeError("answer-unreadable", "more than one subscription")
    return Notification(
        first.subscription_id,
        first.events + second.events,
        second.watermark or first.watermark,
        first.previous_watermark or second.previous_watermark,
        first.more_events or second.more_events,
        first.failure or second.failure,
    )
