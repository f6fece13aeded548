"""The product's side of notifications in one process, over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from keepstep.core.delivery import Delivery
from keepstep.core.skip import Policy
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.sign_in import BasicSignIn
from keepstep.exchange.ews.transport import HttpTransport
from keepstep.store import runs
from keepstep.store.settings import ApplicationSettings
from keepstep.store.writer import Writer
from keepstep.sync.claims import Claims
from keepstep.sync.delivery.desk import Desk
from keepstep.sync.delivery.guarded import GuardedNotifier
from keepstep.sync.delivery.making import LISTENER_PATH, Arrangement
from keepstep.sync.delivery.marks import Marks
from keepstep.sync.delivery.rounds import NotifiedRounds, Terms
from keepstep.sync.delivery.supervisor import Supervisor
from keepstep.sync.guard import Guard
from keepstep.sync.places import PlacesOfProcess
from keepstep.sync.round import Means
from keepstep.sync.run import Manner, RunResult
from keepstep.sync.service import run_over
from keepstep_simulator import Simulator
from tests.engine import Clock

SOON = 15.0


class Hearing:
    """Keepstep that is told of changes. An async context manager; leaving it is a crash.

    `reachable`: Exchange can call the listener.
    """

    def __init__(
        self,
        server: Simulator,
        url: str,
        clock: Clock,
        delivery: Delivery,
        *,
        reachable: bool = True,
        safety_poll: int = 60,
    ) -> None:
        self.clock = clock
        self._server = server
        self._url = url
        self._reachable = reachable
        self.settings = ApplicationSettings(delivery=delivery, safety_poll=safety_poll)
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Hearing:
        self.writer = await self._stack.enter_async_context(Writer())
        sign_in = BasicSignIn(self._server.username, self._server.password)
        connector = EwsConnector(HttpTransport(self._url, sign_in), "Exchange2016")
        self._stack.push_async_callback(connector.close)
        self.guard = Guard("account", lambda: 0.0)
        self.means = Means(connector, self.writer, self.clock, Policy(), 100, notifier=connector)
        self.manner = Manner(
            connections=8,
            notification_frequency=timedelta(minutes=30),
            guard=self.guard,
            jitter=lambda: 0.0,
        )
        self.claims = Claims()
        self.marks = Marks(time.monotonic)
        self.desk = Desk(self.marks, self.clock)
        self.rounds = NotifiedRounds(self.marks, PlacesOfProcess(self.claims))
        self.rounds.go_by(Terms(self.means, self.manner))
        self.supervisor = Supervisor(
            self.writer, self.marks, self.desk, clock=self.clock, jitter=lambda: 0.0
        )
        self._notifier = GuardedNotifier(connector, self.guard, self.writer, self.clock)
        await self.arrange(notification_url=await self._listen())
        self._tasks = [
            asyncio.create_task(self.rounds.run()),
            asyncio.create_task(self.supervisor.run()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def arrange(self, **changed: Any) -> None:
        """Change settings, as the scheduler does that notices it."""
        self.settings = replace(self.settings, **changed)
        contexts = frozenset({runs.SYSTEM})
        await self.supervisor.arrange(Arrangement(self._notifier, self.settings, contexts))

    async def _listen(self) -> str:
        async def take(request: web.Request) -> web.Response:
            answer = await self.desk.take(request.match_info["token"], await request.read())
            return web.Response(status=answer.status, body=answer.body)

        application = web.Application()
        application.router.add_post(f"/{LISTENER_PATH}/{{token}}", take)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}" if self._reachable else "http://127.0.0.1:9"

    async def run(self) -> RunResult:
        """Run the job as the schedule does: over what is due beside the notifications."""
        safety_poll = timedelta(minutes=self.settings.safety_poll)
        due = await self.writer.call(
            runs.due_mailboxes, runs.SYSTEM, self.clock(), safety_poll=safety_poll
        )
        ids = self.claims.claim(due, "CalendarSynchronization")
        try:
            result = await run_over(
                self.means, self.manner, ids, job="CalendarSynchronization", trigger="schedule"
            )
        finally:
            self.claims.release(ids)
        self.supervisor.wake()
        return result

    async def due(self) -> int:
        """Give how many mailboxes the job would poll now."""
        safety_poll = timedelta(minutes=self.settings.safety_poll)
        return len(
            await self.writer.call(
                runs.due_mailboxes, runs.SYSTEM, self.clock(), safety_poll=safety_poll
            )
        )


async def until(true: Callable[[], bool], what: str, seconds: float = SOON) -> None:
    """Wait until it is so; fail after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {seconds} s in vain for {what}") from None
