"""The guard before a server: what one process knows of it and of the account, from run to run.

It lets mailboxes through or turns them away, by the breaker (`core.breaker`) for the server as a
whole and by the record of the sign-in (`core.lockout`) for the account, and learns from each call.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import TypeVar

from keepstep.core import breaker as rules
from keepstep.core.breaker import AT_EASE, SHARED, Breaker, Closed, Go, Paused, Refuse
from keepstep.core.errors import ExchangeError
from keepstep.core.lockout import PROVEN, SIGN_IN_REFUSED, SignInRecord, held_back
from keepstep.exchange.connector import Connector, Folder, Listing, ReadItem, Target
from keepstep.store import sign_ins
from keepstep.store.writer import Writer

log = logging.getLogger("keepstep.sync")

Result = TypeVar("Result")
Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]

# Until a sign-in was accepted: a wrong one is then tried few times, and one mailbox that does not
# answer does not keep all the others waiting.
UNPROVEN_AT_ONCE = 2
# Exchange gives these only to whom it let in.
_SIGNED_IN = frozenset(
    {
        "folder-missing",
        "impersonation-refused",
        "mailbox-moving",
        "no-such-mailbox",
        "store-unavailable",
        "sync-state-refused",
        "wrong-exchange-version",
    }
)
_SAYS_NOTHING = frozenset({"no-email-address"})


class Refused(ExchangeError):
    """Nothing was sent: the server, or the account, is paused as a whole until `until`."""

    def __init__(self, code: str, until: datetime) -> None:
        spared = f"nothing was sent, it is tried again after {until:%Y-%m-%d %H:%M:%S} UTC"
        super().__init__(code, held_back(until) if code == SIGN_IN_REFUSED else spared)
        self.until = until


class Guard:
    """Stands before one server and account; `account` is a fingerprint of both.

    `jitter` gives numbers in [0, 1). To be used within one event loop.
    """

    def __init__(self, account: str = "", jitter: Callable[[], float] = random.random) -> None:
        self.account = account
        self._jitter = jitter
        self._breaker: Breaker | None = None
        self._paused_at: datetime | None = None
        self._proven = False
        self._record = PROVEN
        self._turns = asyncio.Semaphore(UNPROVEN_AT_ONCE)
        self._probing = asyncio.Lock()

    @property
    def at_ease(self) -> bool:
        """Say whether mailboxes go as they come."""
        return self._state is AT_EASE

    @property
    def is_proven(self) -> bool:
        """Say whether the sign-in was accepted, and not refused since: no turn is needed."""
        return self._proven

    @property
    def _state(self) -> Breaker:
        return self._breaker or AT_EASE

    async def begin(self, writer: Writer, now: datetime) -> None:
        """Take note, before a run, of what other processes and the last one learned."""
        self._record = await writer.call(sign_ins.read, self.account)
        if self._record.refusals:
            self._proven = False
        if self._breaker is None:
            failing, mailboxes = await writer.call(sign_ins.failing_by_code)
            self._breaker, self._paused_at = rules.resumed(failing, mailboxes, now), now
        elif isinstance(self._breaker, Paused) and await self._is_well_elsewhere(writer):
            self._become(rules.answered(self._breaker, "", now))

    async def _is_well_elsewhere(self, writer: Writer) -> bool:
        """Say whether another process, a command by hand for one, was let in meanwhile."""
        assert self._paused_at is not None, "it is noted with the pause"
        return await writer.call(sign_ins.succeeded_since, self._paused_at)

    def require_ease(self, now: datetime) -> None:
        """Raise Refused unless all is well: what can wait does not stand in the mailboxes' way."""
        state = self._state
        if not isinstance(state, Closed):
            until = state.until if isinstance(state, Paused) else state.next_at
            raise Refused(state.code, max(until, now))

    async def enter(self, mailbox: str, clock: Clock, sleep: Sleep) -> None:
        """Wait until the mailbox may be read. Raises Refused while the server is paused."""
        while not self.at_ease:
            state, admission = rules.admit(self._state, mailbox, clock())
            self._become(state)
            if isinstance(admission, Go):
                return
            if isinstance(admission, Refuse):
                raise Refused(admission.code, admission.until)
            await sleep(admission.length.total_seconds())

    def leave(self, mailbox: str) -> None:
        """Note that the mailbox's round is over, however it ended."""
        if not self.at_ease:
            self._become(rules.left(self._state, mailbox))

    def resumes_at(self, code: str) -> datetime | None:
        """Give when mailboxes that failed so are tried again together; None: each by itself."""
        if code == SIGN_IN_REFUSED:
            return self._record.next_probe if self._record.wrong else None
        state = self._state
        return state.until if code in SHARED and isinstance(state, Paused) else None

    @asynccontextmanager
    async def turn(self, writer: Writer, clock: Clock) -> AsyncIterator[None]:
        """Hold a turn to sign in, for one call. Raises Refused while the account is paused."""
        async with AsyncExitStack() as held:
            if not self._proven:
                await held.enter_async_context(self._turns)
                if self._record.wrong and not self._proven:
                    await held.enter_async_context(self._probing)
                    await self._claim_probe(writer, clock())
                if self._proven:
                    await held.aclose()
            yield

    async def _claim_probe(self, writer: Writer, now: datetime) -> None:
        if self._proven or not self._record.wrong:
            return
        until = self._record.held_until(now)
        if until is not None:
            raise Refused(SIGN_IN_REFUSED, until)
        held_back = await writer.call(sign_ins.claim, self.account, now)
        if held_back is not None and held_back.next_probe is not None:
            self._record = held_back
            raise Refused(SIGN_IN_REFUSED, held_back.next_probe)

    async def answered(self, mailbox: str, writer: Writer, now: datetime) -> None:
        """Learn from an answer."""
        self._become(rules.answered(self._state, mailbox, now))
        await self._accepted(writer)

    async def failed(
        self, mailbox: str, error: ExchangeError, writer: Writer, now: datetime
    ) -> None:
        """Learn from a call that failed."""
        if error.code in _SAYS_NOTHING:
            return
        before = self._state
        self._become(
            rules.failed(before, mailbox, error.code, now, pause=error.pause, jitter=self._jitter())
        )
        if isinstance(self._state, Paused) and self._state != before:
            self._paused_at = now
        if error.code == SIGN_IN_REFUSED:
            await self._refused(writer, now)
        elif error.code in _SIGNED_IN:
            await self._accepted(writer)

    async def _accepted(self, writer: Writer) -> None:
        if self._proven:
            return
        self._proven = True
        if self._record.refusals:
            self._note(PROVEN)
            await writer.call(sign_ins.accept, self.account)

    async def _refused(self, writer: Writer, now: datetime) -> None:
        self._proven = False
        self._note(await writer.call(sign_ins.refuse, self.account, now))

    def _note(self, record: SignInRecord) -> None:
        if record.wrong and not self._record.wrong:
            log.warning("sign-in marked as wrong", extra={"code": SIGN_IN_REFUSED})
        elif self._record.wrong and not record.wrong:
            log.info("sign-in accepted again")
        self._record = record

    def _become(self, state: Breaker) -> None:
        before, self._breaker = self._state, state
        if isinstance(state, Paused) and isinstance(before, Closed):
            log.warning("server paused", extra={"code": state.code})
        elif isinstance(before, Paused) and not isinstance(state, Paused):
            log.info("server answers again")


