"""Running a job where this process has all the work: over the mailboxes that no other job has."""

from __future__ import annotations

from collections.abc import Callable

from keepstep.store import runs
from keepstep.store.jobs import JobDefinition
from keepstep.store.mailboxes import TakenMailbox
from keepstep.sync.claims import Claims
from keepstep.sync.round import Means, Outcome
from keepstep.sync.service import VERIFICATION, current_policy, run_over, utc_now, work_of
from keepstep.sync.situation import Situation

# A verification waits so long for all mailboxes of its context before it begins with some.
GATHER_SECONDS = 30.0


class Alone:
    """Runs jobs by itself. `first_rounds_ended` is called when mailboxes have had theirs."""

    def __init__(
        self, situation: Situation, claims: Claims, first_rounds_ended: Callable[[], None]
    ) -> None:
        self._situation = situation
        self._claims = claims
        self._first_rounds_ended = first_rounds_ended

    async def run(self, job: JobDefinition, means: Means) -> None:
        """Run the job over its due mailboxes, to the end. Raises KeepstepError."""
        due = await means.writer.call(
            runs.due_mailboxes, job.context, utc_now(), safety_poll=self._situation.safety_poll(job)
        )
        if job.kind == VERIFICATION:
            await self._run_in_turn(job, means, due)
        else:
            await self._run_over(job, means, self._claims.claim(due, job.kind))

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
                self._situation.manner(and_let_go),
                [each for each in ids if each not in lasting],
                job=job.name,
                trigger="schedule",
                policy=current_policy,
                lasting=sorted(lasting),
            )
            if lasting:
                self._first_rounds_ended()
        finally:
            self._claims.release(held)
