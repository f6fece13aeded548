"""Running a job in a fleet: its shards are handed out, and each process works off what it is given.

The leader hands out; any process works off, the leader among them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from keepstep.core.errors import KeepstepError
from keepstep.store import runs
from keepstep.store.jobs import JobDefinition
from keepstep.store.mailboxes import TakenMailbox
from keepstep.store.runs import Shard
from keepstep.sync.fleet.fleet import Fleet
from keepstep.sync.fleet.order import Lane, NotYet, Order
from keepstep.sync.fleet.session import SessionLost
from keepstep.sync.fleet.turns import Turn, TurnConnector
from keepstep.sync.round import Means, Outcome
from keepstep.sync.service import current_policy, giving_way, run_share, utc_now, work_of
from keepstep.sync.situation import Situation

log = logging.getLogger("keepstep.scheduler")

# A shard in somebody's hands is asked for again after so long.
TURN_SECONDS = 2.0
# What of a shard lasts longer than this is set apart from it.
SLOW_SECONDS = 10.0


class Shards:
    """Hands the shards of a job out to the fleet, and works them off."""

    def __init__(self, situation: Situation, fleet: Fleet) -> None:
        self._situation = situation
        self._fleet = fleet

    async def take_part(self, heed: Callable[[str], None]) -> None:
        """Work off what is handed out until the fleet is stopped; `heed` as `Fleet.run` has it."""
        await self._fleet.run(self._work_off, lambda: self._situation.shares, heed)

    async def run(self, job: JobDefinition, means: Means) -> None:
        """Hand the shards out in which mailboxes are due. Raises KeepstepError, SessionLost."""
        call, now = means.writer.call, utc_now()
        safety_poll = self._situation.safety_poll(job)
        shards = await call(runs.due_shards, job.context, now, safety_poll=safety_poll)
        run = await call(runs.begin_run, job.name, "schedule", now)
        await call(runs.add_to_run, run, now, {})
        await self._fleet.hand_out([self._order(job, each, run) for each in shards])

    def _order(self, job: JobDefinition, shard: Shard, run: int) -> Order:
        divided = self._situation.shares
        has_lanes = divided is not None and divided.first.jobs > 0
        lane = Lane.FIRST if shard.long and has_lanes else Lane.LIVING
        return Order(job.name, lane, shard.number, shard.long, run)

    async def _work_off(self, order: Order, turn: Turn) -> None:
        """Do one order: take its turn, see what of it is still due, run the job over that."""
        means, job = self._situation.means, self._situation.agenda.find(order.job)
        divided = self._situation.shares
        if means is None or job is None or divided is None:
            return
        share = order.lane.share_of(divided)
        due = partial(
            runs.due_mailboxes,
            job.context,
            utc_now(),
            safety_poll=self._situation.safety_poll(job),
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

        manner = replace(self._situation.manner(and_let_go), connections=connections)
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
