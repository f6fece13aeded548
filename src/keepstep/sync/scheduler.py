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
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from keepstep.core.errors import KeepstepError
from keepstep.core.job_schedule import EveryMinutes, next_runs
from keepstep.core.shares import Shares, shares_of
from keepstep.store import jobs, runs, sign_ins, subscriptions
from keepstep.store.jobs import JobDefinition
from keepstep.store.mailboxes import TakenMailbox
from keepstep.store.runs import Shard
from keepstep.store.settings import ApplicationSettings, load
from keepstep.store.writer import Writer
from keepstep.sync.claims import Claims
from keepstep.sync.delivery.desk import Desk
from keepstep.sync.delivery.front import Front
from keepstep.sync.delivery.guarded import GuardedNotifier
from keepstep.sync.delivery.marks import Marks
from keepstep.sync.delivery.rounds import NotifiedRounds, Terms
from keepstep.sync.delivery.supervisor import Arrangement, Supervisor
from keepstep.sync.fleet.desk import FleetDesk
from keepstep.sync.fleet.fleet import Fleet
from keepstep.sync.fleet.order import Lane, NotYet, Order
from keepstep.sync.fleet.session import SessionLost
from keepstep.sync.fleet.turns import Turn, TurnConnector
from keepstep.sync.guard import Guard
from keepstep.sync.housekeeping import Housekeeping
from keepstep.sync.places import PlacesOfFleet, PlacesOfProcess
from keepstep.sync.precedence import Precedence
from keepstep.sync.round import Means, Outcome, poll
from keepstep.sync.run import Manner, Work
from keepstep.sync.service import (
    VERIFICATION,
    access_of,
    account_of,
    current_policy,
    giving_way,
    manner_of,
    means_for,
    require_ready,
    run_over,
    run_share,
    utc_now,
    work_of,
)
from keepstep.sync.webhooks import Webhooks

log = logging.getLogger("keepstep.scheduler")

LOOK_SECONDS = 1.0
RELOAD_SECONDS = 5.0
# A verification waits so long for all mailboxes of its context before it begins with some.
GATHER_SECONDS = 30.0
DESK_SECONDS = 2.0
# A shard in somebody's hands is asked for again after so long.
TURN_SECONDS = 2.0
# What of a shard lasts longer than this is set apart from it.
SLOW_SECONDS = 10.0
# Orders in hand are given so long to be finished or handed back when the process is to stop.
HAND_BACK_SECONDS = 12.0


