"""What a connector tells of changes before they are polled, and how it is asked to.

Words: a *subscription* is the server's promise to tell of changes in one folder; its *watermark*
says up to where it has told; the *anchor* of a group of subscriptions is the mailbox by whose name
the server finds the machine that holds them all.

A notification says no more than "look now": what changed is read by polling, always. It may be
lost, late, doubled, out of order or invented.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from keepstep.exchange.connector import Connector, Target


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription: its id, and its watermark ("" where the server gives none)."""

    id: str
    watermark: str = ""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams one anchor may have open, of how many subscriptions and minutes each."""

    streams: int
    subscriptions: int
    minutes: int


# What comes by a stream


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has taken up the stream: from here on it tells of changes as they happen."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing happened; the stream lives."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Something changed, or was missed, in the folder of a subscription."""

    subscription_id: str
    watermark: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """These subscriptions tell of nothing more; `code` is of the catalogue. Subscribe anew."""

    subscription_ids: tuple[str, ...]
    code: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The server ended the stream as agreed; the subscriptions live on. Always the last event."""


Event = Connected | Heartbeat | Changed | Failed | Closed


# What comes by push


class ChangeEvent(StrEnum):
    """What a pushed notification says has happened; OTHER is what this version does not know."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"
    MOVED = "moved"
    COPIED = "copied"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notification:
    """One call of the listener.

    `events` is empty for a sign of life. `watermark` is the last one told ("": none was told),
    `previous_watermark` the one before the first event. `more_events`: the server holds more than
    it has told. `failure` is a code of the catalogue where the call says that the subscription
    is lost ("": it is not); then `subscription_id` may be "".
    """

    subscription_id: str
    events: tuple[ChangeEvent, ...] = ()
    watermark: str = ""
    previous_watermark: str = ""
    more_events: bool = False
    failure: str = ""

    @property
    def is_heartbeat(self) -> bool:
        """Whether it says no more than that the subscription lives."""
        return not self.events and not self.failure


class Notifier(Protocol):
    """Subscribes to changes of mailboxes, and hears of them. Safe for many at once.

    Every method may raise `ExchangeError` with a code of the catalogue, and nothing else. Codes of
    their own: subscription-limit, subscription-gone, watermark-refused, notification-url-refused,
    notifications-refused, stream-limit, stream-dropped.
    """

    @property
    def stream_limits(self) -> StreamLimits:
        """What this server allows by default."""
        ...

    async def subscribe_push(
        self,
        target: Target,
        folder_id: str,
        url: str,
        frequency_minutes: int,
        watermark: str | None = None,
    ) -> Subscribed:
        """Have the server call `url` on changes in the folder, and every so many minutes (1-1440).

        With the watermark of an earlier subscription it tells of what happened since;
        watermark-refused: it is too old, or none of this server's.
        """
        ...

    async def subscribe_streaming(
        self, target: Target, folder_id: str, anchor: Target | None = None
    ) -> Subscribed:
        """Subscribe to changes in the folder, to be heard by `stream` with the same anchor.

        Subscribe the anchor's own mailbox first (None: the mailbox is its own anchor): what its
        answer says of the machine is what brings the others to the same. A subscription that no
        stream asks for ends after a while.
        """
        ...

    async def unsubscribe(
        self, target: Target, subscription_id: str, anchor: Target | None = None
    ) -> None:
        """End a subscription; one that the server does not know is no error.

        One of push may live on all the same: the listener's refusal ends it for certain.
        """
        ...

    def stream(
        self, anchor: Target, subscription_ids: Sequence[str], minutes: int
    ) -> AsyncGenerator[Event, None]:
        """Hear of changes for so many minutes: Connected, then events as they arrive, then Closed.

        At most as many subscriptions and minutes as `stream_limits` says (more subscriptions:
        stream-limit). An end without Closed raises: stream-dropped where the connection was cut or
        fell silent, stream-limit where the server has too many, else what the server said. One
        connection beside those of the other calls is held until the end; iterate within
        `contextlib.aclosing` so that it ends with the reader.
        """
        ...


class NotifyingConnector(Connector, Notifier, Protocol):
    """A connector that also tells of changes."""
