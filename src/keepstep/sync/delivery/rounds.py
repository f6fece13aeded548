"""Rounds that notifications lead to: of the mailboxes told of, as soon as they are due.

They stand in the history of runs together, one entry for each minute in which there were any.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from keepstep import spans
from keepstep.core.errors import KeepstepError
from keepstep.core.skip import Policy
from keepstep.exchange.tally import tally
from keepstep.store import mailboxes, notices, runs
from keepstep.store.jobs import SYNCHRONIZATION
from keepstep.store.mailboxes import TakenMailbox
from keepstep.sync.delivery.marks import Marks
from keepstep.sync.places import Held, Places
from keepstep.sync.round import Means
from keepstep.sync.run import Manner, Run, RunResult
from keepstep.sync.service import current_policy
from keepstep.sync.traced import tell_run

log = logging.getLogger("keepstep.delivery")

NOTIFIED = "notified"
"""What begins such a run, in the history of runs."""
LEDGER_SECONDS = 60.0
# So many groups of mailboxes are polled side by side; what comes meanwhile is gathered.
GROUPS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """By what the rounds go now."""

    means: Means
    manner: Manner


class NotifiedRounds:
    """Polls mailboxes that were told of. `terms` are those that hold now (None: do not poll)."""

    def __init__(self, marks: Marks, places: Places) -> None:
        self._marks = marks
        self._places = places
        self.terms: Terms | None = None
        self._ready = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._ledger: _Ledger | None = None

    def go_by(self, terms: Terms | None) -> None:
        """Go by these terms from now on."""
        self.terms = terms
        if terms is None:
            self._ready.clear()
        else:
            self._ready.set()

    async def run(self) -> None:
        """Poll what is due until cancelled; rounds under way are broken off: nothing is lost."""
        places = asyncio.Semaphore(GROUPS_AT_ONCE)
        closing = asyncio.create_task(self._close_ledgers())
        try:
            while True:
                await self._ready.wait()
                await places.acquire()
                due = await self._marks.due()
                task = asyncio.create_task(self._poll(due))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
                task.add_done_callback(lambda _: places.release())
        finally:
            for task in (*self._under_way, closing):
                task.cancel()
            await asyncio.gather(*self._under_way, closing, return_exceptions=True)
            await self._close_ledger()

    async def _poll(self, due: Sequence[int]) -> None:
        terms = self.terms
        if terms is None:
            self._marks.tell_all(due)
            return
        try:
            async with self._places.hold(due, SYNCHRONIZATION) as held:
                # Another reads it just now, perhaps from before the change: once more, in a moment.
                self._marks.tell_all(set(due) - set(held.mailbox_ids))
                if held.mailbox_ids:
                    await self._over(held, terms)
        except KeepstepError as error:
            log.warning("notified round: %s", error)
        except Exception:
            log.exception("notified rounds failed")

    async def _over(self, held: Held, terms: Terms) -> None:
        means = replace(terms.means, connector=held.while_held(terms.means.connector))
        taken, policy = await means.writer.call(_take, held.mailbox_ids, means.clock())
        if not taken:
            return
        ledger = await self._open_ledger(terms)
        run = Run(replace(means, policy=policy), terms.manner, number=ledger.number)
        ledger.at_work += 1
        try:
            with spans.span("keepstep.run") as span, tally() as sent:
                result = await run.over(taken)
                result.requests = sent.requests
                if span.recorded:
                    number = ledger.number or 0
                    tell_run(span, result, run=number, job=SYNCHRONIZATION, trigger=NOTIFIED)
            ledger.add(result)
        finally:
            ledger.at_work -= 1

    async def _open_ledger(self, terms: Terms) -> _Ledger:
        if self._ledger is None:
            ledger = self._ledger = _Ledger(terms)
            await ledger.open()
        await self._ledger.opened.wait()
        return self._ledger

    async def _close_ledgers(self) -> None:
        while True:
            await asyncio.sleep(LEDGER_SECONDS)
            await self._close_ledger()

    async def _close_ledger(self) -> None:
        ledger, self._ledger = self._ledger, None
        try:
            if ledger is not None:
                await ledger.close()
        except KeepstepError as error:
            log.warning("history of runs: %s", error)


class _Ledger:
    """The entry in the history of runs for what is done within a minute."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._result = RunResult()
        self.number: int | None = None
        self.opened = asyncio.Event()
        self.at_work = 0

    async def open(self) -> None:
        """Begin the entry."""
        try:
            means = self._terms.means
            self.number = await means.writer.call(
                runs.begin_run, SYNCHRONIZATION, NOTIFIED, means.clock()
            )
        finally:
            self.opened.set()

    def add(self, result: RunResult) -> None:
        """Add what some rounds did."""
        for each in fields(RunResult):
            setattr(
                self._result,
                each.name,
                getattr(self._result, each.name) + getattr(result, each.name),
            )

    async def close(self) -> None:
        """End the entry, and see who failed for too long."""
        while self.at_work:
            await asyncio.sleep(0.1)
        if self.number is None:
            return
        means, manner = self._terms.means, self._terms.manner
        now: datetime = means.clock()
        await means.writer.call(runs.end_run, self.number, now, asdict(self._result))
        await means.writer.call(notices.review, now, manner.notify, manner.notification_frequency)


def _take(mailbox_ids: Sequence[int], now: datetime) -> tuple[list[TakenMailbox], Policy]:
    """Take those that may be polled now; the policy is read after that (see `run_over`)."""
    return mailboxes.take_ready(mailbox_ids, now), current_policy()