class Scheduler:
    """Runs the enabled jobs on their schedules until told to stop."""

    def __init__(self, fleet: Fleet | None = None) -> None:
        self._fleet = fleet
        self._stopping = asyncio.Event()
        self._claims = Claims()
        self._tasks: set[asyncio.Task[None]] = set()
        self._jobs: dict[str, JobDefinition] = {}
        self._due: dict[str, tuple[JobDefinition, datetime]] = {}
        # As they stand, and those that rounds go by: which lets them be read, and is complete.
        self._loaded: ApplicationSettings | None = None
        self._settings: ApplicationSettings | None = None
        self._guard = Guard()
        self._precedence = Precedence()
        self._has_run = False
        self._complaint = ""
        self._marks = Marks(time.monotonic)
        self._desk = Desk(self._marks, utc_now)
        self._fleet_desk = FleetDesk(self._desk, fleet, utc_now) if fleet is not None else None
        places = PlacesOfProcess(self._claims) if fleet is None else PlacesOfFleet(fleet)
        self._rounds = NotifiedRounds(self._marks, places)
        self._means: Means | None = None
        self._leading: list[asyncio.Task[None]] = []
        self._first_rounds_ended: Callable[[], None] = lambda: None
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
                        self._means = await self._reload(writer, stack, self._means)
                        await self._arrange(supervisor, self._means)
                        reload_at = loop.time() + RELOAD_SECONDS
                    await self._lead_or_follow(writer, supervisor)
                    if self._means is not None and self._may_hand_out:
                        self._start_due(self._means)
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
        if self._fleet is None or self._fleet_desk is None:
            return None
        self._start(self._keep_desk(writer))
        return self._start(self._fleet.run(self._work_off, self._shares, self._fleet_desk.heed))

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
            webhooks = Webhooks(writer, utc_now, lambda: self._loaded)
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

        return Housekeeping(writer, utc_now, lambda: self._loaded, may_judge, jobs.server_zone())

    async def _pause(self) -> None:
        """Wait for the next look, or until a job is due before it."""
        now = utc_now()
        ahead = [(due - now).total_seconds() for _, due in self._due.values() if due > now]
        try:
            async with asyncio.timeout(min([LOOK_SECONDS, *ahead])):
                await self._stopping.wait()
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
        self._jobs = {each.name: each for each in definitions if each.enabled}
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
        self._rounds.go_by(Terms(means, self._manner()))
        notifier = GuardedNotifier(means.notifier, self._guard, means.writer, utc_now)
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

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run_job(self, job: JobDefinition, means: Means) -> None:
        try:
            if self._fleet is not None:
                await self._hand_out(job, means)
                return
            due = await means.writer.call(
                runs.due_mailboxes, job.context, utc_now(), safety_poll=self._safety_poll(job)
            )
            if job.kind == VERIFICATION:
                await self._run_in_turn(job, means, due)
            else:
                await self._run_over(job, means, self._claims.claim(due, job.kind))
        except SessionLost:
            log.warning("job %s: not handed out, the database was lost", job.name)
        except KeepstepError as error:
            log.warning("job %s: %s", job.name, error)
        except Exception:
            log.exception("job %s failed", job.name)

    def _safety_poll(self, job: JobDefinition) -> timedelta | None:
        assert self._settings is not None, "a job runs only where they were read"
        return None if job.kind == VERIFICATION else timedelta(minutes=self._settings.safety_poll)

    def _manner(self, work: Work = poll) -> Manner:
        """Give how this process goes about a run."""
        assert self._settings is not None, "a job runs only where they were read"
        return manner_of(self._settings, work=work, guard=self._guard, precedence=self._precedence)

    def _shares(self) -> Shares | None:
        """Give how connections are divided in the fleet, None while nothing is to be done."""
        if self._means is None or self._settings is None:
            return None
        return shares_of(self._settings.connection_limit)

    async def _hand_out(self, job: JobDefinition, means: Means) -> None:
        """Hand the shards out in which mailboxes are due."""
        assert self._fleet is not None, "only a fleet has others to hand to"
        call, now = means.writer.call, utc_now()
        shards = await call(runs.due_shards, job.context, now, safety_poll=self._safety_poll(job))
        run = await call(runs.begin_run, job.name, "schedule", now)
        await call(runs.add_to_run, run, now, {})
        divided = self._shares()
        has_lanes = divided is not None and divided.first.jobs > 0
        await self._fleet.hand_out(
            [
                Order(
                    job.name,
                    Lane.FIRST if each.long and has_lanes else Lane.LIVING,
                    each.number,
                    each.long,
                    run,
                )
                for each in shards
            ]
        )
        self._has_run = True

    async def _work_off(self, order: Order, turn: Turn) -> None:
        """Do one order: take its turn, see what of it is still due, run the job over that."""
        means, job = self._means, self._jobs.get(order.job)
        divided = self._shares()
        if means is None or job is None or divided is None:
            return
        share = divided.first if order.lane is Lane.FIRST else divided.living
        due = partial(
            runs.due_mailboxes,
            job.context,
            utc_now(),
            safety_poll=self._safety_poll(job),
            shard=Shard(order.shard, order.long),
        )
        try:
            if not await turn.take_shard(order.shard):
                raise NotYet(TURN_SECONDS)
            ids = await means.writer.call(due)
            missing = False
            if order.long:
                taken = await turn.take_apart(ids)
                missing, ids = len(taken) < len(ids), taken
                await turn.let_go_of_shard()
            else:
                elsewhere = await turn.elsewhere()
                ids = [each for each in ids if each not in elsewhere]
            await self._run_share(order, job, means, ids, share.connections, turn)
            if missing:
                # Whoever has them may have stopped: they are looked for again before the next tick.
                raise NotYet(TURN_SECONDS)
        except SessionLost:
            raise NotYet(0) from None
        except KeepstepError as error:
            log.warning("job %s: %s", job.name, error)

    async def _run_share(
        self,
        order: Order,
        job: JobDefinition,
        means: Means,
        ids: list[int],
        connections: int,
        turn: Turn,
    ) -> None:
        """Run over a shard's mailboxes; the slow ones are set apart: none waits for them."""
        held = set(ids)

        async def and_let_go(
            mailbox: TakenMailbox, means: Means, outcome: Outcome, *, full: bool = False
        ) -> None:
            try:
                await work_of(job.kind)(mailbox, means, outcome, full=full)
            finally:
                held.discard(mailbox.id)
                await turn.done_with(mailbox.id)

        async def set_slow_apart() -> None:
            await asyncio.sleep(SLOW_SECONDS)
            await turn.set_apart(sorted(held))

        manner = replace(self._manner(and_let_go), connections=connections)
        within = replace(means, connector=TurnConnector(means.connector, turn))
        if order.long:
            within, manner = giving_way(within, manner)
        slow = asyncio.create_task(set_slow_apart())
        try:
            await run_share(
                within,
                manner,
                ids,
                run=order.run,
                job=job.name,
                shard=order.shard,
                policy=current_policy,
            )
        finally:
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)

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
            lasting: set[int] = set()
            if job.kind != VERIFICATION:
                lasting = await means.writer.call(runs.lasting, ids)
            await run_over(
                means,
                self._manner(and_let_go),
                [each for each in ids if each not in lasting],
                job=job.name,
                trigger="schedule",
                policy=current_policy,
                lasting=sorted(lasting),
            )
            self._has_run = True
            if lasting:
                self._first_rounds_ended()
        finally:
            self._claims.release(held)

    async def _break_off(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
