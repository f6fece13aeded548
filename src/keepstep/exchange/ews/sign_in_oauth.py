"""OAuth with client credentials (RFC 6749, 4.4): a token with every request, renewed ahead of time.

The token is fetched in a thread, one renewal at a time, while requests go on with the old one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.sign_in import REFUSED, Send

AHEAD_SECONDS = 300.0
# A token refused when younger than this is not replaced: the next one would be refused as well.
YOUNG_SECONDS = 60.0
AFTER_FAILURE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and for how many seconds from its making it holds."""

    text: str = field(repr=False)
    seconds: float


@dataclass(slots=True)
class _Held:
    token: Token
    since: float

    @property
    def until(self) -> float:
        return self.since + self.token.seconds

    @property
    def renew_at(self) -> float:
        return self.until - min(AHEAD_SECONDS, self.token.seconds / 2)


class OAuthSignIn:
    """Sends requests with a bearer token.

    `acquire` gives a new token; it blocks, and may raise `ExchangeError`. `clock` gives seconds
    that only grow.
    """

    def __init__(
        self, acquire: Callable[[], Token], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._acquire = acquire
        self._clock = clock
        self._held: _Held | None = None
        self._renewal: asyncio.Task[_Held] | None = None
        self._failure: ExchangeError | None = None
        self._failed_at = 0.0

    async def send(self, send: Send) -> RawAnswer:
        """Send with the token; if it is refused and no longer young, once more with a new one."""
        held = await self._present()
        answer = await self._sent(send, held)
        if answer.status == REFUSED:
            if self._held is held and self._clock() - held.since >= YOUNG_SECONDS:
                self._held = None
            if self._held is not held:
                answer = await self._sent(send, await self._present())
        if answer.status == REFUSED:
            raise ExchangeError("token-refused", "by Exchange")
        return answer

    @staticmethod
    async def _sent(send: Send, held: _Held) -> RawAnswer:
        return await send({"Authorization": f"Bearer {held.token.text}"})

    async def _present(self) -> _Held:
        held, now = self._held, self._clock()
        if held is None or now >= held.until:
            if self._failure is not None and now < self._failed_at + AFTER_FAILURE_SECONDS:
                raise self._failure
            return await asyncio.shield(self._renewing())
        if now >= held.renew_at and now >= self._failed_at + AFTER_FAILURE_SECONDS:
            self._renewing()
        return held

    def _renewing(self) -> asyncio.Task[_Held]:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())
            # A failure ahead of time is no matter yet, but one that nobody asks for is reported.
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._renewal

    async def _renew(self) -> _Held:
        since = self._clock()
        try:
            token = await asyncio.to_thread(self._acquire)
        except ExchangeError as error:
            self._failure, self._failed_at = error, self._clock()
            raise
        self._failure = None
        self._held = _Held(token, since)
        return self._held
