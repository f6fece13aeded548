"""The database session by which a process takes part: its turns hang on it, and its place in line.

A *turn* is an advisory lock of this one session. When the session breaks off PostgreSQL lets go of
all its turns. Whoever was frozen, or cut off, does not notice that at once: so a turn counts only
for as long as the session was heard of lately, which everybody asks before each request.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection as django_connection

from keepstep import __version__
from keepstep.store.mailboxes import overtaken

log = logging.getLogger("keepstep.fleet")

# The first halves of the lock numbers: what the second half counts.
LEADER, SHARD, MAILBOX = 0x4B530001, 0x4B530002, 0x4B530003
BEAT_SECONDS = 2.0
VALID_SECONDS = 8.0
"""So long after its last sign of life a session's turns count, for its own process."""
FROZEN_SECONDS = 15.0
"""A session silent for so long is ended by the others: its process has stopped."""
ANSWER_SECONDS = 5.0
LARGEST_SKEW_SECONDS = 30.0
TOLD = "keepstep_told"


class SessionLost(Exception):
    """The session has ended, and with it all turns."""


@dataclass(frozen=True, slots=True)
class Member:
    """How a process shows itself to the others."""

    kind: str
    name: str = ""

    @classmethod
    def new(cls, kind: str) -> Member:
        """Give a member with a name of its own; `kind` is serve or worker."""
        return cls(kind, str(uuid.uuid4()))


def connection_parameters() -> dict[str, Any]:
    """Give what psycopg needs to reach the database that Django uses."""
    known = {"dbname", "user", "password", "host", "port", "options", "sslmode", "sslrootcert"}
    known |= {"sslcert", "sslkey", "passfile", "service", "connect_timeout", "target_session_attrs"}
    given = django_connection.get_connection_params()
    return {name: value for name, value in given.items() if name in known}


async def connect() -> psycopg.AsyncConnection[Any]:
    """Open a session for long use; each statement is a transaction of its own."""
    return await psycopg.AsyncConnection.connect(
        **({"connect_timeout": 5} | connection_parameters()),
        autocommit=True,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        application_name="keepstep",
    )


