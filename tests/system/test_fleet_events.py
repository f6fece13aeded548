"""Workers come and go, and so does the database: the work goes on within seconds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keepstep.core.decisions import RowState
from keepstep.store.models import Appointment, Mailbox
from keepstep.store.models import Worker as Row
from keepstep_simulator import Fault, Simulator, SimulatorThread
from tests import database
from tests.system.database_proxy import Proxy
from tests.system.fleet import Fleet, OnPostgresql
from tests.system.product import terminate, wait_for

AWAY = 60 if os.environ.get("KEEPSTEP_SOAK") else 10
MAILBOXES = 12
NAME = database.own("keepstep_events")


@pytest.fixture
def exchange() -> Iterator[SimulatorThread]:
    simulator = Simulator(clock=lambda: datetime.now(UTC), seed=1, version="Exchange2016")
    for number in range(MAILBOXES):
        simulator.add_mailbox(f"m{number:02}@example.com")
    with SimulatorThread(simulator) as served:
        meet_in_all(served, "First")
        yield served


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(database.server()) as proxy:
        yield proxy


@pytest.fixture
def keepstep(tmp_path: Path, exchange: SimulatorThread, proxy: Proxy) -> Iterator[OnPostgresql]:
    database.new_postgresql(NAME)
    (tmp_path / "home").mkdir()
    product = OnPostgresql(tmp_path / "home", NAME, port=proxy.port)
    product.do("migrate")
    product.set(
        calendar_integration="on",
        exchange_url=exchange.url,
        exchange_version="Exchange2016",
        username=exchange.simulator.username,
        password=exchange.simulator.password,
        delivery="streaming",
    )
    product.import_operators(*(f"{each},UTC," for each in exchange.simulator.mailboxes))
    product.do("jobs", "enable", "CalendarSynchronization")
    yield product
    database.connections.close_all()


def meet_in_all(exchange: SimulatorThread, subject: str) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)

    def meet() -> None:
        for box in exchange.simulator.mailboxes.values():
            box.create(start=start, end=start + timedelta(hours=1), subject=subject)

    exchange.call(meet)


def everywhere(subject: str) -> bool:
    rows = Appointment.objects.filter(state=RowState.LIVE, subject=subject)
    return rows.count() == MAILBOXES


def told_of_all() -> bool:
    return Mailbox.objects.filter(covered_until__gt=datetime.now(UTC)).count() == MAILBOXES


def slow(exchange: SimulatorThread, seconds: float) -> None:
    exchange.call(
        lambda: exchange.simulator.faults.add(Fault("slow", "GetItem", times=None, seconds=seconds))
    )


def in_hand(exchange: SimulatorThread, fleet: Fleet) -> list[int]:
    """Give the numbers of the processes that have asked for appointments."""
    agents = exchange.call(
        lambda: {each.agent for each in exchange.simulator.log if each.operation == "GetItem"}
    )
    return [each.pid for each in fleet.alive() if any(f"({each.pid})" in one for one in agents)]


def test_a_database_that_is_away_for_a_while_is_ridden_out(
    keepstep: OnPostgresql, exchange: SimulatorThread, proxy: Proxy
) -> None:
    with Fleet(keepstep, 2) as fleet:
        wait_for(lambda: everywhere("First"), "the first rounds")
        wait_for(told_of_all, "all to be told of", seconds=60)
        proxy.close()
        meet_in_all(exchange, "Meanwhile")
        time.sleep(AWAY)
        assert len(fleet.alive()) == 2
        assert not everywhere("Meanwhile")
        proxy.open()
        wait_for(lambda: everywhere("Meanwhile"), "what was changed meanwhile", seconds=90)
        wait_for(lambda: Row.objects.count() == 2, "both to take part again")
        meet_in_all(exchange, "After")
        wait_for(lambda: everywhere("After"), "what was changed after it", seconds=90)
        for each in fleet.alive():
            assert terminate(each.process, within=30) == 0
        assert Row.objects.count() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_worker_has_in_hand_when_it_goes_is_done_by_another(
    keepstep: OnPostgresql, exchange: SimulatorThread, how: signal.Signals
) -> None:
    slow(exchange, 25)
    with Fleet(keepstep, 1) as fleet:
        (first,) = fleet.workers
        wait_for(lambda: in_hand(exchange, fleet) == [first.pid], "a worker to be in the midst")
        fleet.start()
        wait_for(lambda: Row.objects.count() == 2, "the other worker")
        exchange.call(exchange.simulator.faults.clear)
        began = time.monotonic()
        first.process.send_signal(how)
        first.process.wait(timeout=30)
        wait_for(
            lambda: everywhere("First"),
            "the other to do what was in hand",
            seconds=began + 30 - time.monotonic(),
        )
        # The process that leads is another now: changes are told of to it.
        wait_for(told_of_all, "all to be told of", seconds=90)
        meet_in_all(exchange, "After")
        wait_for(lambda: everywhere("After"), "what was changed after it")
