"""A `Notifier` behind the guard: it asks for nothing while the server or the account is paused."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.notification import (
    Connected,
    Event,
    NotifyingConnector,
    StreamLimits,
    Subscribed,
)
from keepstep.store.writer import Writer
from keepstep.sync.guard import Guard, GuardedConnector, Result

# What is said of a subscription or a stream says nothing of the server or the account.
_OF_NOTIFICATIONS = frozenset(
    {
        "notification-url-refused",
        "notifications-refused",
        "stream-dropped",
        "stream-limit",
        "subscription-gone",
        "subscription-limit",
        "watermark-refused",
    }
)


class GuardedNotifier:
    """Asks the guard before each call, and tells it how it went. Raises as a `Notifier` does.

    Beside that every call may raise `Refused`: nothing was sent.
    """

    def __init__(
        self,
        connector: NotifyingConnector,
        guard: Guard,
        writer: Writer,
        clock: Callable[[], datetime],
    ) -> None:
        self._notifier = connector
        self._guard = guard
        self._guarded = GuardedConnector(connector, guard, writer, clock)
        self._writer = writer
        self._clock = clock

    @property
    def stream_limits(self) -> StreamLimits:
        """What this server allows by default."""
        return self._notifier.stream_limits

    async def subscribe_push(
        self,
        target: Target,
        folder_id: str,
        url: str,
        frequency_minutes: int,
        watermark: str | None = None,
    ) -> Subscribed:
        """Have the server call `url` on changes in the folder, and every so many minutes."""
        return await self._ask(
            target,
            lambda: self._notifier.subscribe_push(
                target, folder_id, url, frequency_minutes, watermark
            ),
        )

    async def subscribe_streaming(
        self, target: Target, folder_id: str, anchor: Target | None = None
    ) -> Subscribed:
        """Subscribe to changes in the folder, to be heard by `stream` with the same anchor."""
        return await self._ask(
            target, lambda: self._notifier.subscribe_streaming(target, folder_id, anchor)
        )

    async def unsubscribe(
        self, target: Target, subscription_id: str, anchor: Target | None = None
    ) -> None:
        """End a subscription; one that the server does not know is no error."""
        await self._ask(target, lambda: self._notifier.unsubscribe(target, subscription_id, anchor))

    async def stream(
        self, anchor: Target, subscription_ids: Sequence[str], minutes: int
    ) -> AsyncGenerator[Event, None]:
        """Hear of changes for so many minutes: Connected, then events as they arrive, then Closed.

        The turn to sign in is held only until the server has taken the stream up.
        """
        self._guard.require_ease(self._clock())
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(self._guard.turn(self._writer, self._clock))
            stream = self._notifier.stream(anchor, subscription_ids, minutes)
            try:
                async with aclosing(stream) as events:
                    async for event in events:
                        if isinstance(event, Connected):
                            await self._guard.answered(anchor.address, self._writer, self._clock())
                            await turn.aclose()
                        yield event
            except ExchangeError as failure:
                await self._learn(anchor, failure)
                raise

    async def _ask(self, target: Target, call: Callable[[], Awaitable[Result]]) -> Result:
        self._guard.require_ease(self._clock())
        return await self._guarded.guarded(target, call)

    async def _learn(self, anchor: Target, failure: ExchangeError) -> None:
        if failure.code not in _OF_NOTIFICATIONS:
            await self._guard.failed(anchor.address, failure, self._writer, self._clock())
