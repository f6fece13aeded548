"""Polls go before full rounds, and starve nobody."""

from __future__ import annotations

import asyncio
import time

from keepstep.sync.precedence import Precedence


async def test_nobody_waits_where_no_polls_are_to_be_begun() -> None:
    await asyncio.wait_for(Precedence().give_way(), 0.1)


async def test_a_full_round_waits_until_the_last_polls_are_begun() -> None:
    precedence = Precedence()
    precedence.begin()
    precedence.begin()
    waiting = asyncio.create_task(precedence.give_way())
    await asyncio.sleep(0.01)
    precedence.end()
    await asyncio.sleep(0.01)
    assert not waiting.done()
    precedence.end()
    await asyncio.wait_for(waiting, 0.1)


async def test_polls_that_are_never_done_hold_nobody_up_for_ever() -> None:
    precedence = Precedence()
    precedence.begin()
    began = time.monotonic()
    await precedence.give_way(longest=0.05)
    assert 0.04 < time.monotonic() - began < 2
