"""What of the queue is shown and forgotten, with the queue's real tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from keepstep.core.shares import shares_of
from keepstep.store.orders import Lane, forget_some, lanes
from keepstep.store.overview import overview
from keepstep.sync.fleet.order import Lane as OrderLane
from keepstep.sync.fleet.order import Order
from keepstep.sync.fleet.queue import Queue, install
from tests import database


@pytest.fixture
def postgresql() -> Iterator[None]:
    database.new_postgresql(database.own("keepstep_orders"))
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    yield
    database.connections.close_all()


async def put(*orders: Order) -> None:
    queue = await Queue.open()
    await queue.put(orders)
    await queue.close()


@pytest.mark.usefixtures("database")
def test_on_sqlite_there_is_no_queue() -> None:
    assert lanes() == ()
    assert forget_some(datetime.now(UTC), 10) == 0


@pytest.mark.usefixtures("postgresql")
def test_before_the_queue_is_installed_none_is_shown() -> None:
    assert lanes() == ()


@pytest.mark.usefixtures("postgresql")
def test_orders_that_wait_are_counted_by_lane_and_the_like_only_once() -> None:
    install()
    assert lanes() == (Lane("living", 0, 0, 0.0), Lane("first", 0, 0, 0.0))
    orders = [Order("J", OrderLane.LIVING, number, False, 1) for number in range(3)]
    asyncio.run(put(*orders, Order("J", OrderLane.FIRST, 1, True, 1)))
    asyncio.run(put(*orders))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pgqueuer SET created = created - interval '5 seconds'")
    living, first = lanes()
    assert (living.waiting, living.in_hand, first.waiting) == (3, 0, 1)
    assert 5 <= living.oldest < 30
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pgqueuer SET status = 'picked' WHERE entrypoint = 'first'")
        cursor.execute("UPDATE pgqueuer SET execute_after = now() + interval '1 minute'")
    assert lanes() == (Lane("living", 0, 0, 0.0), Lane("first", 0, 1, 0.0))
    assert overview(datetime.now(UTC)).lanes == lanes()


@pytest.mark.usefixtures("postgresql")
def test_what_the_queue_noted_is_forgotten_a_bounded_part_at_a_time() -> None:
    install()
    asyncio.run(put(*(Order("J", OrderLane.LIVING, number, False, 1) for number in range(5))))
    now = datetime.now(UTC)
    assert forget_some(now - timedelta(minutes=1), 3) == 0
    assert forget_some(now + timedelta(minutes=1), 3) == 3
    assert forget_some(now + timedelta(minutes=1), 3) == 2
    assert forget_some(now + timedelta(minutes=1), 3) == 0
    assert lanes()[0].waiting == 5


async def in_hand_of_one(limit: int, *orders: Order) -> list[str]:
    """Give the lanes of what one process has in hand while nothing of it gets done."""
    shares = shares_of(limit)
    taken: list[str] = []
    done = asyncio.Event()

    def enough(lane: OrderLane) -> bool:
        return taken.count(lane) >= lane.share_of(shares).jobs

    async def keep(order: Order) -> None:
        taken.append(order.lane)
        await done.wait()

    queue = await Queue.open()
    await queue.put(orders)
    working = asyncio.create_task(queue.work(keep, shares, enough))
    await asyncio.sleep(1.5)
    in_hand = sorted(taken)
    queue.stop()
    done.set()
    await working
    await queue.close()
    return in_hand


@pytest.mark.usefixtures("postgresql")
@pytest.mark.parametrize("limit", [1, 3, 4, 27])
def test_first_rounds_in_hand_leave_all_connections_of_the_living_to_them(limit: int) -> None:
    install()
    shares = shares_of(limit)
    first = [Order("J", OrderLane.FIRST, number, True, 1) for number in range(5)]
    living = [Order("J", OrderLane.LIVING, number, False, 1) for number in range(5)]
    taken = asyncio.run(in_hand_of_one(limit, *first, *living))
    assert taken == ["first"] * shares.first.jobs + ["living"] * shares.living.jobs
