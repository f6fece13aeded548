"""The server's working day on a clock of the test's own: scheduled runs, notices, the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

from keepstep.core.errors import ExchangeError
from keepstep.core.skip import Policy
from keepstep.exchange.connector import Connector
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.notices.outbox import deliver
from keepstep.store import runs
from keepstep.store.settings import ApplicationSettings
from keepstep.store.writer import Writer
from keepstep.sync.guard import Guard
from keepstep.sync.round import Means
from keepstep.sync.run import Manner, RunResult
from keepstep.sync.service import run_over
from keepstep_simulator import Request, Simulator
from tests.engine import Clock
from tests.simulated import SimulatedTransport

TO = ("admin@example.com",)


class LossyTransport(SimulatedTransport):
    """Carries requests; where the server drops the connection, no answer comes."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        lower = {name.lower(): value for name, value in headers.items()}
        lower["authorization"] = self._authorization
        answer = self.simulator.answer(Request("POST", "/EWS/Exchange.asmx", lower, body))
        await asyncio.sleep(0)
        if answer.delivery.drop:
            code = "timed-out" if answer.delivery.wait else "connection-refused"
            raise ExchangeError(code, "dropped")
        names = {name.lower(): value for name, value in answer.headers.items()}
        return RawAnswer(answer.status, names, answer.body)


class Office:
    """Keepstep at work, to be used as an async context manager. `start_anew` is a restart."""

    def __init__(
        self,
        simulator: Simulator,
        clock: Clock,
        settings: ApplicationSettings | None = None,
        *,
        wrap: Callable[[Connector], Connector] = lambda connector: connector,
        connections: int = 8,
    ) -> None:
        self.simulator = simulator
        self.clock = clock
        self.settings = settings or ApplicationSettings(notify_sync_failure_to=TO)
        self.account = "account"
        self._wrap = wrap
        self._connections = connections
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Office:
        self.writer = await self._stack.enter_async_context(Writer())
        self.start_anew()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def start_anew(self) -> None:
        """Forget all that is only in memory."""
        self.guard = Guard(self.account, lambda: 0.0)
        transport = LossyTransport(self.simulator)
        connector = EwsConnector(transport, "Exchange2013", offload_above=None)
        self.means = Means(self._wrap(connector), self.writer, self.clock, Policy(), 100)

    async def run(self, *, by_command: bool = False) -> RunResult:
        """Run the job over what is due, or over all as `keepstep sync` does."""
        if by_command:
            ids = await self.writer.call(runs.mailboxes_of, None)
        else:
            ids = await self.writer.call(runs.due_mailboxes, runs.SYSTEM, self.clock())
        manner = Manner(
            connections=self._connections,
            notification_frequency=timedelta(minutes=self.settings.notification_frequency),
            retry_within=timedelta(seconds=10 if by_command else 0),
            guard=self.guard,
            notify=self.settings.notify_sync_failure_to,
            sleep=self._sleep,
            jitter=lambda: 0.0,
        )
        trigger = "command" if by_command else "schedule"
        return await run_over(
            self.means, manner, ids, job="CalendarSynchronization", trigger=trigger
        )

    async def work(self, *, minutes: int, every: int = 1) -> None:
        """Let the time pass, with a run `every` so many minutes, and send e-mails after each."""
        for _ in range(0, minutes, every):
            self.clock.go(minutes=every)
            await self.run()
            await self.send()

    async def send(self) -> int:
        """Send what is due."""
        return await deliver(self.writer, self.settings, self.clock)

    async def _sleep(self, seconds: float) -> None:
        self.clock.go(seconds=seconds)
        await asyncio.sleep(0)
