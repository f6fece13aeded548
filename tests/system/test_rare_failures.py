"""Failures of the catalogue that no other test of the whole brings about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from keepstep.core.page import Listing, ReadItem
from keepstep.exchange.connector import Connector, Folder, Target
from keepstep_simulator import Fault, Simulator, SimulatorThread
from tests.engine import Clock, Engine, add_operator
from tests.system.machines import ANNA, exchange
from tests.system.shell import Shell

BEN = "ben@example.com"


def installed(home: Path, url: str) -> Shell:
    shell = Shell(home)
    shell(
        "settings", "set", f"exchange_url={url}", "username=svc", "password=-",
        "calendar_integration=on", given="secret\n",
    )  # fmt: skip
    assert shell("operators", "add", ANNA, "calendar_sync=on").status == 0
    return shell


def test_an_item_that_can_not_be_read_is_told_of_and_its_mailbox_is_in_step(
    tmp_path: Path,
) -> None:
    with SimulatorThread(exchange()) as server:
        shell = installed(tmp_path / "home", server.url)
        server.simulator.faults.add(Fault("poisoned", "GetItem", ANNA, times=None))
        done = shell("sync", "--json")
    assert (done.status, done.json["succeeded"], done.json["failed"]) == (1, 1, 0)
    [failure] = done.json["failures"]
    [item] = server.simulator.mailboxes[ANNA].items()
    assert (failure["operator"], failure["code"]) == (ANNA, "item-unreadable")
    assert item.id in failure["message"]


def test_an_exchange_that_answers_slowly_is_a_warning_of_the_doctor(tmp_path: Path) -> None:
    with SimulatorThread(exchange()) as server:
        shell = installed(tmp_path / "home", server.url)
        server.simulator.faults.add(Fault("slow", "GetFolder", ANNA, times=None, seconds=2.1))
        done = shell("doctor", "--json")
    [speed] = [step for step in done.json["steps"] if step["step"] == "speed"]
    assert (done.status, speed["status"], speed["code"]) == (0, "warning", "server-slow")


class Mistaken:
    """A connector with a mistake of ours in it, which one mailbox brings to light."""

    def __init__(self, inner: Connector) -> None:
        self._inner = inner

    @property
    def requests(self) -> int:
        return self._inner.requests

    async def folder(self, target: Target) -> Folder:
        return await self._inner.folder(target)

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        if target.address == ANNA:
            raise KeyError("Secret takeover")
        return await self._inner.changes(target, sync_state, batch_size)

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        return await self._inner.appointments(target, item_ids, batch_size)

    async def close(self) -> None:
        await self._inner.close()


@pytest.mark.usefixtures("database")
def test_a_mistake_of_ours_costs_one_mailbox_and_tells_no_text() -> None:
    clock = Clock()
    simulator = Simulator(clock=clock)
    for email in (ANNA, BEN):
        simulator.add_mailbox(email)
        add_operator(email)
    result = Engine(simulator, clock, wrap=Mistaken).sync()
    assert (result.succeeded, result.failed) == (1, 1)
    [failure] = result.failures
    assert (failure["operator"], failure["code"]) == (ANNA, "internal-error")
    assert "takeover" not in failure["message"]
