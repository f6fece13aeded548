"""A trial of a server: mailboxes asked one request at a time each, within bounds, by the guard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from keepstep.core import load_test as rules
from keepstep.core.errors import ExchangeError
from keepstep.core.load_test import Bounds, Ended, Sign, Step
from keepstep.exchange.connector import Target
from keepstep.exchange.ews.trial import TrialConnector
from keepstep.store.writer import Writer
from keepstep.sync.guard import Guard, GuardedConnector
from keepstep.sync.run import failure_entry
from keepstep.sync.service import utc_now

Result = TypeVar("Result")
Ticks = Callable[[], float]


@dataclass(slots=True)
class Mailbox:
    """A mailbox that takes part.

    `state` is a sync state of it, `singles` the ids of its single appointments as far as known,
    `entries` how many entries of its calendar were seen; `whole`: there are no more. `next` is the
    place of the item to be read next, `used` how many seconds it took of the server's time.
    """

    target: Target
    state: str = ""
    singles: list[str] = field(default_factory=list)
    entries: int = 0
    whole: bool = False
    next: int = 0
    used: float = 0.0

    def turn(self, count: int) -> list[str]:
        """Give so many different items, those first that were not read for the longest time."""
        places = [(self.next + place) % len(self.singles) for place in range(count)]
        self.next += count
        return [self.singles[place] for place in places]


class Pool:
    """The mailboxes that take part. Those that failed are told in `left_out`."""

    def __init__(self, left_out: list[dict[str, str]]) -> None:
        self.mailboxes: list[Mailbox] = []
        self._left_out = left_out

    def free(self) -> list[Mailbox]:
        """Give those that may still be asked."""
        return [each for each in self.mailboxes if self.may_go_on(each)]

    @staticmethod
    def may_go_on(mailbox: Mailbox) -> bool:
        """Say whether the mailbox may take more of the server's time."""
        return mailbox.used < rules.MAILBOX_SECONDS

    def drop(self, mailbox: Mailbox, error: ExchangeError) -> None:
        """Go on without a mailbox that failed."""
        self.mailboxes.remove(mailbox)
        self.leave_out(mailbox.target.address, error)

    def leave_out(self, address: str, error: ExchangeError) -> None:
        """Note that a mailbox does not take part."""
        self._left_out.append(failure_entry(address, error.code, error.detail))


class Stop(Exception):
    """Nothing more is to be sent."""

    def __init__(self, ended: Ended, error: ExchangeError | None = None, address: str = "") -> None:
        super().__init__(ended)
        self.ended = ended
        self.error = error
        self.address = address


class Line:
    """The way to the server: each call is one request within the bounds, told to the guard."""

    def __init__(
        self,
        connector: TrialConnector,
        guard: Guard,
        writer: Writer,
        bounds: Bounds,
        ticks: Ticks,
    ) -> None:
        self.connector = connector
        self.ticks = ticks
        self.tell: Callable[[int], None] = lambda _: None
        self._guard = guard
        self._guarded = GuardedConnector(connector, guard, writer, utc_now)
        self._bounds = bounds
        self._began = ticks()

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self.connector.requests

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return self.ticks() - self._began

    @property
    def seconds_left(self) -> float:
        """How long it may still last."""
        return self._bounds.seconds - self.seconds

    def has_share(self, share: float) -> bool:
        """Say whether less than this share of what is allowed was used."""
        bounds = self._bounds
        return self.requests < share * bounds.requests and self.seconds < share * bounds.seconds

    async def ask(
        self, mailbox: Mailbox, call: Callable[[], Awaitable[Result]]
    ) -> tuple[Result, float]:
        """Give the answer, and the seconds it took. Raises Stop, or the mailbox's ExchangeError.

        The caller sees to it that a mailbox is asked one thing at a time.
        """
        address = mailbox.target.address
        try:
            await self._guard.enter(address, utc_now, asyncio.sleep)
            # From here to the sending nothing is waited for once the sign-in is proven, and
            # until then few go at once: the count can't be overrun.
            if self.requests >= self._bounds.requests:
                raise Stop(Ended.REQUESTS)
            before = self.ticks()
            try:
                answer = await self._guarded.guarded(mailbox.target, call)
            finally:
                taken = self.ticks() - before
                mailbox.used += taken
                self._guard.leave(address)
        except ExchangeError as error:
            sign = rules.sign_of(error.code, error.pause)
            if sign is Sign.OF_MAILBOX:
                raise
            raise Stop(Ended.BUSY if sign is Sign.BUSY else Ended.FAILED, error, address) from None
        self.tell(self.requests)
        return answer, taken


class Measure:
    """Takes the time of a step. `answers` are the seconds that each answer took."""

    def __init__(self, ticks: Ticks) -> None:
        self.answers: list[float] = []
        self._ticks = ticks
        self._began = ticks()

    def begin(self) -> None:
        """Count from now."""
        self._began = self._ticks()

    def step(self, connections: int, *, busy: bool) -> Step:
        """Give what was measured until now."""
        seconds = self._ticks() - self._began
        return Step(connections, seconds, tuple(self.answers), busy=busy)


async def together(work: Iterable[Coroutine[object, object, None]]) -> None:
    """Do all of it side by side; the first that fails ends the others, and is raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
