"""The simulator as a transport: requests are answered in this process, without a socket."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from keepstep.exchange.ews.answer import RawAnswer
from keepstep_simulator import Request, Simulator


class SimulatedTransport:
    """Carries requests to a `Simulator`, signed in as its service account."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        pair = f"{simulator.username}:{simulator.password}".encode()
        self._authorization = "Basic " + base64.b64encode(pair).decode("ascii")

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        lower = {name.lower(): value for name, value in headers.items()}
        lower["authorization"] = self._authorization
        answer = self.simulator.answer(Request("POST", "/EWS/Exchange.asmx", lower, body))
        return RawAnswer(
            answer.status,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.body,
        )

    async def close(self) -> None:
        """Nothing is held open."""
