"""The queue by which shards are handed out: PgQueuer, known here and nowhere else.

An order that its worker leaves lying (killed, frozen) is given to another after a few seconds.
That it is then done twice at once is prevented by turns and fences, not by the queue.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Self

import psycopg
from pgqueuer import Queries, QueueManager
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.ports.driver import NotifyCallback
from pgqueuer.types import QueueEntrypoint

from keepstep.core.shares import Shares
from keepstep.sync.fleet.order import Lane, NotYet, Order
from keepstep.sync.fleet.session import connect

LEFT_LYING = timedelta(seconds=10)
LOOK_AGAIN = timedelta(seconds=5)

Handle = Callable[[Order], Awaitable[None]]


class _Driver(PsycopgDriver):
    """Listens on a connection of its own: one that listens is free for questions once a second."""

    def __init__(
        self,
        asking: psycopg.AsyncConnection[Any],
        listening: psycopg.AsyncConnection[Any],
    ) -> None:
        super().__init__(asking)
        self._ears = PsycopgDriver(listening)
        self._hears = asyncio.Event()

    async def notify(self, channel: str, payload: str) -> None:
        # PgQueuer asks at its start whether it hears itself: not before it can.
        await self._hears.wait()
        await super().notify(channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ears.add_listener(channel, callback)
        self._hears.set()

    async def remove_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._ears.remove_listener(channel, callback)

    async def __aenter__(self) -> Self:
        await self._ears.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        await self._ears.__aexit__(*error)


class _Manager(QueueManager):
    """Leaves to other processes what this one has enough of: else the quickest takes nearly all."""

    enough: Callable[[Lane], bool]

    def entrypoints_below_capacity_limits(self) -> set[QueueEntrypoint]:
        open_to_us = super().entrypoints_below_capacity_limits()
        return {each for each in open_to_us if not self.enough(Lane(each))}

    async def fetch_jobs(
        self,
        batch_size: int,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> AsyncGenerator[Job, None]:
        async for job in super().fetch_jobs(
            batch_size, global_concurrency_limit, heartbeat_timeout
        ):
            yield job
            # What was given is begun before it is asked whether it is enough.
            await asyncio.sleep(0)


class Queue:
    """Hands out orders, and works them off. One for each process; raises psycopg.Error."""

    def __init__(
        self,
        asking: psycopg.AsyncConnection[Any],
        listening: psycopg.AsyncConnection[Any],
    ) -> None:
        self._connections = (asking, listening)
        self._queries = Queries(_Driver(asking, listening))
        self._manager = _Manager(self._queries)

    @classmethod
    async def open(cls) -> Queue:
        """Open a connection for it; where it has no tables yet, make them."""
        queue = cls(await connect(), await connect())
        await _install(queue._queries)
        return queue

    async def put(self, orders: Sequence[Order]) -> None:
        """Hand out orders; one of which the like waits or is under way already is left out."""
        if orders:
            await self._queries.enqueue(
                [each.lane.value for each in orders],
                [json.dumps(asdict(each)).encode() for each in orders],
                [0 if each.lane is Lane.FIRST else 1 for each in orders],
                dedupe_key=[each.key for each in orders],
                on_conflict="skip",
            )

    async def work(
        self, handle: Handle, shares: Shares, enough: Callable[[Lane], bool] = lambda _: False
    ) -> None:
        """Work orders off, at most as many in all processes as the shares say, until `stop`.

        Orders of a lane of which this process has `enough` are left to the others.
        """
        self._manager.enough = enough

        async def do(job: Job) -> None:
            assert job.payload is not None
            try:
                await handle(_order(job.payload))
            except NotYet as not_yet:
                raise RetryRequested(delay=timedelta(seconds=not_yet.seconds)) from None

        for lane in Lane:
            if jobs := lane.share_of(shares).jobs:
                self._manager.entrypoint(lane.value, concurrency_limit=jobs)(do)
        await self._manager.run(
            dequeue_timeout=LOOK_AGAIN,
            batch_size=1,
            # PgQueuer refuses less than two.
            max_concurrent_tasks=max(2, sum(lane.share_of(shares).jobs for lane in Lane)),
            heartbeat_timeout=LEFT_LYING,
            shutdown_on_listener_failure=True,
        )

    def stop(self) -> None:
        """Take no further order; `work` ends when those in hand are done."""
        self._manager.shutdown.set()

    async def close(self) -> None:
        """Close the connection."""
        self.stop()
        for each in self._connections:
            await each.close()


def _order(payload: bytes) -> Order:
    values = json.loads(payload)
    return Order(**values | {"lane": Lane(values["lane"])})


def install() -> None:
    """Create the queue's tables, or bring them up to this version of PgQueuer."""
    asyncio.run(_upgrade())


async def _upgrade() -> None:
    connection = await connect()
    try:
        queries = Queries.from_psycopg_connection(connection)
        await _install(queries)
        await queries.upgrade()
    finally:
        await connection.close()


async def _install(queries: Queries) -> None:
    if not await queries.schema_is_installed():
        async with queries.schema_lock():
            if not await queries.schema_is_installed():
                await queries.install()
