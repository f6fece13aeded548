"""The loop of the server: starts the jobs that are due, over mailboxes not at work already."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

from keepstep.core.errors import KeepstepError
from keepstep.core.job_schedule import EveryMinutes, next_runs
from keepstep.store import jobs, runs, sign_ins
from keepstep.store.jobs import JobDefinition
from keepstep.store.mailboxes import TakenMailbox
from keepstep.store.settings import ApplicationSettings, load
from keepstep.store.writer import Writer
from keepstep.sync.claims import Claims
from keepstep.sync.delivery.desk import Desk
from keepstep.sync.delivery.guarded import GuardedNotifier
from keepstep.sync.delivery.marks import Marks
from keepstep.sync.delivery.rounds import NotifiedRounds, Terms
from keepstep.sync.delivery.supervisor import Arrangement, Supervisor
from keepstep.sync.guard import Guard
from keepstep.sync.housekeeping import Housekeeping
from keepstep.sync.round import Means, Outcome
from keepstep.sync.service import (
    VERIFICATION,
    access_of,
    account_of,
    current_policy,
    manner_of,
    means_for,
    require_ready,
    run_over,
    utc_now,
    work_of,
)

log = logging.getLogger("keepstep.scheduler")

LOOK_SECONDS = 1.0
RELOAD_SECONDS = 5.0
# A verification waits so long for all mailboxes of its context before it begins with some.
GATHER_SECONDS = 30.0


class Scheduler:
    """Runs the enabled jobs on their schedules until told to stop."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._claims = Claims()
        self._tasks: set[asyncio.Task[None]] = set()
        self._due: dict[str, tuple[JobDefinition, datetime]] = {}
        # As they stand, and those that rounds go by: which lets them be read, and is complete.
        self._loaded: ApplicationSettings | None = None
        self._settings: ApplicationSettings | None = None
        self._guard = Guard()
        self._has_run = False
        self._complaint = ""
        self._marks = Marks(time.monotonic)
        self.desk = Desk(self._marks, utc_now)
        self._rounds = NotifiedRounds(self._marks, self._claims)
        self._ended: Callable[[], None] = lambda: None
        self._arranged: tuple[Means, frozenset[str]] | None = None

    def stop(self) -> None:
        """Ask the loop to end; rounds under way are broken off, which loses nothing."""
        self._stopping.set()

    async def run(self) -> None:
        """Look once a second for jobs that are due, until `stop`."""
        async with Writer() as writer:
            means: Means | None = None
            stack = AsyncExitStack()
            reload_at = 0.0
            loop = asyncio.get_running_loop()
            supervisor = Supervisor(writer, self._marks, self.desk, clock=utc_now)
            self._ended = supervisor.wake
            self._start(self._housekeeping(writer).run())
            self._start(self._rounds.run())
            self._start(supervisor.run())
            try:
                while not self._stopping.is_set():
                    if loop.time() >= reload_at:
                        means = await self._reload(writer, stack, means)
                        await self._arrange(supervisor, means)
                        reload_at = loop.time() + RELOAD_SECONDS
                    if means is not None:
                        self._start_due(means)
                    await self._pause()
            finally:
                await self._break_off()
                await stack.aclose()

    def _housekeeping(self, writer: Writer) -> Housekeeping:
        def may_judge() -> bool:
            return self._has_run

        return Housekeeping(writer, utc_now, lambda: self._loaded, may_judge, jobs.server_zone())

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), LOOK_SECONDS)
        except TimeoutError:
            return

    async def _reload(
        self, writer: Writer, stack: AsyncExitStack, means: Means | None
    ) -> Means | None:
        """Notice changed settings and jobs; give the means to work with, None while unready."""
        try:
            self._loaded = settings = await writer.call(load)
            require_ready(settings)
            definitions = await writer.call(jobs.definitions)
            anew = self._settings is None or access_of(settings) != access_of(self._settings)
            if anew:
                await writer.call(sign_ins.switch_to, account_of(settings))
        except KeepstepError as error:
            self._complain(str(error))
            return means if error.code == "database-unavailable" else None
        self._complaint = ""
        self._plan(definitions)
        if means is None or settings != self._settings:
            # Rounds under way keep the connections of the old settings until they end.
            means = await stack.enter_async_context(means_for(settings, writer))
            self._settings = settings
        if anew:
            # What the old one knows of the server was learned by another way to it.
            self._guard = Guard(account_of(settings))
        return means

    async def _arrange(self, supervisor: Supervisor, means: Means | None) -> None:
        """Have notifications go by the settings and jobs that hold now."""
        jobs_on = [job for job, _ in self._due.values() if job.kind == jobs.SYNCHRONIZATION]
        contexts = frozenset(job.context for job in jobs_on)
        wanted = None if means is None else (means, contexts)
        if wanted == self._arranged:
            return
        self._arranged = wanted
        if means is None or means.notifier is None or self._settings is None:
            self._rounds.go_by(None)
            await supervisor.arrange(None)
            return
        guard = self._guard
        self._rounds.go_by(Terms(means, manner_of(self._settings, guard=guard)))
        notifier = GuardedNotifier(means.notifier, guard, means.writer, utc_now)
        await supervisor.arrange(Arrangement(notifier, self._settings, contexts))

    def _complain(self, message: str) -> None:
        if message != self._complaint:
            log.warning("not synchronizing: %s", message)
            self._complaint = message

    def _plan(self, definitions: list[JobDefinition]) -> None:
        """Keep when each enabled job is due; a changed schedule is counted from now."""
        now = utc_now()
        planned = {}
        for job in definitions:
            if not job.enabled:
                continue
            known = self._due.get(job.name)
            if known is not None and known[0] == job:
                planned[job.name] = known
            elif known is not None and known[0].schedule == job.schedule:
                planned[job.name] = (job, known[1])
            else:
                at_once = known is None and isinstance(job.schedule, EveryMinutes)
                first = now if at_once else next_runs(job.schedule, now, 1)[0]
                planned[job.name] = (job, first)
        self._due = planned

    def _start_due(self, means: Means) -> None:
        now = utc_now()
        for name, (job, due) in list(self._due.items()):
            if due <= now:
                self._due[name] = (job, next_runs(job.schedule, now, 1)[0])
                self._start(self._run_job(job, means))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_job(self, job: JobDefinition, means: Means) -> None:
        try:
            verifies = job.kind == VERIFICATION
            assert self._settings is not None
            safety_poll = None if verifies else timedelta(minutes=self._settings.safety_poll)
            due = await means.writer.call(
                runs.due_mailboxes, job.context, utc_now(), safety_poll=safety_poll
            )
            if verifies:
                await self._run_in_turn(job, means, due)
            else:
                await self._run_over(job, means, self._claims.claim(due, job.kind))
        except KeepstepError as error:
            log.warning("job %s: %s", job.name, error)
        except Exception:
            log.exception("job %s failed", job.name)

    async def _run_in_turn(self, job: JobDefinition, means: Means, due: list[int]) -> None:
        """Run over what is free, then over the rest as other jobs let go of it."""
        waiting = self._claims.reserve(due, job.kind)
        if not waiting:
            await self._run_over(job, means, [])
        try:
            while waiting:
                ids = await self._claims.claim_reserved(
                    waiting, job.kind, gather_seconds=GATHER_SECONDS
                )
                waiting = [each for each in waiting if each not in set(ids)]
                await self._run_over(job, means, ids)
        finally:
            self._claims.give_back(waiting)

    async def _run_over(self, job: JobDefinition, means: Means, ids: list[int]) -> None:
        """Run over mailboxes that were claimed, letting go of each as soon as it is done."""
        work = work_of(job.kind)
        held = set(ids)

        async def and_let_go(
            mailbox: TakenMailbox, means: Means, outcome: Outcome, *, full: bool = False
        ) -> None:
            try:
                await work(mailbox, means, outcome, full=full)
            finally:
                held.discard(mailbox.id)
                self._claims.release([mailbox.id])

        try:
            assert self._settings is not None
            manner = manner_of(self._settings, work=and_let_go, guard=self._guard)
            await run_over(
                means, manner, ids, job=job.name, trigger="schedule", policy=current_policy
            )
            self._has_run = True
            self._ended()
        finally:
            self._claims.release(held)

    async def _break_off(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