class Session:
    """One open session, for one event loop.

    `lost` is set when it has ended; `members` is how many processes took part when last looked.
    """

    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        member: Member,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._member = member
        self._monotonic = monotonic
        self._clock = clock
        self._heard = monotonic()
        self._asking = asyncio.Lock()
        self._held: dict[tuple[int, int], None] = {}
        self.leads = False
        self.members = 1
        self.lost = asyncio.Event()

    @property
    def valid(self) -> bool:
        """Say whether its turns count: it was heard of lately."""
        return not self.lost.is_set() and self._monotonic() - self._heard < VALID_SECONDS

    @property
    def shards(self) -> int:
        """Give how many shards are in hand."""
        return sum(kind == SHARD for kind, _ in self._held)

    async def begin(self) -> None:
        """Enter the line of those at work. Raises SessionLost."""
        await self._ask(
            "INSERT INTO store_worker (name, host, pid, kind, version, backend, started_at,"
            " seen_at, leads, shards, overtaken) VALUES (%s, %s, %s, %s, %s, pg_backend_pid(),"
            " now(), now(), FALSE, 0, 0) ON CONFLICT (name) DO UPDATE SET"
            " backend = pg_backend_pid(), seen_at = now()",
            (
                self._member.name,
                socket.gethostname(),
                os.getpid(),
                self._member.kind,
                __version__,
            ),
        )

    async def beat_on(self) -> None:
        """Show a sign of life every few seconds, until the session is lost."""
        try:
            while True:
                await self._beat()
                await asyncio.sleep(BEAT_SECONDS)
        except SessionLost:
            return

    async def _beat(self) -> None:
        asked = self._monotonic()
        rows = await self._ask(
            "UPDATE store_worker SET seen_at = now(), leads = %s, shards = %s, overtaken = %s"
            " WHERE name = %s RETURNING now(), (SELECT count(*) FROM store_worker AS other"
            " WHERE other.seen_at > now() - %s * interval '1 second')",
            (self.leads, self.shards, overtaken(), self._member.name, FROZEN_SECONDS),
        )
        if not rows:
            await self.begin()
        elif abs((rows[0][0] - self._clock()).total_seconds()) > LARGEST_SKEW_SECONDS:
            log.error("the clock differs from the database's: this process takes no turn")
            return
        self.members = max(1, int(rows[0][1])) if rows else 1
        self._heard = asked
        await self._relieve_frozen()

    async def lead(self) -> bool:
        """Lead, unless another does; say whether this one leads now."""
        if not self.leads:
            self.leads = await self._try_lock(LEADER, 0)
        return self.leads

    async def take_shard(self, shard: int) -> bool:
        """Take the turn of a shard; False: another has it."""
        return await self._take(SHARD, shard)

    async def take_mailboxes(self, mailbox_ids: Sequence[int]) -> list[int]:
        """Take the turns of single mailboxes; give those that were free."""
        return [each for each in mailbox_ids if await self._take(MAILBOX, each)]

    async def mailboxes_apart(self) -> set[int]:
        """Give the mailboxes whose turns are had one by one, by whichever process."""
        rows = await self._ask(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = %s AND database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())",
            (MAILBOX,),
        )
        return {int(row[0]) for row in rows}

    async def release_shard(self, shard: int) -> None:
        """Let go of a shard."""
        await self._release([(SHARD, shard)])

    async def release_mailboxes(self, mailbox_ids: Iterable[int]) -> None:
        """Let go of single mailboxes."""
        await self._release([(MAILBOX, each) for each in mailbox_ids])

    async def tell(self, texts: Sequence[str]) -> None:
        """Tell the leader, whichever process it is."""
        await self._ask(
            "SELECT pg_notify(%s, each) FROM unnest(%s::text[]) AS each", (TOLD, [*texts])
        )

    async def end(self) -> None:
        """Leave the line; all turns are let go of."""
        try:
            await self._ask("DELETE FROM store_worker WHERE name = %s", (self._member.name,))
        except SessionLost:
            pass
        finally:
            self._lose()
            await self._connection.close()

    async def _take(self, kind: int, number: int) -> bool:
        if (kind, number) in self._held:
            # The session itself would be given it twice.
            return False
        return await self._try_lock(kind, number)

    async def _try_lock(self, kind: int, number: int) -> bool:
        self._held[kind, number] = None
        taken = False
        try:
            rows = await self._ask("SELECT pg_try_advisory_lock(%s, %s)", (kind, number))
            taken = bool(rows[0][0])
        finally:
            if not taken:
                self._held.pop((kind, number), None)
        return taken

    async def _relieve_frozen(self) -> None:
        """End the sessions of processes that gave no sign of life for long: their turns are free.

        A backend's number may be given anew: an old row says nothing where another is not.
        """
        rows = await self._ask(
            "SELECT pg_terminate_backend(holding.pid) FROM (SELECT DISTINCT pid FROM pg_locks"
            " WHERE locktype = 'advisory' AND granted AND classid = ANY(%s::bigint[])"
            " AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())) AS holding"
            " WHERE NOT EXISTS (SELECT FROM store_worker WHERE backend = holding.pid"
            " AND seen_at > now() - %s * interval '1 second')",
            ([LEADER, SHARD, MAILBOX], FROZEN_SECONDS),
        )
        if rows:
            log.warning("%s stopped processes were relieved of their turns", len(rows))

    async def _release(self, turns: Sequence[tuple[int, int]]) -> None:
        held = [each for each in turns if each in self._held]
        for kind, number in held:
            try:
                await self._ask("SELECT pg_advisory_unlock(%s, %s)", (kind, number))
            except SessionLost:
                return
            finally:
                self._held.pop((kind, number), None)

    async def _ask(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Ask one thing. Raises SessionLost where no answer comes in time, for good."""
        if self.lost.is_set():
            raise SessionLost
        try:
            async with self._asking, asyncio.timeout(ANSWER_SECONDS):
                cursor = await self._connection.execute(statement, values)
                return await cursor.fetchall() if cursor.description else []
        except (psycopg.Error, OSError, TimeoutError) as error:
            log.warning("the database session was lost: %s", type(error).__name__)
            self._lose()
            await self._connection.close()
            raise SessionLost from error

    def _lose(self) -> None:
        self.leads = False
        self._held.clear()
        self.lost.set()


@asynccontextmanager
async def session(member: Member) -> AsyncIterator[Session]:
    """Open a session and keep it alive while it is used. Raises psycopg.Error where it can't."""
    opened = Session(await connect(), member)
    await opened.begin()
    beating = asyncio.create_task(opened.beat_on())
    try:
        yield opened
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await opened.end()
