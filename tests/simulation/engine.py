"""The product's engine as `serve` and `sync` run it, in a process that the test owns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from keepstep.core.errors import KeepstepError
from keepstep.core.skip import Policy
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.store import runs
from keepstep.store.mailboxes import TakenMailbox
from keepstep.sync.claims import Claims
from keepstep.sync.guard import Guard
from keepstep.sync.round import Means, Outcome, poll
from keepstep.sync.run import RETRY_WITHIN, Manner, RunResult, Work
from keepstep.sync.service import SYNCHRONIZATION, VERIFICATION, run_over
from keepstep.sync.verify import Verification
from keepstep_simulator import Simulator
from tests.simulation.network import Network, Weather
from tests.simulation.process import Process
from tests.simulation.store import DiskTrouble, SimulatedWriter
from tests.simulation.trace import Trace
from tests.simulation.watch import Watch


@dataclass(frozen=True, slots=True)
class Settings:
    """What the application settings would say."""

    policy: Policy
    batch_size: int
    version: str
    connections: int
    notification_frequency: timedelta
    every: timedelta


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all processes share: the world that the test owns."""

    simulator: Simulator
    clock: Callable[[], datetime]
    weather: Weather
    disk: DiskTrouble
    trace: Trace
    watch: Watch
    random: Random
    died: Callable[[Process], None]


class Engine:
    """One process with its connector and writer."""

    def __init__(self, name: str, settings: Settings, around: Surroundings) -> None:
        self.process = Process(name)
        self.settings = settings
        self._around = around
        self._claims = Claims()
        self._ticking: asyncio.Task[None] | None = None
        self.results: list[RunResult] = []
        seed = f"{name}:{around.random.random()}"
        self._jitter = Random(f"{seed}:jitter")
        network = Network(
            around.simulator,
            self.process,
            Random(f"{seed}:network"),
            around.weather,
            around.trace,
            around.watch.sent,
        )
        writer = SimulatedWriter(
            self.process,
            Random(f"{seed}:writer"),
            around.disk,
            around.trace,
            around.watch.of(self.process),
            around.died,
        )
        connector = EwsConnector(network, settings.version, now=around.clock, offload_above=None)
        self._guard = Guard("account", self._jitter.random)
        self._means = Means(connector, writer, around.clock, settings.policy, settings.batch_size)

    @property
    def serves(self) -> bool:
        """Whether it is one that goes on by itself."""
        return self._ticking is not None

    def serve(self) -> None:
        """Begin to do what the scheduler does, until killed or stopped."""
        self._ticking = self.process.start(self._serve())

    def stop(self) -> None:
        """Begin no further runs."""
        if self._ticking is not None:
            self._ticking.cancel()

    async def _serve(self) -> None:
        while True:
            await self.process.point()
            self.process.start(self.tick())
            await asyncio.sleep(self.settings.every.total_seconds())

    async def tick(self, *, verification: Verification | None = None) -> None:
        """Run the job over the mailboxes that are due and that it is not yet at work on.

        Each is let go of as soon as it is done, as the scheduler does it: the next run may take it
        while this one still waits for others.
        """
        job = SYNCHRONIZATION if verification is None else VERIFICATION
        do: Work = poll if verification is None else verification.verify
        held: set[int] = set()

        async def work(
            mailbox: TakenMailbox, means: Means, outcome: Outcome, *, full: bool = False
        ) -> None:
            try:
                await do(mailbox, means, outcome, full=full)
            finally:
                held.discard(mailbox.id)
                self._claims.release([mailbox.id])

        try:
            due = await self._means.writer.call(
                runs.due_mailboxes, runs.SYSTEM, self._around.clock()
            )
            ids = self._claims.claim(due, job)
            held.update(ids)
            await self._run(ids, "schedule", job=job, work=work)
        except KeepstepError as error:
            self._around.trace(self.process.name, "run broken off:", error.code)
        finally:
            self._claims.release(held)

    async def command(self, *, full: bool) -> None:
        """Do what `keepstep sync` does: all mailboxes, at once, whatever their own back-off."""
        try:
            ids = await self._means.writer.call(runs.mailboxes_of, None)
            await self._run(
                ids, "command", job=SYNCHRONIZATION, full=full, retry_within=RETRY_WITHIN
            )
        except KeepstepError as error:
            self._around.trace(self.process.name, "command broken off:", error.code)

    async def _run(self, ids: Sequence[int], trigger: str, *, job: str, **given: Any) -> None:
        manner = Manner(
            connections=self.settings.connections,
            notification_frequency=self.settings.notification_frequency,
            sleep=self._sleep,
            jitter=self._jitter.random,
            guard=self._guard,
            notify=("lead@example.com",),
            **given,
        )
        result = await run_over(self._means, manner, ids, job=job, trigger=trigger)
        self.results.append(result)
        self._around.watch.ran(self.process, result)

    async def _sleep(self, seconds: float) -> None:
        await self.process.point()
        await asyncio.sleep(seconds)
        await self.process.point()
