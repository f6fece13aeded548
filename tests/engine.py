"""The product's engine for tests: real rounds and store, an Exchange in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from keepstep.core.skip import Policy
from keepstep.exchange.connector import Connector
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.store import mailboxes, runs
from keepstep.store.models import Mailbox, Operator
from keepstep.store.writer import Writer
from keepstep.sync.round import Means, poll
from keepstep.sync.run import Manner, Run, RunResult, Work
from keepstep.sync.verify import Verification
from keepstep_simulator import Simulator
from tests.simulated import SimulatedTransport

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go(self, **length: float) -> None:
        self.now += timedelta(**length)


def add_operator(email: str, *, time_zone: str = "Europe/Berlin", group: str = "") -> int:
    """Add an operator with calendar sync on; give the mailbox's number."""
    operator = Operator.objects.create(
        email=email, name=email, calendar_sync=True, access_group=group, time_zone=time_zone
    )
    return int(Mailbox.objects.create(operator=operator).pk)


class Engine:
    """Runs CalendarSynchronization over all operators against a simulator."""

    def __init__(
        self,
        simulator: Simulator,
        clock: Callable[[], datetime],
        *,
        policy: Policy | None = None,
        batch_size: int = 100,
        version: str = "Exchange2013",
        wrap: Callable[[Connector], Connector] = lambda connector: connector,
    ) -> None:
        self.simulator = simulator
        self.clock = clock
        self.policy = policy or Policy()
        self.batch_size = batch_size
        self.version = version
        self.wrap = wrap

    def sync(self, emails: Sequence[str] | None = None, *, full: bool = False) -> RunResult:
        """Run once, to the end; give what was done."""
        return asyncio.run(self._sync(emails, full=full))

    def verify(self) -> tuple[RunResult, Verification]:
        """Compare every mailbox and mend it; give what was done, and the drift found."""
        found = Verification()
        return asyncio.run(self._sync(None, full=False, work=found.verify)), found

    async def _sync(
        self, emails: Sequence[str] | None, *, full: bool, work: Work = poll
    ) -> RunResult:
        connector = EwsConnector(
            SimulatedTransport(self.simulator), self.version, offload_above=None
        )
        async with Writer() as writer:
            ids = await writer.call(runs.mailboxes_of, emails)
            taken = await writer.call(mailboxes.take, ids)
            means = Means(self.wrap(connector), writer, self.clock, self.policy, self.batch_size)
            manner = Manner(
                connections=8,
                notification_frequency=timedelta(minutes=30),
                full=full,
                work=work,
            )
            result = await Run(means, manner).over(taken)
            result.requests = connector.requests
            return result
