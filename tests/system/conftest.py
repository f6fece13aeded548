"""What the system tests begin with: an Exchange on a real socket, and an installed product."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keepstep_simulator import Simulator, SimulatorThread
from tests.system.machines import ANNA
from tests.system.product import Keepstep
from tests.system.shell import Shell


@pytest.fixture
def exchange() -> Iterator[SimulatorThread]:
    """An Exchange server that goes by the machine's clock, as the product does."""
    with SimulatorThread(Simulator(clock=lambda: datetime.now(UTC), seed=1)) as served:
        yield served


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a database set up, to copy: it takes longer than most commands."""
    product = Keepstep(tmp_path_factory.mktemp("empty"))
    product.do("migrate")
    return product.home


@pytest.fixture(scope="session")
def with_anna(tmp_path_factory: pytest.TempPathFactory, empty_home: Path) -> Path:
    """The same with one operator, Anna, whose calendar sync is on."""
    home = shutil.copytree(empty_home, tmp_path_factory.mktemp("anna") / "home")
    assert Shell(home)("operators", "add", ANNA, "calendar_sync=on").status == 0
    return home


@pytest.fixture
def ready(tmp_path: Path, empty_home: Path) -> Shell:
    """Commands in a home that is set up."""
    return Shell(shutil.copytree(empty_home, tmp_path / "home"))


@pytest.fixture
def keepstep(tmp_path: Path, empty_home: Path, exchange: SimulatorThread) -> Keepstep:
    """An installation that was told how to reach the Exchange; it has no operators yet."""
    home = tmp_path / "home"
    shutil.copytree(empty_home, home)
    product = Keepstep(home)
    product.set(
        calendar_integration="on",
        exchange_url=exchange.url,
        exchange_version="Exchange2013",
        username=exchange.simulator.username,
        password=exchange.simulator.password,
    )
    return product
