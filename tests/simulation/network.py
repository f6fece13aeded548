"""The way to the simulated Exchange and back: it takes time, loses requests and answers."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep_simulator import Request, Simulator
from keepstep_simulator.face import Answer
from tests.simulation.process import Process
from tests.simulation.trace import Trace, mark

PATIENCE = 100.0
_LARGEST = 64


@dataclass(slots=True)
class Weather:
    """How the network is: how often it loses a request or an answer, how often it is slow."""

    lost: float = 0.0
    slow: float = 0.0


class Network:
    """A transport of one process. `sent` is called with the mailbox before each request leaves."""

    def __init__(
        self,
        simulator: Simulator,
        process: Process,
        random: Random,
        weather: Weather,
        trace: Trace,
        sent: Callable[[Process, str], None],
    ) -> None:
        self._simulator = simulator
        self._process = process
        self._random = random
        self._weather = weather
        self._trace = trace
        self._sent = sent
        pair = f"{simulator.username}:{simulator.password}".encode()
        self._authorization = "Basic " + base64.b64encode(pair).decode("ascii")

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Give the simulator's answer after a while. Raises ExchangeError where none comes."""
        await self._process.point()
        email = headers["X-AnchorMailbox"]
        self._sent(self._process, email)
        lost = self._random.random() < self._weather.lost
        before = self._random.random() < 0.5
        await asyncio.sleep(self._latency())
        if lost and before:
            await self._never(email, "request lost")
        lower = {name.lower(): value for name, value in headers.items()}
        lower["authorization"] = self._authorization
        answer = self._simulator.answer(Request("POST", "/EWS/Exchange.asmx", lower, body))
        entry = self._simulator.log[-1]
        words = (entry.operation, answer.status, entry.fault or "", mark(answer.body))
        self._trace(self._process.name, email, *words)
        if lost:
            await self._never(email, "answer lost")
        await self._deliver(answer)
        await asyncio.sleep(self._latency())
        await self._process.point()
        headers_back = {name.lower(): value for name, value in answer.headers.items()}
        return RawAnswer(answer.status, headers_back, answer.body)

    async def close(self) -> None:
        """Nothing is held open."""

    def _latency(self) -> float:
        if self._random.random() < self._weather.slow:
            return self._random.uniform(1, 40)
        return self._random.uniform(0.002, 0.08)

    async def _never(self, email: str, what: str) -> None:
        self._trace(self._process.name, email, what)
        if self._random.random() < 0.5:
            await self._fail(PATIENCE, "timed-out")
        await self._fail(self._random.uniform(0, 1), "connection-refused")

    async def _deliver(self, answer: Answer) -> None:
        """Do to the answer what the simulator asks for, as a socket and our limits would."""
        how = answer.delivery
        seconds = how.wait + (how.drip or 0) * len(answer.body)
        if seconds >= PATIENCE:
            await self._fail(PATIENCE, "timed-out")
        await asyncio.sleep(seconds)
        if how.drop:
            await self._fail(0, "connection-refused")
        if how.cut is not None:
            await self._fail(0, "answer-unreadable")
        if how.repeat >= _LARGEST:
            await self._fail(0, "answer-too-large")

    async def _fail(self, seconds: float, code: str) -> None:
        await asyncio.sleep(seconds)
        await self._process.point()
        raise ExchangeError(code)
