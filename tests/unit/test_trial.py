"""How a load test shares its requests out among mailboxes, apart from any server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.core.load_test import MAILBOX_SECONDS, Bounds, Ended, Step
from keepstep.exchange.connector import Target
from keepstep.sync.load_steps import Steps
from keepstep.sync.trial import Mailbox, Measure, Pool, Stop, together


class PretendedLine:
    """Stands for `Line`: each request takes a mailbox so many seconds, by a clock that is told."""

    def __init__(self, seconds: float, fails: dict[str, ExchangeError] | None = None) -> None:
        self.seconds = seconds
        self.fails = fails or {}
        self.requests = 0
        self.seconds_left = 1000.0
        self.asked: Counter[str] = Counter()
        self.under_way: set[str] = set()
        self.most_at_once = 0
        self.now = 0.0

    def ticks(self) -> float:
        return self.now

    async def ask(self, mailbox: Mailbox, _: Callable[[], Awaitable[Any]]) -> tuple[None, float]:
        address = mailbox.target.address
        assert address not in self.under_way, "a mailbox is asked one thing at a time"
        self.requests += 1
        self.asked[address] += 1
        self.under_way.add(address)
        self.most_at_once = max(self.most_at_once, len(self.under_way))
        await asyncio.sleep(0)
        self.now += self.seconds / len(self.under_way)
        self.under_way.remove(address)
        mailbox.used += self.seconds
        if address in self.fails:
            raise self.fails[address]
        return None, self.seconds


def pool_of(count: int, left_out: list[dict[str, str]]) -> Pool:
    pool = Pool(left_out)
    pool.mailboxes = [Mailbox(Target(f"{place}@example.com"), "state") for place in range(count)]
    return pool


async def climb(line: PretendedLine, pool: Pool, most: int) -> tuple[Ended, list[Step]]:
    steps: list[Step] = []
    ended = await Steps(line, pool, steps).climb(Bounds(most, 5000, 1000))  # type: ignore[arg-type]
    return ended, steps


async def test_all_mailboxes_bear_alike() -> None:
    line = PretendedLine(0.01)
    ended, steps = await climb(line, pool_of(10, []), 8)
    assert [each.connections for each in steps] == [1, 2, 4, 8]
    assert [len(each.answers) for each in steps] == [50, 50, 50, 80]
    assert (ended, line.most_at_once) == (Ended.ALL, 8)
    assert line.requests == 230 + 15
    assert max(line.asked.values()) - min(line.asked.values()) <= 2


async def test_a_mailbox_that_took_its_share_of_the_servers_time_is_left_alone() -> None:
    line = PretendedLine(2.0)
    pool = pool_of(3, [])
    ended, _ = await climb(line, pool, 3)
    assert ended is Ended.MAILBOXES
    assert pool.free() == []
    assert all(each.used < MAILBOX_SECONDS + 2.0 for each in pool.mailboxes)


async def test_a_mailbox_that_fails_drops_out_and_is_told_of() -> None:
    left_out: list[dict[str, str]] = []
    line = PretendedLine(0.01, {"1@example.com": ExchangeError("mailbox-moving")})
    pool = pool_of(4, left_out)
    ended, steps = await climb(line, pool, 4)
    assert line.asked["1@example.com"] == 1
    assert [(each["operator"], each["code"]) for each in left_out] == [
        ("1@example.com", "mailbox-moving")
    ]
    assert steps[-1].connections <= 3
    assert ended is Ended.MAILBOXES


def test_items_are_read_in_turn_so_that_none_is_read_again_too_soon() -> None:
    mailbox = Mailbox(Target("anna@example.com"), singles=list("abcde"))
    assert [mailbox.turn(2) for _ in range(3)] == [["a", "b"], ["c", "d"], ["e", "a"]]
    assert sorted(mailbox.turn(5)) == list("abcde")


async def test_the_first_that_fails_ends_the_others() -> None:
    ended = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("ended")

    async def fail() -> None:
        raise Stop(Ended.BUSY)

    with pytest.raises(Stop):
        async with asyncio.timeout(5):
            await together([wait(), fail(), wait()])
    assert ended == ["ended", "ended"]


def test_a_step_is_measured_from_when_it_begins() -> None:
    times = iter([1.0, 5.0, 7.0])
    measure = Measure(lambda: next(times))
    measure.begin()
    measure.answers.append(0.5)
    assert measure.step(3, busy=True) == Step(3, 2.0, (0.5,), busy=True)
