"""A full page is never the last, whatever it says: one server measured says so too soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keepstep.exchange.connector import Target
from keepstep.exchange.ews.connector import EwsConnector
from keepstep_simulator import Fault, Simulator
from tests.simulated import SimulatedTransport

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANNA = Target("anna@example.com")


async def pages(items: int, batch_size: int, *faults: Fault) -> list[tuple[int, bool]]:
    """Read a calendar to its end; give of each page how many changes, and whether it is last."""
    simulator = Simulator(clock=lambda: NOW)
    mailbox = simulator.add_mailbox(ANNA.address)
    for number in range(items):
        start = NOW + timedelta(days=number)
        mailbox.create(subject=str(number), start=start, end=start + timedelta(hours=1))
    simulator.faults.add(*faults)
    connector = EwsConnector(SimulatedTransport(simulator), "Exchange2013")
    state, found = None, []
    while not found or not found[-1][1]:
        listing = await connector.changes(ANNA, state, batch_size)
        state = listing.sync_state
        found.append((len(listing.changes), listing.last))
    return found


@pytest.mark.parametrize("lie", [False, True])
async def test_all_pages_are_read_though_each_says_it_is_the_last(lie: bool) -> None:
    faults = [Fault("last-too-soon", times=None)] if lie else []
    assert await pages(7, 3, *faults) == [(3, False), (3, False), (1, True)]


async def test_where_the_last_page_is_full_an_empty_one_follows() -> None:
    assert await pages(6, 3) == [(3, False), (3, False), (0, True)]


async def test_an_empty_calendar_is_one_page() -> None:
    assert await pages(0, 1) == [(0, True)]
