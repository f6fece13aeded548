"""The connectors that tell of changes, each held to the contract, over real sockets."""

from __future__ import annotations

from contextlib import AsyncExitStack

from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.sign_in import BasicSignIn
from keepstep.exchange.ews.transport import HttpTransport
from keepstep.exchange.notification import NotifyingConnector
from keepstep_simulator import Simulator, serving
from tests.contract.harness import NOW
from tests.contract.notifier import (
    QUICK,
    AbstractConnected,
    NotifierContract,
    PushContract,
    StreamContract,
    WithoutStreams,
)


class _Connected(AbstractConnected):
    def __init__(self, server: Simulator, version: str) -> None:
        self._server = server
        self._version = version
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> NotifyingConnector:
        url = await self._stack.enter_async_context(serving(self._server))
        sign_in = BasicSignIn(self._server.username, self._server.password)
        transport = HttpTransport(f"{url.removesuffix('/')}", sign_in)
        connector = EwsConnector(transport, self._version, now=lambda: NOW)
        self._stack.push_async_callback(connector.close)
        return connector

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


class _Ews(NotifierContract):
    version = ""

    def simulator(self) -> Simulator:
        return Simulator(clock=lambda: NOW, version=self.version, pace=QUICK)

    def connected(self, server: Simulator) -> AbstractConnected:
        return _Connected(server, self.version)


class TestExchange2010(_Ews, PushContract, WithoutStreams):
    """A server of 2010 before its second service pack: push alone."""

    version = "Exchange2010"


class TestExchange2013(_Ews, PushContract, StreamContract):
    """A server of 2013."""

    version = "Exchange2013"


class TestExchange2019(_Ews, PushContract, StreamContract):
    """A server of 2019."""

    version = "Exchange2019"
