"""The connectors, each held to the contract."""

from __future__ import annotations

from keepstep.exchange.connector import Connector
from keepstep.exchange.ews.connector import EwsConnector
from keepstep_simulator import Simulator
from tests.contract.connector import ConnectorContract
from tests.contract.harness import NOW
from tests.simulated import SimulatedTransport


class _Ews(ConnectorContract):
    version = ""
    server_version = ""

    def simulator(self) -> Simulator:
        return Simulator(clock=lambda: NOW, version=self.server_version or self.version)

    def connector(self, server: Simulator) -> Connector:
        return EwsConnector(SimulatedTransport(server), self.version, now=lambda: NOW)


class TestExchange2010(_Ews):
    """A server of 2010, spoken to as such: its wire has no address of an online meeting."""

    version = "Exchange2010"
    has_join_url = False


class TestExchange2013(_Ews):
    """A server of 2013."""

    version = "Exchange2013"


class TestExchange2019(_Ews):
    """A server of 2019, by the newest request version."""

    version = "Exchange2019"


class TestExchange2019SetAs2010(_Ews):
    """A new server whose administrator left an old version set."""

    version = "Exchange2010"
    server_version = "Exchange2019"
    has_join_url = False
