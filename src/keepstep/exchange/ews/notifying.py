"""The side of the connector that hears of changes: subscriptions and streams. A `Notifier`."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import datetime
from functools import partial
from typing import TypeVar

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.ews import streaming, subscriptions
from keepstep.exchange.ews.affinity import Affinity
from keepstep.exchange.ews.asking import Asking, address_of
from keepstep.exchange.ews.envelope import Answer
from keepstep.exchange.ews.envelopes import envelopes
from keepstep.exchange.ews.transport import HeldAnswer, Transport
from keepstep.exchange.ews.versions import ExchangeVersion
from keepstep.exchange.notification import Closed, Event, StreamLimits, Subscribed

SILENT_SECONDS = 120
"""After so long without a whole envelope a stream is given up."""
# How much longer than agreed the server may take to end a stream.
_GRACE_SECONDS = 60
_OK = 200

_Result = TypeVar("_Result")


class Notifying(Asking):
    """Subscribes to changes of mailboxes and hears of them, impersonating their owners."""

    def __init__(
        self,
        transport: Transport,
        version: ExchangeVersion | str,
        *,
        now: Callable[[], datetime],
        offload_above: int | None,
        silent_seconds: float,
    ) -> None:
        super().__init__(transport, version, now=now, offload_above=offload_above)
        self._silent_seconds = silent_seconds
        self._affinity = Affinity()
        self._streams: Counter[str] = Counter()

    @property
    def stream_limits(self) -> StreamLimits:
        """What this server allows by default."""
        return StreamLimits(
            self._dialect.streams, streaming.MOST_SUBSCRIPTIONS, streaming.MOST_MINUTES
        )

    async def subscribe_push(
        self,
        target: Target,
        folder_id: str,
        url: str,
        frequency_minutes: int,
        watermark: str | None = None,
    ) -> Subscribed:
        """Have the server call `url` on changes in the folder, and every so many minutes."""
        operation = subscriptions.push_request(folder_id, url, frequency_minutes, watermark)
        return await self._subscribe(target, target, operation)

    async def subscribe_streaming(
        self, target: Target, folder_id: str, anchor: Target | None = None
    ) -> Subscribed:
        """Subscribe to changes in the folder, to be heard by `stream` with the same anchor."""
        operation = subscriptions.streaming_request(folder_id)
        return await self._subscribe(target, anchor or target, operation)

    async def unsubscribe(
        self, target: Target, subscription_id: str, anchor: Target | None = None
    ) -> None:
        """End a subscription; one that the server does not know is no error."""
        operation = subscriptions.unsubscribe_request(subscription_id)
        await self._ask_group(target, anchor or target, operation, subscriptions.ended)

    async def stream(
        self, anchor: Target, subscription_ids: Sequence[str], minutes: int
    ) -> AsyncGenerator[Event, None]:
        """Hear of changes for so many minutes: Connected, then events as they arrive, then Closed.

        The connection counts against the anchor's mailbox, which is impersonated.
        """
        listener = streaming.Listener(subscription_ids)
        address = address_of(anchor)
        operation = streaming.streaming_events_request(listener.subscription_ids, minutes)
        with self._place(address):
            body = self._enveloped(anchor, operation)
            try:
                async with (
                    self._transport.hold(body, self._affinity.headers(address)) as held,
                    aclosing(self._heard(held, listener, minutes)) as heard,
                ):
                    self._affinity.learn(address, held.answer.headers)
                    async for event in heard:
                        yield event
            except ExchangeError as failure:
                self._affinity.failed(address, failure.code)
                raise streaming.no_stream(failure) from failure
            finally:
                if not listener.subscription_ids:
                    self._affinity.forget(address)

    async def _heard(
        self, held: HeldAnswer, listener: streaming.Listener, minutes: int
    ) -> AsyncGenerator[Event, None]:
        if held.answer.status != _OK:
            self._read(held.answer)
        most_seconds = streaming.bounded_minutes(minutes) * 60 + _GRACE_SECONDS
        async with aclosing(envelopes(held.pieces, self._silent_seconds, most_seconds)) as found:
            async for envelope in found:
                taken = partial(listener.take, envelope)
                for event in await self._understood(len(envelope), taken):
                    yield event
                    if isinstance(event, Closed):
                        return
        yield Closed()

    @contextmanager
    def _place(self, address: str) -> Iterator[None]:
        """Take one of the anchor's places for a stream."""
        anchor = address.lower()
        if self._streams[anchor] >= self._dialect.streams:
            raise ExchangeError("stream-limit", f"{self._dialect.streams} are open for one anchor")
        self._streams[anchor] += 1
        try:
            yield
        finally:
            self._streams[anchor] -= 1
            if not self._streams[anchor]:
                del self._streams[anchor]

    async def _subscribe(self, target: Target, anchor: Target, operation: bytes) -> Subscribed:
        try:
            return await self._ask_group(target, anchor, operation, subscriptions.subscribed_of)
        except ExchangeError as failure:
            raise subscriptions.no_notifications(failure) from failure

    async def _ask_group(
        self, target: Target, anchor: Target, operation: bytes, read: Callable[[Answer], _Result]
    ) -> _Result:
        """Ask the machine that holds the group's subscriptions."""
        address = address_of(anchor)
        try:
            raw = await self._post(target, operation, self._affinity.headers(address))
            result = await self._understood(len(raw.body), lambda: read(self._read(raw)))
        except ExchangeError as failure:
            self._affinity.failed(address, failure.code)
            raise
        self._affinity.learn(address, raw.headers)
        return result
