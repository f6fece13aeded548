"""GetStreamingEvents: one answer that lasts up to 30 minutes and tells of changes as they happen.

The answer is a row of envelopes (see `splitter`): at once, at each change, and as a sign of life
when nothing has changed; Microsoft's own client takes 45 seconds for the time between those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.envelope import ResponseMessage, escaped, messages_of, read_envelope
from keepstep.exchange.ews.faults import failure_of_code
from keepstep.exchange.ews.notified import id_of, notification_of, notifications_in
from keepstep.exchange.ews.wire import M, token_of
from keepstep.exchange.notification import Changed, Closed, Connected, Event, Failed, Heartbeat

OPERATION = "GetStreamingEvents"
MOST_MINUTES = 30
MOST_SUBSCRIPTIONS = 200

_REQUEST = (
    b"<m:GetStreamingEvents><m:SubscriptionIds>%b</m:SubscriptionIds>"
    b"<m:ConnectionTimeout>%d</m:ConnectionTimeout></m:GetStreamingEvents>"
)
# Events were lost, the subscription was not: there is something to look at.
_MISSED = "ErrorMissedNotificationEvents"
# What the older of two streams of the same subscriptions ends with.
_TAKEN_OVER = "ErrorNewEventStreamConnectionOpened"
_TOO_MANY = "ErrorExceededConnectionCount"


class Listener:
    """What is heard of these subscriptions, from the first envelope of a stream to its end.

    `subscription_ids` are those that still tell of changes. Raises `ExchangeError` stream-limit
    for none, or more than one stream may have.
    """

    def __init__(self, subscription_ids: Sequence[str]) -> None:
        self.subscription_ids = tuple(dict.fromkeys(subscription_ids))
        self._is_connected = False
        if not 1 <= len(self.subscription_ids) <= MOST_SUBSCRIPTIONS:
            raise ExchangeError("stream-limit", f"not 1 to {MOST_SUBSCRIPTIONS} subscriptions")

    def take(self, envelope: bytes) -> list[Event]:
        """Give the events of the next envelope; nothing is to be heard after Closed."""
        events = events_of(envelope, self.subscription_ids)
        lost = {
            each for event in events if isinstance(event, Failed) for each in event.subscription_ids
        }
        self.subscription_ids = tuple(each for each in self.subscription_ids if each not in lost)
        if not self._is_connected and self.subscription_ids:
            self._is_connected = True
            events.insert(0, Connected())
        if not self.subscription_ids and not isinstance(events[-1], Closed):
            events.append(Closed())
        return events


def streaming_events_request(subscription_ids: Iterable[str], minutes: int) -> bytes:
    """Ask for the events of these subscriptions, for so many minutes (1-30)."""
    ids = b"".join(
        b"<t:SubscriptionId>%b</t:SubscriptionId>" % escaped(each) for each in subscription_ids
    )
    return _REQUEST % (ids, bounded_minutes(minutes))


def bounded_minutes(minutes: int) -> int:
    """Give the minutes that are asked for: at least one, at most 30."""
    return min(max(minutes, 1), MOST_MINUTES)


def events_of(envelope: bytes, subscription_ids: Sequence[str]) -> list[Event]:
    """Read one envelope of a stream of these subscriptions: at least one event.

    Raises `ExchangeError` where it says that the stream as a whole failed, or can't be read.
    """
    try:
        messages = messages_of(read_envelope(envelope), OPERATION)
        found = [event for each in messages for event in _told_by(each, subscription_ids)]
    except ExchangeError as failure:
        raise no_stream(failure) from None
    return found or [Heartbeat()]


def no_stream(failure: ExchangeError) -> ExchangeError:
    """Give what a failure means of a stream: too many connections are too many streams."""
    if failure.detail == _TOO_MANY:
        return ExchangeError("stream-limit", failure.detail, failure.pause)
    return failure


def _told_by(message: ResponseMessage, subscription_ids: Sequence[str]) -> list[Event]:
    named = _error_ids(message)
    concerned = tuple(each for each in subscription_ids if each in named)
    is_closed = _is_closed(message) or message.code == _TAKEN_OVER
    events: list[Event] = []
    if not message.failed:
        events += _changes(message, subscription_ids)
        if concerned:
            events.append(Failed(concerned, "subscription-gone"))
    elif message.code == _MISSED:
        events += [Changed(each) for each in concerned or subscription_ids]
    elif message.code != _TAKEN_OVER:
        failure = failure_of_code(message.code, message.pause)
        if not named and failure.code != "subscription-gone":
            raise failure
        events.append(Failed(concerned or tuple(subscription_ids), failure.code))
    return [*events, Closed()] if is_closed else events


def _changes(message: ResponseMessage, subscription_ids: Sequence[str]) -> list[Event]:
    """Give one event for each subscription of ours that something happened to."""
    known = frozenset(subscription_ids)
    watermarks: dict[str, str] = {}
    for element in notifications_in(message):
        told = notification_of(element)
        if told.events and told.subscription_id in known:
            before = watermarks.get(told.subscription_id, "")
            watermarks[told.subscription_id] = told.watermark or before
    return [Changed(each, watermark) for each, watermark in watermarks.items()]


def _error_ids(message: ResponseMessage) -> frozenset[str]:
    holder = message.element.find(f"{M}ErrorSubscriptionIds")
    return frozenset() if holder is None else frozenset(filter(None, map(id_of, holder)))


def _is_closed(message: ResponseMessage) -> bool:
    status = message.element.find(f"{M}ConnectionStatus")
    return status is not None and token_of(status) == "Closed"
