"""A process among others: it shows itself, takes orders and turns, and leads where nobody does.

The leader alone looks when jobs are due, hands out their shards, keeps the subscriptions and does
the housekeeping; whichever process it is, another takes its place within seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import psycopg
from django.db import connection

from keepstep.core.shares import Shares, fair_share
from keepstep.sync.fleet.order import Lane, NotYet, Order
from keepstep.sync.fleet.session import TOLD, Member, Session, SessionLost, connect, session
from keepstep.sync.fleet.turns import Turn

if TYPE_CHECKING:
    from keepstep.sync.fleet.queue import Queue

log = logging.getLogger("keepstep.fleet")

AGAIN_SECONDS = 2.0
# What a process that is told to stop has in hand it may finish for so long; then it hands it back.
FINISH_SECONDS = 5.0
LEAD_SECONDS = 2.0
# What waits to be told beyond that is forgotten: what it would have told of is polled in time.
MOST_TOLD = 10_000

WorkOff = Callable[[Order, Turn], Awaitable[None]]


def fleet_of(kind: str) -> Fleet | None:
    """Give this process's part in the fleet, None where the database is for one process alone."""
    return Fleet(kind) if connection.vendor == "postgresql" else None


class Fleet:
    """The part of this process in the fleet. `kind` is serve or worker."""

    def __init__(self, kind: str) -> None:
        self._member = Member.new(kind)
        self._session: Session | None = None
        self._queue: Queue | None = None
        self._stopping = asyncio.Event()
        self._told: list[str] = []

    @property
    def leads(self) -> bool:
        """Say whether this process leads, as far as it can know."""
        return self._session is not None and self._session.leads and self._session.valid

    @property
    def ready(self) -> bool:
        """Say whether orders can be handed out now."""
        return self._queue is not None

    def stop(self) -> None:
        """Take no further order; what is in hand is finished or handed back soon."""
        self._stopping.set()
        if self._queue is not None:
            self._queue.stop()

    async def run(
        self,
        work_off: WorkOff,
        shares: Callable[[], Shares | None],
        heed: Callable[[str], None],
    ) -> None:
        """Take part until `stop`; after a loss of the database, again as soon as it is back.

        `shares` gives how connections are divided now (None: nothing is to be done), `heed` is
        given, in the leader, each text that any process tells it.
        """
        while not self._stopping.is_set():
            try:
                await self._take_part(work_off, shares, heed)
            except (psycopg.Error, OSError, SessionLost, TimeoutError) as error:
                log.warning("no part in the work: %s", type(error).__name__)
            except Exception:
                log.exception("no part in the work")
            await self._pause(AGAIN_SECONDS)

    async def hand_out(self, orders: Sequence[Order]) -> None:
        """Hand out orders to whoever is free. Raises SessionLost where that can't be done."""
        if self._queue is None:
            raise SessionLost
        try:
            await self._queue.put(orders)
        except (psycopg.Error, OSError) as error:
            raise SessionLost from error

    def tell(self, text: str) -> None:
        """Tell the leader something, in a moment: less than 8,000 bytes; it may be lost."""
        self._told.append(text)
        del self._told[:-MOST_TOLD]

    def turn(self) -> Turn:
        """Give an empty turn to take things by. Raises SessionLost."""
        if self._session is None or not self._session.valid:
            raise SessionLost
        return Turn(self._session)

    async def _take_part(
        self,
        work_off: WorkOff,
        shares: Callable[[], Shares | None],
        heed: Callable[[str], None],
    ) -> None:
        async with session(self._member) as opened:
            self._session = opened
            tasks = [
                asyncio.create_task(self._lead(opened, heed)),
                asyncio.create_task(self._pass_on(opened)),
                asyncio.create_task(self._work(opened, work_off, shares)),
                asyncio.create_task(opened.lost.wait()),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                self._session = None
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(
        self, opened: Session, work_off: WorkOff, shares: Callable[[], Shares | None]
    ) -> None:
        """Work orders off; begin anew where the shares are others."""
        in_hand: dict[asyncio.Task[None], Lane] = {}
        divided: Shares | None = None

        def enough(lane: Lane) -> bool:
            if divided is None:
                return True
            has = sum(each is lane for each in in_hand.values())
            return has >= fair_share(lane.share_of(divided), opened.members)

        async def handle(order: Order) -> None:
            if not opened.valid or self._stopping.is_set():
                raise NotYet(0)
            task = asyncio.create_task(self._do(opened, order, work_off))
            in_hand[task] = order.lane
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
                in_hand.pop(task)
            if task.cancelled():
                raise NotYet(0)
            error = task.exception()
            if isinstance(error, NotYet):
                raise error
            if error is not None:
                log.error("an order failed: %s", type(error).__name__, exc_info=error)

        while not self._stopping.is_set():
            divided = shares()
            if divided is None:
                await self._pause(AGAIN_SECONDS)
                continue
            # Known only here: a process that is alone need not read PgQueuer in.
            from keepstep.sync.fleet.queue import Queue

            self._queue = queue = await Queue.open()
            working = asyncio.create_task(queue.work(handle, divided, enough))
            try:
                while shares() == divided and not working.done() and not self._stopping.is_set():
                    await asyncio.wait({working}, timeout=1.0)
                queue.stop()
                await asyncio.wait({working}, timeout=FINISH_SECONDS)
                for task in in_hand:
                    task.cancel()
                await asyncio.wait({working}, timeout=FINISH_SECONDS)
            finally:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
                for task in in_hand:
                    task.cancel()
                self._queue = None
                await queue.close()
            if not working.cancelled() and (error := working.exception()) is not None:
                raise SessionLost from error

    async def _do(self, opened: Session, order: Order, work_off: WorkOff) -> None:
        """Do an order, until the session is lost: from then on another may have the turn."""
        turn = Turn(opened)
        working = asyncio.ensure_future(work_off(order, turn))
        lost = asyncio.create_task(opened.lost.wait())
        try:
            await asyncio.wait({working, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise NotYet(0)
            working.result()
        finally:
            working.cancel()
            lost.cancel()
            await asyncio.gather(working, lost, return_exceptions=True)
            await turn.close()

    async def _lead(self, opened: Session, heed: Callable[[str], None]) -> None:
        """Try to lead; the leader heeds what all processes are told."""
        while not await opened.lead():
            await asyncio.sleep(LEAD_SECONDS)
        log.info("this process leads")
        listening = await connect()
        try:
            await listening.execute(f"LISTEN {TOLD}")
            async for note in listening.notifies():
                heed(note.payload)
        finally:
            await listening.close()

    async def _pass_on(self, opened: Session) -> None:
        while True:
            await asyncio.sleep(0.05)
            if self._told:
                told, self._told = self._told, []
                await opened.tell(told)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
