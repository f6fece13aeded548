"""The load test: reads mailboxes within bounds, measures, and gives what it found.

Mailboxes are only read, and nothing is stored: neither rows nor sync states. The record of the
sign-in is the one exception: a refused one is noted as by any other command, so that Exchange does
not lock the account.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keepstep.core import load_test as rules
from keepstep.core.errors import ExchangeError, UsageError
from keepstep.core.load_advice import Now, Recommendation, recommend
from keepstep.core.load_test import Bounds, Ended, Step, Tried
from keepstep.exchange.connector import Target
from keepstep.exchange.ews.trial import connect_for_trial
from keepstep.store import mailboxes, runs
from keepstep.store.mailboxes import TakenMailbox
from keepstep.store.settings import ApplicationSettings, check_complete, load
from keepstep.store.writer import Writer
from keepstep.sync.guard import UNPROVEN_AT_ONCE, Guard
from keepstep.sync.load_sizes import Sizes, read_page
from keepstep.sync.load_steps import Steps
from keepstep.sync.run import Progress, failure_entry
from keepstep.sync.service import access_of, account_of, utc_now
from keepstep.sync.trial import Line, Mailbox, Pool, Stop, together


@dataclass(slots=True)
class Report:
    """What a load test did, as far as it came.

    `failure` is what ended it before its time, `left_out` which mailboxes could not be read; both
    as `failure_entry` gives them. `pause` is what the server asked for, in seconds. `interrupted`:
    a person ended it.
    """

    now: Now
    mailboxes: int = 0
    requests: int = 0
    seconds: float = 0.0
    ended: Ended = Ended.ALL
    interrupted: bool = False
    pause: float | None = None
    failure: dict[str, str] | None = None
    left_out: list[dict[str, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    pages: list[Tried] = field(default_factory=list)
    items: list[Tried] = field(default_factory=list)

    @property
    def has_failed(self) -> bool:
        """Say whether the server refused, or nothing was learned for it was busy or failed."""
        if self.ended is Ended.FAILED:
            return True
        return not self.recommendation.settings and bool(self.failure or self.left_out)

    @property
    def recommendation(self) -> Recommendation:
        """What follows from it."""
        return recommend(self.steps, self.ended, self.pages, self.items, self.now)


def load_test_now(
    operators: Sequence[str] | None,
    *,
    most: int | None,
    requests: int,
    seconds: float,
    progress: Progress | None = None,
) -> Report:
    """Test the server that the settings name with the mailboxes of these operators.

    `operators` None: all whose calendar sync is on; `most` None: as many connections as the
    version of the server lets an account have. Interrupted, it gives what is known so far. Raises
    UsageError for settings or operators that do not let it begin, StoreError.
    """
    settings = load()
    check_complete(settings)
    ids = runs.mailboxes_of(operators)
    if not ids:
        raise UsageError("no operator has calendar sync on: keepstep operators enable EMAIL")
    connections = most or rules.most_connections(settings.exchange_version.value)
    room = None if most else replace(settings, connections=None).connection_limit
    report = Report(Now(settings.connection_limit, settings.batch_size, room))
    chosen = [mailboxes.look(each) for each in rules.chosen(ids, connections)]
    bounds = Bounds(connections, requests, seconds)
    try:
        asyncio.run(_test(settings, bounds, chosen, report, progress))
    except KeyboardInterrupt:
        report.interrupted = True
    return report


async def _test(
    settings: ApplicationSettings,
    bounds: Bounds,
    chosen: Sequence[TakenMailbox],
    report: Report,
    progress: Progress | None,
) -> None:
    access = replace(access_of(settings), connections=bounds.connections)
    connector = connect_for_trial(access)
    guard = Guard(account_of(settings))
    try:
        async with Writer() as writer:
            await guard.begin(writer, utc_now())
            line = Line(connector, guard, writer, bounds, time.perf_counter)
            if progress is not None:
                expected = rules.expected_requests(bounds, len(chosen))
                line.tell = lambda sent: progress(min(sent, expected), expected)
            await LoadTest(line, bounds, report).over(chosen)
    finally:
        await connector.close()


class LoadTest:
    """One load test. `report` is filled as it goes."""

    def __init__(self, line: Line, bounds: Bounds, report: Report) -> None:
        self._line = line
        self._bounds = bounds
        self._report = report
        self._pool = Pool(report.left_out)
        self._opening = 0

    async def over(self, chosen: Sequence[TakenMailbox]) -> None:
        """Test with these mailboxes, as far as the bounds and the server allow."""
        report = self._report
        sizes = Sizes(self._line, self._pool)
        try:
            async with asyncio.timeout(self._bounds.seconds):
                await self._open(chosen)
                await sizes.pages(report.pages)
                await sizes.items(report.items)
                steps = Steps(self._line, self._pool, report.steps)
                report.ended = await steps.climb(self._bounds)
        except TimeoutError:
            self._end(Ended.SECONDS)
            if chosen and not self._pool.mailboxes and not report.left_out:
                report.failure = failure_entry(chosen[0].email, "timed-out")
        except asyncio.CancelledError:
            self._end(Ended.INTERRUPTED)
            raise
        except Stop as stop:
            self._end(stop.ended)
            if stop.error is not None:
                error = stop.error
                report.failure = failure_entry(stop.address, error.code, error.detail)
                report.pause = error.pause.total_seconds() if error.pause else None
        finally:
            report.requests = self._line.requests
            report.seconds = self._line.seconds

    def _end(self, ended: Ended) -> None:
        """Note why it ended; what the last step showed says more than that a bound was reached."""
        steps = self._report.steps
        shown = rules.verdict(steps) if steps else None
        self._report.ended = ended if shown is None else shown

    async def _open(self, chosen: Sequence[TakenMailbox]) -> None:
        """Read a first page of mailboxes, as many as connections are to be tried.

        The first goes alone: it shows whether the sign-in is right.
        """
        now = utc_now()
        waiting = []
        for each in reversed(chosen):
            if each.paused_until is not None and each.paused_until > now:
                until = f"Exchange asked us to wait until {each.paused_until:%Y-%m-%d %H:%M:%S} UTC"
                self._pool.leave_out(each.email, ExchangeError(each.failure_code, until))
            else:
                waiting.append(Mailbox(Target(each.email, each.time_zone)))
        while waiting and not self._pool.mailboxes:
            await self._open_one(waiting.pop())
        await together(self._open_more(waiting) for _ in range(UNPROVEN_AT_ONCE))

    async def _open_more(self, waiting: list[Mailbox]) -> None:
        while waiting and self._line.has_share(rules.OPENING_SHARE):
            if len(self._pool.mailboxes) + self._opening >= self._bounds.connections:
                return
            await self._open_one(waiting.pop())

    async def _open_one(self, mailbox: Mailbox) -> None:
        self._opening += 1
        try:
            await read_page(self._line, mailbox, rules.OPENING_SIZE)
        except ExchangeError as error:
            self._pool.leave_out(mailbox.target.address, error)
        else:
            self._pool.mailboxes.append(mailbox)
            self._report.mailboxes += 1
        finally:
            self._opening -= 1
