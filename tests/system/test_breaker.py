"""A server or a sign-in that fails is spared; one bad mailbox costs its own slot only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Connector, Folder, Listing, ReadItem, Target
from keepstep.store import runs, sign_ins
from keepstep.store import settings as stored
from keepstep.store.models import Mailbox, SignIn
from keepstep_simulator import Fault, Simulator
from tests.engine import NOW, Clock, add_operator
from tests.office import Office

pytestmark = pytest.mark.usefixtures("database")


def populate(count: int) -> tuple[Simulator, Clock]:
    clock = Clock()
    simulator = Simulator(clock=clock, seed=3)
    for number in range(count):
        email = f"m{number:02}@example.com"
        simulator.add_mailbox(email)
        add_operator(email)
    return simulator, clock


def asked_since(simulator: Simulator, begin: int) -> list[str]:
    return [each.mailbox or "" for each in list(simulator.log)[begin:]]


def failing() -> int:
    return Mailbox.objects.exclude(failing_since=None).count()


async def in_step(simulator: Simulator, clock: Clock) -> Office:
    office = Office(simulator, clock)
    await office.__aenter__()
    await office.run()
    assert failing() == 0
    return office


async def test_while_the_server_is_down_one_probe_goes_for_each_pause() -> None:
    simulator, clock = populate(30)
    office = await in_step(simulator, clock)
    async with office:
        simulator.faults.add(Fault("lost-request", times=None))
        before = len(simulator.log)
        clock.go(minutes=1)
        result = await office.run()
        # Those under way when the third failed, and nobody after them.
        assert len(simulator.log) - before <= 10
        assert result.failed == 30
        assert {each["code"] for each in result.failures} == {"connection-refused"}
        assert failing() == 30
        counts = []
        for _ in range(60):
            before = len(simulator.log)
            clock.go(minutes=1)
            await office.run()
            counts.append(len(simulator.log) - before)
        assert set(counts) == {0, 1}
        # 1, 2, 4 ... seconds at first, a quarter of an hour at last.
        assert sum(counts[:6]) >= 5
        assert sum(counts[-30:]) <= 3


async def test_when_the_server_is_back_mailboxes_return_gradually() -> None:
    simulator, clock = populate(30)
    office = await in_step(simulator, clock)
    async with office:
        simulator.faults.add(Fault("lost-request", times=None))
        await office.work(minutes=20)
        simulator.faults.clear()
        begin = len(simulator.log)
        while failing():
            clock.go(minutes=1)
            await office.run()
        entries = list(simulator.log)[begin:]
        assert {each.mailbox for each in entries} == {f"m{n:02}@example.com" for n in range(30)}
        first = entries[0].at
        seconds = [(each.at - first).total_seconds() for each in entries]
        assert sum(each < 1 for each in seconds) <= 1 + 2
        assert sum(each < 2 for each in seconds) <= 1 + 2 + 4
        assert sum(each < 3 for each in seconds) <= 1 + 2 + 4 + 8
        await office.work(minutes=2)
        before = len(simulator.log)
        clock.go(minutes=1)
        await office.run()
        assert len(simulator.log) - before == 30


async def test_after_a_restart_one_probe_goes_first() -> None:
    simulator, clock = populate(30)
    office = await in_step(simulator, clock)
    async with office:
        simulator.faults.add(Fault("lost-request", times=None))
        await office.work(minutes=3)
        for _ in range(3):
            office.start_anew()
            before = len(simulator.log)
            clock.go(minutes=20)
            await office.run()
            assert len(simulator.log) - before == 1


async def test_sync_by_command_ignores_back_off_and_sends_few_probes() -> None:
    simulator, clock = populate(30)
    office = await in_step(simulator, clock)
    async with office:
        simulator.faults.add(Fault("lost-request", times=None))
        await office.work(minutes=20)
        office.start_anew()
        before = len(simulator.log)
        result = await office.run(by_command=True)
        assert result.failed == 30
        assert 1 <= len(simulator.log) - before <= 6
        simulator.faults.clear()
        office.start_anew()
        assert (await office.run(by_command=True)).succeeded == 30


async def test_what_drops_a_few_requests_is_ridden_out_within_one_command() -> None:
    simulator, clock = populate(12)
    async with Office(simulator, clock) as office:
        simulator.faults.add(Fault("lost-request", times=5))
        assert (await office.run(by_command=True)).succeeded == 12


async def test_many_mailboxes_failing_inside_pause_the_server_too() -> None:
    simulator, clock = populate(40)
    office = await in_step(simulator, clock)
    async with office:
        simulator.faults.add(Fault("error", times=None, code="ErrorInternalServerError"))
        before = len(simulator.log)
        clock.go(minutes=1)
        result = await office.run()
        assert result.failed == 40
        assert len(simulator.log) - before < 20


async def test_a_throttled_mailbox_slows_no_other() -> None:
    simulator, clock = populate(10)
    office = await in_step(simulator, clock)
    async with office:
        slow = "m04@example.com"
        simulator.faults.add(Fault("busy-inner", mailbox=slow, times=None, back_off_ms=240_000))
        begin = len(simulator.log)
        await office.work(minutes=12)
        asked = asked_since(simulator, begin)
        assert asked.count(slow) <= 3
        for number in set(range(10)) - {4}:
            assert asked.count(f"m{number:02}@example.com") == 12


async def test_a_mailbox_that_is_gone_is_marked_and_seldom_tried() -> None:
    simulator, clock = populate(3)
    office = await in_step(simulator, clock)
    async with office:
        del simulator.mailboxes["m01@example.com"]
        await office.work(minutes=60)
        begin = len(simulator.log)
        await office.work(minutes=24 * 60, every=6)
        asked = asked_since(simulator, begin)
        assert 18 <= asked.count("m01@example.com") <= 25
        assert asked.count("m00@example.com") == 240
        gone = Mailbox.objects.get(operator__email="m01@example.com")
        assert gone.failure_code == "no-such-mailbox"


class Hanging:
    """A connector that keeps one mailbox waiting until it is told to give up."""

    def __init__(self, connector: Connector, address: str, given_up: asyncio.Event) -> None:
        self._connector = connector
        self._address = address
        self._given_up = given_up

    @property
    def requests(self) -> int:
        return self._connector.requests

    async def _wait(self, target: Target) -> None:
        if target.address == self._address:
            await self._given_up.wait()
            raise ExchangeError("timed-out")

    async def folder(self, target: Target) -> Folder:
        await self._wait(target)
        return await self._connector.folder(target)

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        await self._wait(target)
        return await self._connector.changes(target, sync_state, batch_size)

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        return await self._connector.appointments(target, item_ids, batch_size)

    async def close(self) -> None:
        await self._connector.close()


async def test_a_mailbox_that_does_not_answer_costs_its_own_slot_only() -> None:
    simulator, clock = populate(20)
    given_up = asyncio.Event()

    def wrap(connector: Connector) -> Connector:
        return Hanging(connector, "m00@example.com", given_up)

    async with Office(simulator, clock, wrap=wrap, connections=2) as office:
        run = asyncio.create_task(office.run())
        others = {f"m{number:02}@example.com" for number in range(1, 20)}
        async with asyncio.timeout(20):
            while {each.mailbox for each in simulator.log} != others:
                await asyncio.sleep(0.01)
        assert not run.done()
        given_up.set()
        result = await run
        assert (result.succeeded, result.failed) == (19, 1)


async def test_a_wrong_password_is_tried_seldom_all_day_long() -> None:
    simulator, clock = populate(25)
    office = await in_step(simulator, clock)
    async with office:
        simulator.password = "changed"
        begin = len(simulator.log)
        for hour in range(24):
            if hour % 6 == 5:
                office.start_anew()
                wrong_again(office)
            await office.work(minutes=60, every=5)
        attempts = [each.at for each in list(simulator.log)[begin:]]
        assert all(each.status == 401 for each in list(simulator.log)[begin:])
        # Eight were under way when the first was refused; then one an hour.
        assert 8 + 20 <= len(attempts) <= 8 + 3 + 26
        assert most_within(attempts[11:], timedelta(minutes=30)) <= 1


async def test_a_new_process_with_a_wrong_password_tries_it_at_most_four_times() -> None:
    simulator, clock = populate(25)
    async with Office(simulator, clock) as office:
        simulator.password = "changed"
        result = await office.run()
        assert result.failed == 25
        assert {each["code"] for each in result.failures} == {"sign-in-refused"}
        assert 3 <= len(simulator.log) <= 4
        for _ in range(10):
            office.start_anew()
            wrong_again(office)
            clock.go(minutes=1)
            await office.run(by_command=True)
        assert len(simulator.log) <= 4


def wrong_again(office: Office) -> None:
    """Let a new process know the old password, as the one before did."""
    office.means.connector._transport._authorization = "Basic d3Jvbmc6d3Jvbmc="  # type: ignore[attr-defined]


async def test_a_password_that_is_right_again_is_noticed_by_the_next_probe() -> None:
    simulator, clock = populate(25)
    async with Office(simulator, clock) as office:
        right, simulator.password = simulator.password, "changed"
        await office.run()
        simulator.password = right
        await office.work(minutes=16)
        assert failing() == 0
        assert not SignIn.objects.exists()


async def test_changed_credentials_are_tried_at_once() -> None:
    simulator, clock = populate(25)
    async with Office(simulator, clock) as office:
        right, simulator.password = simulator.password, "changed"
        await office.run()
        assert failing() == 25
        simulator.password = right
        await office.writer.call(stored.change, {"password": right})
        office.account = "account with the new password"
        office.start_anew()
        clock.go(minutes=1)
        await office.run()
        while failing():
            clock.go(seconds=10)
            await office.run()
        assert clock() < NOW + timedelta(minutes=5)


async def test_what_a_command_finds_well_again_is_spared_no_longer_by_serve() -> None:
    simulator, clock = populate(30)
    office = await in_step(simulator, clock)
    async with office, Office(simulator, clock) as command:
        simulator.faults.add(Fault("lost-request", times=None))
        await office.work(minutes=60)
        simulator.faults.clear()
        clock.go(seconds=1)
        assert (await office.run(by_command=True)).failed == 30, "it is within a pause"
        assert (await command.run(by_command=True)).failed == 0
        clock.go(minutes=1)
        assert (await office.run()).succeeded == 30
        assert failing() == 0


async def test_a_password_changed_outside_is_tried_at_once() -> None:
    simulator, clock = populate(3)
    async with Office(simulator, clock) as office:
        right, simulator.password = simulator.password, "changed"
        await office.run()
        simulator.password = right
        await office.writer.call(sign_ins.switch_to, "account")
        assert SignIn.objects.exists()
        assert await office.writer.call(runs.due_mailboxes, runs.SYSTEM, clock()) == []
        await office.writer.call(sign_ins.switch_to, "account with the new password")
        assert not SignIn.objects.exists()
        assert len(await office.writer.call(runs.due_mailboxes, runs.SYSTEM, clock())) == 3


async def test_what_is_not_tried_says_when_it_is() -> None:
    simulator, clock = populate(3)
    async with Office(simulator, clock) as office:
        simulator.password = "changed"
        await office.run()
        clock.go(minutes=5)
        (message, *_) = [each["message"] for each in (await office.run(by_command=True)).failures]
        assert "it is tried again after 2026-11-24 09:15:00 UTC" in message
        assert "at once when username or password are set again" in message


async def test_the_same_password_set_again_is_tried_at_once_too() -> None:
    simulator, clock = populate(3)
    async with Office(simulator, clock) as office:
        right, simulator.password = simulator.password, "changed"
        await office.run()
        assert (await office.writer.call(sign_ins.read, office.account)).wrong
        simulator.password = right
        await office.writer.call(stored.change, {"password": right})
        clock.go(minutes=1)
        await office.run()
        assert failing() == 0


def test_of_two_processes_one_has_the_probe() -> None:
    now = NOW
    for _ in range(3):
        sign_ins.refuse("account", now)
    later = now + timedelta(minutes=15)
    assert sign_ins.claim("account", now) is not None
    assert sign_ins.claim("account", later) is None
    assert sign_ins.claim("account", later) is not None


def most_within(instants: Sequence[datetime], length: timedelta) -> int:
    return max(
        (sum(first <= each < first + length for each in instants) for first in instants), default=0
    )
