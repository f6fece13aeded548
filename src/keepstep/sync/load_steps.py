"""The load test's steps: polls with more and more connections, until more do not pay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from keepstep.core import load_test as rules
from keepstep.core.errors import ExchangeError
from keepstep.core.load_test import Bounds, Ended, Level, Step
from keepstep.core.page import Listing
from keepstep.sync.trial import Line, Mailbox, Measure, Pool, Stop, together


class Steps:
    """Climbs from one connection up. Each step is added to `found`, however it ends."""

    def __init__(self, line: Line, pool: Pool, found: list[Step]) -> None:
        self._line = line
        self._pool = pool
        self._found = found

    async def climb(self, bounds: Bounds) -> Ended:
        """Try more and more connections; give why no more were tried. Raises Stop."""
        plan = rules.plan(bounds, len(self._pool.free()), bounds.requests - self._line.requests)
        for level in plan.levels:
            if len(self._pool.free()) < level.connections:
                return Ended.MAILBOXES
            await self._step(level)
            ended = rules.verdict(self._found)
            if ended is not None:
                return ended
        return plan.ended

    async def _step(self, level: Level) -> None:
        measure = Measure(self._line.ticks)
        busy = False
        try:
            await self._polls(level.connections, level.warm_up, None)
            measure.begin()
            # A step that takes longer than its share of the time is judged by what it has.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._line.seconds_left * rules.STEP_SHARE):
                    await self._polls(level.connections, level.answers, measure)
        except Stop as stop:
            busy = stop.ended is Ended.BUSY
            raise
        finally:
            if measure.answers or busy:
                self._found.append(measure.step(level.connections, busy=busy))

    async def _polls(self, connections: int, requests: int, measure: Measure | None) -> None:
        todo = iter(range(requests))
        rested = sorted(self._pool.free(), key=lambda each: each.used)
        await together(self._poll_on(todo, rested, measure) for _ in range(connections))

    async def _poll_on(
        self, todo: Iterator[int], rested: list[Mailbox], measure: Measure | None
    ) -> None:
        """Poll one mailbox after the other, each time the one that rested longest."""
        for _ in todo:
            if not rested:
                return
            mailbox = rested.pop(0)
            try:
                _, seconds = await self._line.ask(mailbox, partial(self._poll, mailbox))
            except ExchangeError as error:
                self._pool.drop(mailbox, error)
                continue
            if measure is not None:
                measure.answers.append(seconds)
            if self._pool.may_go_on(mailbox):
                rested.append(mailbox)

    async def _poll(self, mailbox: Mailbox) -> Listing:
        """Ask what changed, as rounds do; of what a round would read one entry is enough."""
        return await self._line.connector.changes(mailbox.target, mailbox.state, 1)
