"""Turns by advisory locks of one database session: who has them, and when they count no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from keepstep.store.models import Worker
from keepstep.sync.fleet import session as sessions
from keepstep.sync.fleet.session import Member, Session, SessionLost, connect
from tests import database

NAME = database.own("keepstep_turns")


@pytest.fixture(autouse=True)
def postgresql() -> Iterator[None]:
    database.new_postgresql(NAME)
    yield
    database.connections.close_all()


class Watch:
    """A clock of the machine that can be set wrong, and one that goes on while nothing is heard."""

    def __init__(self) -> None:
        self.wrong_by = timedelta()
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.wrong_by

    def monotonic(self) -> float:
        return self.seconds


@asynccontextmanager
async def opened(watch: Watch | None = None) -> AsyncIterator[Session]:
    watch = watch or Watch()
    opened = Session(
        await connect(), Member.new("worker"), monotonic=watch.monotonic, clock=watch.now
    )
    await opened.begin()
    await opened._beat()
    try:
        yield opened
    finally:
        await opened.end()


def silent_for(seconds: float) -> None:
    """Let all workers' last signs of life have been so long ago."""
    Worker.objects.update(seen_at=datetime.now(UTC) - timedelta(seconds=seconds))


async def test_a_shard_is_one_sessions_until_it_lets_go() -> None:
    async with opened() as one, opened() as other:
        assert await one.take_shard(7)
        assert not await other.take_shard(7)
        assert await other.take_shard(8)
        await one.release_shard(7)
        assert await other.take_shard(7)


async def test_a_shard_is_not_given_twice_to_the_same_session() -> None:
    async with opened() as one:
        assert await one.take_shard(7)
        assert not await one.take_shard(7)


async def test_mailboxes_are_taken_apart_from_their_shard_and_everybody_sees_it() -> None:
    async with opened() as one, opened() as other:
        assert await one.take_mailboxes([1, 2]) == [1, 2]
        assert await other.take_mailboxes([2, 3]) == [3]
        assert await other.mailboxes_apart() == {1, 2, 3}


async def soon(gives: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it gives True: PostgreSQL notices the end of a session a moment later."""
    async with asyncio.timeout(5):
        while not await gives():
            await asyncio.sleep(0.01)


async def test_when_a_session_ends_its_turns_are_free() -> None:
    async with opened() as other:
        async with opened() as one:
            assert await one.take_shard(7)
            assert await one.lead()
            assert not await other.lead()
        await soon(lambda: other.take_shard(7))
        await soon(other.lead)


async def test_a_session_that_the_database_ended_is_lost_and_its_turns_count_no_more() -> None:
    async with opened() as one, opened() as other:
        assert await one.take_shard(7)
        (backend,) = Worker.objects.filter(name=one._member.name).values_list("backend", flat=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (backend,))
        with pytest.raises(SessionLost):
            await one.take_shard(9)
        assert one.lost.is_set()
        assert not one.valid
        await soon(lambda: other.take_shard(7))


async def test_turns_count_only_while_the_session_was_heard_of_lately() -> None:
    watch = Watch()
    async with opened(watch) as one:
        assert one.valid
        watch.seconds += sessions.VALID_SECONDS - 0.1
        assert one.valid
        watch.seconds += 0.1
        assert not one.valid
        await one._beat()
        assert one.valid


@pytest.mark.parametrize("wrong_by", [timedelta(minutes=-5), timedelta(minutes=5)])
async def test_who_has_lost_its_clock_has_no_turn(wrong_by: timedelta) -> None:
    watch = Watch()
    async with opened(watch) as one:
        watch.wrong_by = wrong_by
        watch.seconds += sessions.VALID_SECONDS
        await one._beat()
        assert not one.valid
        watch.wrong_by = timedelta()
        await one._beat()
        assert one.valid


@pytest.mark.parametrize("holding", ["a shard", "a mailbox", "the lead"])
async def test_whoever_is_silent_for_long_is_relieved_whatever_it_holds(holding: str) -> None:
    async with opened() as frozen, opened() as other:
        take = {
            "a shard": lambda each: each.take_shard(7),
            "a mailbox": lambda each: each.take_mailboxes([7]),
            "the lead": lambda each: each.lead(),
        }[holding]
        assert await take(frozen)
        silent_for(sessions.FROZEN_SECONDS - 2)
        await other._beat()
        assert not await take(other)
        silent_for(sessions.FROZEN_SECONDS + 1)
        await other._beat()
        await asyncio.sleep(0.3)
        assert await take(other)
        with pytest.raises(SessionLost):
            await frozen._beat()


async def test_an_old_row_with_a_number_given_anew_relieves_nobody() -> None:
    async with opened() as one, opened() as other:
        assert await one.take_shard(7)
        row = Worker.objects.get(name=one._member.name)
        Worker.objects.create(
            name="of-yesterday",
            host=row.host,
            pid=1,
            kind="worker",
            version="0",
            backend=row.backend,
            started_at=row.started_at - timedelta(days=1),
            seen_at=row.seen_at - timedelta(days=1),
        )
        await other._beat()
        await asyncio.sleep(0.3)
        await one._beat()
        assert not await other.take_shard(7)


async def test_what_a_frozen_process_has_locked_is_free_after_a_while() -> None:
    """The database ends a transaction in which nothing happens: nobody waits for it for long."""
    async with await connect() as asked:
        row = await (await asked.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
    assert row == ("15s",)


async def test_where_the_database_can_not_be_reached_no_session_is_opened() -> None:
    database.connections["default"].settings_dict["PORT"] = "1"
    with pytest.raises(psycopg.OperationalError):
        await connect()
