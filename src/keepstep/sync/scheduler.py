"""The loop of a process: the jobs that are due, over mailboxes that nobody is at work on.

Alone it does all itself. In a fleet the leader hands the shards of a job out, and each process,
the leader among them, works off what it is given.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from keepstep.core.errors import KeepstepError
from keepstep.store import jobs, sign_ins, subscriptions
from keepstep.store.jobs import JobDefinition
from keepstep.store.settings import load
from keepstep.store.writer import Writer
from keepstep.sync.alone import Alone
from keepstep.sync.claims import Claims
from keepstep.sync.delivery.desk import Desk
from keepstep.sync.delivery.front import Front
from keepstep.sync.delivery.guarded import GuardedNotifier
from keepstep.sync.delivery.making import Arrangement
from keepstep.sync.delivery.marks import Marks
from keepstep.sync.delivery.rounds import NotifiedRounds, Terms
from keepstep.sync.delivery.supervisor import Supervisor
from keepstep.sync.fleet.desk import FleetDesk
from keepstep.sync.fleet.fleet import Fleet
from keepstep.sync.fleet.session import SessionLost
from keepstep.sync.guard import Guard
from keepstep.sync.housekeeping import Housekeeping
from keepstep.sync.places import PlacesOfFleet, PlacesOfProcess
from keepstep.sync.round import Means
from keepstep.sync.service import access_of, account_of, means_for, require_ready, utc_now
from keepstep.sync.shards import Shards
from keepstep.sync.situation import Situation
from keepstep.sync.webhooks import Webhooks

log = logging.getLogger("keepstep.scheduler")

LOOK_SECONDS = 1.0
RELOAD_SECONDS = 5.0
DESK_SECONDS = 2.0
# Orders in hand are given so long to be finished or handed back when the process is to stop.
HAND_BACK_SECONDS = 12.0


class Scheduler:
    """Runs the enabled jobs on their schedules until told to stop."""

    def __init__(self, fleet: Fleet | None = None) -> None:
        self._fleet = fleet
        self._situation = Situation()
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_run = False
        self._complaint = ""
        self._marks = Marks(time.monotonic)
        self._desk = Desk(self._marks, utc_now)
        self._fleet_desk: FleetDesk | None = None
        self._first_rounds_ended: Callable[[], None] = lambda: None
        if fleet is None:
            claims = Claims()
            self._runner: Alone | Shards = Alone(
                self._situation, claims, lambda: self._first_rounds_ended()
            )
            self._rounds = NotifiedRounds(self._marks, PlacesOfProcess(claims))
        else:
            self._fleet_desk = FleetDesk(self._desk, fleet, utc_now)
            self._runner = Shards(self._situation, fleet)
            self._rounds = NotifiedRounds(self._marks, PlacesOfFleet(fleet))
        self._leading: list[asyncio.Task[None]] = []
        self._arranged: tuple[Means, frozenset[str]] | None = None

    @property
    def front(self) -> Front:
        """Give where pushed notifications arrive."""
        return self._fleet_desk or self._desk

    def stop(self) -> None:
        """Ask the loop to end; rounds under way are broken off, which loses nothing."""
        self._stopping.set()
        if self._fleet is not None:
            self._fleet.stop()

    async def run(self) -> None:
        """Start jobs when they are due, until `stop`; changed settings are seen within seconds."""
        async with Writer() as writer:
            stack = AsyncExitStack()
            reload_at = 0.0
            loop = asyncio.get_running_loop()
            supervisor = Supervisor(writer, self._marks, self._desk, clock=utc_now)
            self._first_rounds_ended = supervisor.wake
            taking_part = self._take_part(writer)
            try:
                while not self._stopping.is_set():
                    if loop.time() >= reload_at:
                        means = await self._reload(writer, stack, self._situation.means)
                        self._situation.means = means
                        await self._arrange(supervisor, means)
                        reload_at = loop.time() + RELOAD_SECONDS
                    await self._lead_or_follow(writer, supervisor)
                    if self._situation.means is not None and self._may_hand_out:
                        for job in self._situation.agenda.take_due(utc_now()):
                            self._start(self._run_job(job, self._situation.means))
                    await self._pause()
                if taking_part is not None:
                    await asyncio.wait({taking_part}, timeout=HAND_BACK_SECONDS)
            finally:
                await self._follow()
                await self._break_off()
                await stack.aclose()

    @property
    def _leads(self) -> bool:
        return self._fleet is None or self._fleet.leads

    @property
    def _may_hand_out(self) -> bool:
        return self._leads and (self._fleet is None or self._fleet.ready)

    def _take_part(self, writer: Writer) -> asyncio.Task[None] | None:
        """Work off what the leader hands out, and hear what other processes' desks are told."""
        if self._fleet_desk is None or not isinstance(self._runner, Shards):
            return None
        self._start(self._keep_desk(writer))
        return self._start(self._runner.take_part(self._fleet_desk.heed))

    async def _keep_desk(self, writer: Writer) -> None:
        """Have the desk of a process that does not lead know what the leader subscribed to."""
        while True:
            await asyncio.sleep(DESK_SECONDS)
            if self._leads:
                continue
            try:
                self._desk.expect_only(await writer.call(subscriptions.pushed))
            except KeepstepError as error:
                log.warning("listener: %s", error)

    async def _lead_or_follow(self, writer: Writer, supervisor: Supervisor) -> None:
        """Do what only one process may do, while this is the one."""
        if self._leads and not self._leading:
            webhooks = Webhooks(writer, utc_now, lambda: self._situation.loaded)
            work = (
                self._housekeeping(writer).run(),
                self._rounds.run(),
                supervisor.run(),
                webhooks.run(),
            )
            self._leading = [asyncio.create_task(each) for each in work]
        elif not self._leads and self._leading:
            await self._follow()

    async def _follow(self) -> None:
        leading, self._leading = self._leading, []
        for task in leading:
            task.cancel()
        await asyncio.gather(*leading, return_exceptions=True)

    def _housekeeping(self, writer: Writer) -> Housekeeping:
        def may_judge() -> bool:
            return self._has_run

        return Housekeeping(
            writer, utc_now, lambda: self._situation.loaded, may_judge, jobs.server_zone()
        )

    async def _pause(self) -> None:
        """Wait for the next look, or until a job is due before it."""
        ahead = self._situation.agenda.until_next(utc_now())
        until_due = LOOK_SECONDS if ahead is None else ahead.total_seconds()
        try:
            async with asyncio.timeout(min(LOOK_SECONDS, until_due)):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _reload(
        self, writer: Writer, stack: AsyncExitStack, means: Means | None
    ) -> Means | None:
        """Notice changed settings and jobs; give the means to work with, None while unready."""
        try:
            self._situation.loaded = settings = await writer.call(load)
            require_ready(settings)
            definitions = await writer.call(jobs.definitions)
            before = self._situation.settings
            anew = before is None or access_of(settings) != access_of(before)
            if anew:
                await writer.call(sign_ins.switch_to, account_of(settings))
        except KeepstepError as error:
            self._complain(str(error))
            return means if error.code == "database-unavailable" else None
        self._complaint = ""
        self._situation.agenda.plan(definitions, utc_now())
        if means is None or settings != self._situation.settings:
            # Rounds under way keep the connections of the old settings until they end.
            means = await stack.enter_async_context(means_for(settings, writer))
            self._situation.settings = settings
        if anew:
            # What the old one knows of the server was learned by another way to it.
            self._situation.guard = Guard(account_of(settings))
        return means

    async def _arrange(self, supervisor: Supervisor, means: Means | None) -> None:
        """Have notifications go by the settings and jobs that hold now."""
        jobs_on = [job for job in self._situation.agenda.jobs if job.kind == jobs.SYNCHRONIZATION]
        contexts = frozenset(job.context for job in jobs_on)
        wanted = None if means is None else (means, contexts)
        if wanted == self._arranged:
            return
        self._arranged = wanted
        if means is None or means.notifier is None or self._situation.settings is None:
            self._rounds.go_by(None)
            await supervisor.arrange(None)
            return
        self._rounds.go_by(Terms(means, self._situation.manner()))
        notifier = GuardedNotifier(means.notifier, self._situation.guard, means.writer, utc_now)
        await supervisor.arrange(Arrangement(notifier, self._situation.settings, contexts))

    def _complain(self, message: str) -> None:
        if message != self._complaint:
            log.warning("not synchronizing: %s", message)
            self._complaint = message

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run_job(self, job: JobDefinition, means: Means) -> None:
        try:
            await self._runner.run(job, means)
            self._has_run = True
        except SessionLost:
            log.warning("job %s: not handed out, the database was lost", job.name)
        except KeepstepError as error:
            log.warning("job %s: %s", job.name, error)
        except Exception:
            log.exception("job %s failed", job.name)

    async def _break_off(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
