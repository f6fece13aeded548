"""What the tests of the contract share: a server, a mailbox, the connector, and short ways."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from keepstep.core.appointment import Appointment
from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import (
    Connector,
    Listing,
    NotAnAppointment,
    Target,
)
from keepstep_simulator import MailboxModel, Simulator

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NINE = datetime(2027, 3, 1, 9, 0)  # noqa: DTZ001 - read in the mailbox's zone
HOUR = timedelta(hours=1)
OPERATOR = "anna@example.com"
TARGET = Target(OPERATOR, "Europe/Berlin")


class ConnectorTests:
    """Fixtures and helpers; a subclass gives the connector under test, by `connector()`.

    `has_join_url`: the wire has a place for the address of an online meeting.
    """

    has_join_url = True

    def simulator(self) -> Simulator:
        """Give the server to read from."""
        return Simulator(clock=lambda: NOW)

    def connector(self, server: Simulator) -> Connector:
        """Give the connector under test."""
        raise NotImplementedError

    @pytest.fixture
    def server(self) -> Simulator:
        return self.simulator()

    @pytest.fixture
    def mailbox(self, server: Simulator) -> MailboxModel:
        return server.add_mailbox(OPERATOR, "Anna")

    @pytest.fixture
    async def reader(self, server: Simulator, mailbox: MailboxModel) -> AsyncIterator[Connector]:
        connector = self.connector(server)
        yield connector
        await connector.close()

    @pytest.fixture
    def made(self, mailbox: MailboxModel) -> Callable[..., str]:
        def make(**fields: Any) -> str:
            return mailbox.create(**{"start": NINE, "end": NINE + HOUR, **fields})

        return make

    # Helpers

    @staticmethod
    async def whole(reader: Connector, state: str | None, size: int) -> list[Listing]:
        listings = [await reader.changes(TARGET, state, size)]
        while not listings[-1].last:
            assert len(listings) < 50
            listings.append(await reader.changes(TARGET, listings[-1].sync_state, size))
        return listings

    @staticmethod
    def listed(listings: list[Listing]) -> list[str]:
        return [one.item_id for listing in listings for one in listing.changes]

    async def read_all(self, reader: Connector) -> dict[str, Appointment]:
        ids = self.listed(await self.whole(reader, None, 100))
        read = await reader.appointments(TARGET, ids, 100)
        assert not any(isinstance(one, NotAnAppointment) for one in read.values())
        return {one.item_id: one for one in self.appointments(read)}

    @staticmethod
    def appointments(read: dict[str, Any]) -> list[Appointment]:
        assert all(isinstance(one, Appointment) for one in read.values()), read
        return list(read.values())

    @staticmethod
    async def failure(asked: Any) -> str:
        with pytest.raises(ExchangeError) as raised:
            await asked
        return raised.value.code

    @staticmethod
    def wall(moment: datetime, zone: str) -> str:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