class GuardedConnector:
    """A `Connector` whose every call asks the guard, and tells it how it went."""

    def __init__(self, connector: Connector, guard: Guard, writer: Writer, clock: Clock) -> None:
        self._connector = connector
        self._guard = guard
        self._writer = writer
        self._clock = clock

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._connector.requests

    async def folder(self, target: Target) -> Folder:
        """Give the default calendar folder of the mailbox."""
        return await self.guarded(target, lambda: self._connector.folder(target))

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        """Give at most `batch_size` (1-512) changes since `sync_state` (None: all there is)."""
        return await self.guarded(
            target, lambda: self._connector.changes(target, sync_state, batch_size)
        )

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        """Read items whole, a series with its exceptions; one entry for each id asked for."""
        return await self.guarded(
            target, lambda: self._connector.appointments(target, item_ids, batch_size)
        )

    async def close(self) -> None:
        """Release connections."""
        await self._connector.close()

    async def guarded(self, target: Target, call: Callable[[], Awaitable[Result]]) -> Result:
        """Give what the call for this mailbox gives. Raises Refused, else what the call does."""
        if self._guard.is_proven:
            return await self._heard(target, call)
        async with self._guard.turn(self._writer, self._clock):
            return await self._heard(target, call)

    async def _heard(self, target: Target, call: Callable[[], Awaitable[Result]]) -> Result:
        try:
            result = await call()
        except ExchangeError as error:
            await self._guard.failed(target.address, error, self._writer, self._clock())
            raise
        if not (self._guard.at_ease and self._guard.is_proven):
            await self._guard.answered(target.address, self._writer, self._clock())
        return result
