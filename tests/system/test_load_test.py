"""`keepstep bench --server` against an Exchange on a real socket: bounded, polite, only reading."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keepstep.core.failures import FAILURES
from keepstep_simulator import Fault, Simulator, SimulatorThread
from tests.system.product import Ended, Keepstep, wait_for

MAILBOXES = 12
REFUSED = "ErrorExceededConnectionCount"
SLOWNESS = 0.04


@pytest.fixture(scope="module")
def served() -> Iterator[SimulatorThread]:
    """A server for all tests: none changes what is in the mailboxes."""
    with SimulatorThread(calendars()) as server:
        yield server


@pytest.fixture
def exchange(served: SimulatorThread) -> SimulatorThread:
    simulator = served.simulator
    simulator.faults.clear()
    simulator.may_not_impersonate.clear()
    simulator.concurrency = None
    simulator.log.clear()
    simulator.log.most_at_once = 0
    return served


@pytest.fixture(scope="module")
def known(
    empty_home: Path, tmp_path_factory: pytest.TempPathFactory, served: SimulatorThread
) -> Path:
    """A data directory with the operators of `served`, to copy."""
    product = Keepstep(tmp_path_factory.mktemp("known") / "home")
    shutil.copytree(empty_home, product.home)
    product.import_operators(*(f"{email},Europe/Berlin," for email in served.simulator.mailboxes))
    product.set(
        exchange_url=served.url,
        username="svc",
        password="secret",
        exchange_version="Exchange2016",
    )
    return product.home


@pytest.fixture
def keepstep(known: Path, tmp_path: Path) -> Keepstep:
    shutil.copytree(known, tmp_path / "home")
    return Keepstep(tmp_path / "home")


def calendars() -> Simulator:
    """Give an Exchange whose mailboxes have well over a hundred appointments each."""
    simulator = Simulator(clock=lambda: datetime.now(UTC), seed=1)
    simulator.seed_calendars(MAILBOXES, 120)
    return simulator


def bench(keepstep: Keepstep, *arguments: str, status: int = 0) -> Any:
    """Run the test; what must hold of any is checked here."""
    ended = keepstep.run("bench", "--server", "--json", *arguments)
    assert ended.status == status, ended
    told = ended.json
    assert all(each["code"] in FAILURES for each in told["failures"])
    assert "secret" not in ended.output + ended.errors
    return told


def slow(exchange: SimulatorThread, seconds: float = SLOWNESS) -> None:
    """Let each answer take its time: without it one connection keeps the stand-in at work."""
    exchange.simulator.faults.add(Fault("slow", times=None, seconds=seconds))


def dump(keepstep: Keepstep) -> list[str]:
    with sqlite3.connect(next(keepstep.home.glob("*.sqlite3"))) as database:
        return list(database.iterdump())


def test_it_recommends_what_the_server_bears_reads_only_and_stores_nothing(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    simulator = exchange.simulator
    simulator.concurrency = 6
    slow(exchange)
    stored = dump(keepstep)
    told = bench(keepstep)
    assert [each["connections"] for each in told["connections"]] == [1, 2, 4, 8]
    assert [each["busy"] for each in told["connections"]] == [False, False, False, True]
    assert told["ended"] == "busy"
    assert [each["code"] for each in told["failures"]] == ["server-busy"]
    advice = told["recommendation"]
    assert advice["connections"]["value"] == 4
    assert [each["size"] for each in told["pages"]] == [50, 100]
    assert [each["size"] for each in told["items"]][:3] == [10, 20, 50]
    assert advice["batch_size"]["value"] >= 50
    assert advice["items_per_request"]["value"] >= 50
    batch_size = advice["batch_size"]["value"]
    assert advice["command"] == f"keepstep settings set connections=4 batch_size={batch_size}"
    assert dump(keepstep) == stored

    # What the server saw of it
    log = list(simulator.log)
    assert len(log) == told["requests"]
    assert {each.operation for each in log} == {"SyncFolderItems", "GetItem"}
    assert {each.user for each in log} == {"svc"}
    refused = [place for place, each in enumerate(log) if each.code == REFUSED]
    assert 1 <= len(refused) <= 2
    assert len(log) - refused[0] <= 8, "after a refusal nothing is sent but what was on its way"
    assert simulator.log.most_at_once <= 8
    asked = Counter(each.mailbox for each in log if each.operation == "SyncFolderItems")
    assert len(asked) == MAILBOXES
    assert max(asked.values()) <= 2 * min(asked.values()) + 2, "all bear alike"

    keepstep.do(*advice["command"].split()[1:])
    assert keepstep.do("settings", "show").status == 0


def test_items_are_asked_for_in_exactly_the_sizes_that_are_told(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    told = bench(keepstep, "--most", "1")
    counted = Counter(len(each.item_ids) for each in exchange.simulator.requests("GetItem"))
    assert dict(counted) == {each["size"]: each["answers"] for each in told["items"]}
    assert told["ended"] == "all"
    assert told["recommendation"]["connections"]["value"] == 1


def test_it_keeps_to_the_requests_that_are_allowed(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    told = bench(keepstep, "--requests", "60")
    assert told["requests"] == len(exchange.simulator.log) <= 60
    assert told["ended"] in ("requests", "flat")
    exchange.simulator.log.clear()
    assert bench(keepstep, "--requests", "10")["requests"] == len(exchange.simulator.log) <= 10


def test_it_keeps_to_the_seconds_that_are_allowed(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    slow(exchange, 0.7)
    told = bench(keepstep, "--seconds", "2")
    assert told["ended"] == "seconds"
    assert 1.9 < told["seconds"] < 3
    assert told["recommendation"]["connections"]["value"] is None


def test_a_server_that_does_not_answer_ends_with_the_time(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    exchange.simulator.faults.add(Fault("hang", times=None, seconds=30))
    told = bench(keepstep, "--seconds", "1", status=1)
    assert (told["ended"], told["mailboxes"], told["requests"]) == ("seconds", 0, 1)
    assert [each["code"] for each in told["failures"]] == ["timed-out"]


def test_no_mailbox_is_asked_two_things_at_once(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    slow(exchange)
    chosen = list(exchange.simulator.mailboxes)[:3]
    told = bench(keepstep, *(f"--operator={email.upper()}" for email in chosen))
    assert exchange.simulator.log.most_at_once == 3
    assert {each.mailbox for each in exchange.simulator.log} == set(chosen)
    assert told["ended"] in ("mailboxes", "flat", "slow")
    assert told["connections"][-1]["connections"] <= 3


def test_a_busy_server_is_left_alone_at_once(keepstep: Keepstep, exchange: SimulatorThread) -> None:
    exchange.simulator.faults.add(Fault("busy-fault", times=None, back_off_ms=7000))
    told = bench(keepstep, status=1)
    assert len(exchange.simulator.log) == told["requests"] == 1
    assert (told["ended"], told["pause_seconds"]) == ("busy", 7.0)
    assert told["recommendation"]["command"] is None
    [failure] = told["failures"]
    assert (failure["code"], failure["remedy"]) == (
        "server-busy",
        FAILURES["server-busy"].remedy,
    )


@pytest.mark.parametrize("kind", ["busy-503", "busy-inner"])
def test_busy_in_its_other_shapes_ends_it_too(
    keepstep: Keepstep, exchange: SimulatorThread, kind: str
) -> None:
    exchange.simulator.faults.add(Fault(kind, "GetItem", times=None))
    told = bench(keepstep)
    assert told["ended"] == "busy"
    assert len(exchange.simulator.requests("GetItem")) == 1
    assert exchange.simulator.log[-1].operation == "GetItem"
    assert told["recommendation"]["connections"]["value"] is None
    assert told["recommendation"]["batch_size"]["value"], "what the pages told is still known"


def test_a_mailbox_that_exchange_asked_to_spare_is_spared(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    spared, other, *_ = exchange.simulator.mailboxes
    busy = Fault("busy-fault", mailbox=spared, times=None, back_off_ms=600_000)
    exchange.simulator.faults.add(busy)
    keepstep.set(calendar_integration="on")
    assert keepstep.run("sync", "--operator", spared).status == 1
    exchange.simulator.faults.clear()
    exchange.simulator.log.clear()
    told = bench(keepstep, "--operator", spared, "--operator", other)
    assert {each.mailbox for each in exchange.simulator.log} == {other}
    [failure] = told["failures"]
    assert (failure["operator"], failure["code"]) == (spared, "server-busy")
    assert "Exchange asked us to wait until" in failure["message"]


def test_a_wrong_password_is_sent_once_and_not_at_all_while_it_could_lock_the_account(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    keepstep.set(password="wrong")
    for _ in range(3):
        told = bench(keepstep, status=1)
        assert [each["code"] for each in told["failures"]] == ["sign-in-refused"]
        assert told["ended"] == "failed"
    assert len(exchange.simulator.log) == 3
    told = bench(keepstep, status=1)
    assert len(exchange.simulator.log) == 3
    assert "nothing was sent, so that Exchange does not lock" in told["failures"][0]["message"]


def test_a_sign_in_that_is_refused_on_the_way_ends_it_at_once(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    exchange.simulator.faults.add(Fault("http", "GetItem", times=None, status=401))
    told = bench(keepstep, status=1)
    assert [each["code"] for each in told["failures"]] == ["sign-in-refused"]
    assert exchange.simulator.log[-1].status == 401
    assert [each.status for each in exchange.simulator.log].count(401) == 1


def test_mailboxes_that_can_not_be_read_are_named_and_the_others_go_on(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    simulator = exchange.simulator
    denied, *others = simulator.mailboxes
    simulator.may_not_impersonate.add(denied)
    told = bench(keepstep, "--most", "2")
    assert [(each["operator"], each["code"]) for each in told["failures"]] == [
        (denied, "impersonation-refused")
    ]
    assert told["mailboxes"] == 2
    simulator.may_not_impersonate.update(others)
    simulator.log.clear()
    told = bench(keepstep, "--requests", "10", status=1)
    assert told["requests"] == len(simulator.log) == 10
    assert {each["code"] for each in told["failures"]} == {"impersonation-refused"}
    assert told["recommendation"]["command"] is None


def test_interrupted_it_prints_what_is_known_so_far(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    slow(exchange)
    process = keepstep.start("bench", "--server")
    log = exchange.simulator.log
    wait_for(lambda: len(log) > 70, "some requests")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "")
    assert "\npage   100      " in output
    assert "connections  answers  a second" in output
    assert "\nInterrupted.\n" in output
    assert "\nkeepstep settings set connections=20 batch_size=" in output


def test_people_get_a_table_and_the_command(keepstep: Keepstep, exchange: SimulatorThread) -> None:
    slow(exchange)
    ended: Ended = keepstep.run("bench", "--server", "--most", "2")
    lines = ended.output.splitlines()
    assert (ended.status, ended.errors) == (0, "")
    assert "connections  answers  a second  half within  95 of 100 within" in lines
    assert any(line.startswith("connections: 2. All went well up to 2") for line in lines)
    assert lines[-1].startswith("keepstep settings set connections=2 batch_size=")


def test_where_nothing_was_learned_people_are_told_why(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    exchange.simulator.faults.add(Fault("busy-503", times=None, retry_after=12))
    ended = keepstep.run("bench", "--server")
    assert ended.status == 1
    assert ended.output.splitlines()[1:] == [
        "Exchange was busy: nothing more was sent.",
        "Exchange asked for a pause of 12.0 s.",
        "Nothing was learned that speaks for other settings.",
    ]
    assert "server-busy: Exchange is busy and asked us to wait." in ended.errors
    assert FAILURES["server-busy"].remedy in ended.errors


def test_without_server_it_says_what_it_is_for(tmp_path: Path) -> None:
    ended = Keepstep(tmp_path).run("bench")
    assert (ended.status, ended.output) == (2, "")
    assert "keepstep bench --server" in ended.errors
    assert "make bench" in ended.errors
    assert len(ended.errors.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("--most", "0"), ("--most", "201"), ("--requests", "9"), ("--seconds", "0")]
)
def test_numbers_out_of_range_are_errors_of_usage(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = Keepstep(tmp_path).run("bench", "--server", *arguments)
    assert (ended.status, ended.output) == (2, "")
    assert len(ended.errors.splitlines()) == 1
    assert arguments[0] in ended.errors
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_operator_is_an_error_of_usage(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    ended = keepstep.run("bench", "--server", "--json", "--operator", "nobody@example.com")
    assert (ended.status, ended.output) == (2, "")
    assert "nobody@example.com" in ended.errors
    assert len(exchange.simulator.log) == 0


def test_without_settings_or_operators_it_does_not_begin(
    empty_home: Path, tmp_path: Path, exchange: SimulatorThread
) -> None:
    shutil.copytree(empty_home, tmp_path / "home")
    product = Keepstep(tmp_path / "home")
    unset = product.run("bench", "--server")
    assert unset.status == 2
    assert "not set: exchange_url, username, password" in unset.errors
    product.set(exchange_url=exchange.url, username="svc", password="secret")
    nobody = product.run("bench", "--server")
    assert nobody.status == 2
    assert "keepstep operators enable EMAIL" in nobody.errors
    assert len(exchange.simulator.log) == 0
