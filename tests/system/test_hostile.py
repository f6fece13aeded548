"""A hostile Exchange: `keepstep sync` stays small, ends in time, and serves the other mailboxes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keepstep_simulator import Fault, SimulatorThread
from tests.system.machines import ANNA, exchange, web_server
from tests.system.shell import PROGRAM, Ended, Shell

BEN = "ben@example.com"
LARGEST_MEMORY_KB = 300 * 1024
# Failures that may pass are tried again for ten seconds, each try for at most TIMEOUT.
TIMEOUT = 4
LONGEST_SECONDS = 40


@dataclass(frozen=True)
class Measured:
    """How a command ended, its peak of memory, how long it took."""

    ended: Ended
    memory_kb: int
    seconds: float


# A process counts what its parent had at the fork; so a small one starts the command, and measures.
_WATCH = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measured(shell: Shell, *arguments: str) -> Measured:
    """Run a command, and have the system tell the peak of its memory."""
    began = time.monotonic()
    with tempfile.NamedTemporaryFile("r") as memory:
        done = subprocess.run(
            [sys.executable, "-c", _WATCH, memory.name, *PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=shell.environment,
            check=False,
        )
        peak = int(memory.read())
    seconds = time.monotonic() - began
    ended = Ended(done.returncode, done.stdout, done.stderr)
    return Measured(ended, peak, seconds)


@pytest.fixture
def server() -> Iterator[SimulatorThread]:
    simulator = exchange()
    mailbox = simulator.add_mailbox(BEN)
    start = datetime.now(UTC) + timedelta(days=1)
    mailbox.create(subject="Lunch", start=start, end=start + timedelta(hours=1))
    with SimulatorThread(simulator) as served:
        yield served


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with Anna and Ben, to be copied: making it takes longer than most tests."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    shell = Shell(home)
    done = shell(
        "settings", "set", "username=svc", "password=-", "calendar_integration=on",
        f"timeout_seconds={TIMEOUT}", given="secret\n",
    )  # fmt: skip
    assert done.status == 0, done
    for email in (ANNA, BEN):
        assert shell("operators", "add", email, "calendar_sync=on").status == 0
    return home


@pytest.fixture
def shell(tmp_path: Path, prepared: Path, server: SimulatorThread) -> Shell:
    shutil.copytree(prepared, tmp_path / "home")
    shell = Shell(tmp_path / "home")
    done = shell("settings", "set", f"exchange_url={server.url}")
    assert done.status == 0, done
    return shell


CASES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "doctype", "bomb": True}, "answer-unreadable"),
    ({"kind": "huge", "megabytes": 10_000}, "answer-too-large"),
    ({"kind": "gzip-bomb", "megabytes": 10_000}, "answer-unreadable"),
    ({"kind": "gzip-bomb", "megabytes": 10_000, "whole": True}, "answer-too-large"),
    ({"kind": "endless-headers", "megabytes": 1000}, "not-exchange"),
    ({"kind": "endless-headers", "megabytes": 1000, "one": True}, "not-exchange"),
    ({"kind": "drip", "seconds": 0.2}, "timed-out"),
    ({"kind": "deep", "depth": 1_000_000}, "answer-unreadable"),
]


@pytest.mark.parametrize(
    ("fault", "code"), CASES, ids=["-".join(map(str, fault.values())) for fault, _ in CASES]
)
def test_one_mailbox_is_hostile_and_the_other_is_in_step(
    shell: Shell, server: SimulatorThread, fault: dict[str, Any], code: str
) -> None:
    server.simulator.faults.add(Fault(mailbox=ANNA, times=None, **fault))
    run = measured(shell, "sync", "--json")
    assert run.ended.status == 1
    told = run.ended.json
    assert (told["succeeded"], told["failed"]) == (1, 1)
    assert [(each["operator"], each["code"]) for each in told["failures"]] == [(ANNA, code)]
    assert run.memory_kb < LARGEST_MEMORY_KB
    assert run.seconds < LONGEST_SECONDS
    in_step = shell("appointments", "--operator", BEN, "--json").json
    assert [each["subject"] for each in in_step] == ["Lunch"]
    server.simulator.faults.clear()
    assert shell("sync", "--operator", ANNA).status == 0


def appointments(server: SimulatorThread, email: str, *days: int) -> None:
    """Give a mailbox an appointment on each of these days from now."""
    for day in days:
        start = datetime.now(UTC) + timedelta(days=day)
        server.simulator.mailboxes[email].create(
            subject=f"In {day} days", start=start, end=start + timedelta(hours=1)
        )


def subjects(shell: Shell, email: str) -> list[str]:
    listed = shell("appointments", "--operator", email, "--json").json
    return sorted(each["subject"] for each in listed)


def calendar(server: SimulatorThread, email: str) -> list[str]:
    return sorted(each.subject or "" for each in server.simulator.mailboxes[email].items())


def full_rounds(server: SimulatorThread, email: str, since: int) -> int:
    """Count the listings that were asked for without a sync state.

    A request whose state the server ignores is logged as one without.
    """
    asked = [each for each in list(server.simulator.log)[since:] if each.mailbox == email]
    listings = [each for each in asked if each.operation == "SyncFolderItems"]
    return sum(not each.sync_state and each.fault != "state-ignored" for each in listings)


@pytest.mark.parametrize("kind", ["never-last", "repeated-page"])
def test_a_listing_without_end_fails_its_mailbox_and_a_full_round_heals(
    shell: Shell, server: SimulatorThread, kind: str
) -> None:
    """From then on the round is a full one, and ends when the server behaves."""
    appointments(server, ANNA, *range(2, 9))
    shell("settings", "set", "batch_size=3")
    assert shell("sync").status == 0
    appointments(server, ANNA, 10, 11)
    appointments(server, BEN, 10)
    server.simulator.mailboxes[ANNA].delete(next(iter(server.simulator.mailboxes[ANNA].items())).id)
    server.simulator.faults.add(Fault(kind, "SyncFolderItems", ANNA, times=None))
    asked = len(server.simulator.log)
    run = measured(shell, "sync", "--json")
    assert run.ended.status == 1
    assert [each["code"] for each in run.ended.json["failures"]] == ["listing-doubtful"]
    assert run.ended.json["succeeded"] == 1
    assert run.ended.json["requests"] < 300
    assert (run.memory_kb < LARGEST_MEMORY_KB, run.seconds < LONGEST_SECONDS) == (True, True)
    assert full_rounds(server, ANNA, asked) >= 1
    assert subjects(shell, BEN) == calendar(server, BEN)
    server.simulator.faults.clear()
    assert shell("sync").status == 0
    assert subjects(shell, ANNA) == calendar(server, ANNA)


def test_a_full_listing_to_a_sync_state_is_caught_and_a_full_round_follows_at_once(
    shell: Shell, server: SimulatorThread
) -> None:
    """The listing has no deletes: what went meanwhile would stay for ever."""
    appointments(server, ANNA, *range(2, 9))
    assert shell("sync").status == 0
    mailbox = server.simulator.mailboxes[ANNA]
    mailbox.delete(next(each.id for each in mailbox.items() if each.subject == "In 5 days"))
    server.simulator.faults.add(Fault("state-ignored", mailbox=ANNA))
    asked = len(server.simulator.log)
    done = shell("sync", "--json")
    assert (done.status, done.json["removed"]) == (0, 1)
    assert full_rounds(server, ANNA, asked) == 1
    assert subjects(shell, ANNA) == calendar(server, ANNA)


def test_a_server_that_says_last_too_soon_is_read_to_the_end(
    shell: Shell, server: SimulatorThread
) -> None:
    shell("settings", "set", "batch_size=3")
    appointments(server, ANNA, *range(2, 9))
    server.simulator.faults.add(Fault("last-too-soon", times=None))
    assert shell("sync").status == 0
    assert subjects(shell, ANNA) == calendar(server, ANNA)
    mailbox = server.simulator.mailboxes[ANNA]
    for each in list(mailbox.items())[:5]:
        mailbox.delete(each.id)
    done = shell("sync", "--json")
    assert (done.status, done.json["removed"]) == (0, 5)
    assert subjects(shell, ANNA) == calendar(server, ANNA)


def test_a_redirect_within_the_server_is_followed(shell: Shell, server: SimulatorThread) -> None:
    for status in (302, 307):
        server.simulator.faults.add(
            Fault("redirect", mailbox=ANNA, status=status, location="/ews/exchange.asmx/")
        )
        asked = len(server.simulator.log)
        assert shell("sync").status == 0
        entries = [each for each in list(server.simulator.log)[asked:] if each.mailbox == ANNA]
        assert [each.status for each in entries][:2] == [status, 200]
        assert entries[0].operation == entries[1].operation


def test_a_circle_of_redirects_is_left(shell: Shell, server: SimulatorThread) -> None:
    circle = Fault("redirect", mailbox=ANNA, times=None, location="/EWS/Exchange.asmx")
    server.simulator.faults.add(circle)
    done = shell("sync", "--json")
    assert [each["code"] for each in done.json["failures"]] == ["redirected"]
    assert len(server.simulator.requests(mailbox=ANNA)) == 4


def test_an_external_entity_is_not_fetched(shell: Shell, server: SimulatorThread) -> None:
    heard: list[str] = []
    with web_server(200, "stolen", heard=heard) as trap:
        for system in (trap, "file:///etc/passwd"):
            server.simulator.faults.add(Fault("doctype", mailbox=ANNA, system=system))
        done = shell("sync", "--json")
    assert heard == []
    assert "root:" not in done.out + done.err
    # Both answers were given, and tried again after; in the end all is well.
    assert (done.status, done.json["succeeded"]) == (0, 2)


def test_a_redirect_to_another_server_is_not_followed_and_nothing_is_told(
    shell: Shell, server: SimulatorThread
) -> None:
    heard: list[str] = []
    with web_server(200, "<x/>", heard=heard) as trap:
        for status in (302, 307):
            server.simulator.faults.clear()
            server.simulator.faults.add(
                Fault("redirect", mailbox=ANNA, times=None, status=status, location=trap)
            )
            done = shell("sync", "--json")
            [failure] = done.json["failures"]
            assert (failure["operator"], failure["code"]) == (ANNA, "redirected")
            assert trap.removesuffix("/EWS/Exchange.asmx") in failure["message"]
    assert heard == []


def test_text_of_exchange_can_not_steer_the_terminal(shell: Shell, server: SimulatorThread) -> None:
    nasty = "<script>alert(1)</script> \u009b31m \u202egnp.exe \u2028next"
    start = datetime.now(UTC) + timedelta(days=2)
    server.simulator.mailboxes[ANNA].create(
        subject=nasty, location=nasty, body=nasty, start=start, end=start + timedelta(hours=1)
    )
    server.simulator.faults.add(Fault("forbidden-characters", times=None))
    assert shell("sync").status == 0
    shown = shell("appointments", "--operator", ANNA)
    assert shown.status == 0
    assert "<script>" in shown.out
    assert not any(each in shown.out for each in "\x1b\u009b\u202e\u2028\x01\x1f")
    document = shell("appointments", "--operator", ANNA, "--json")
    assert document.out.isascii()
    assert any(each["subject"].startswith("<script>") for each in document.json)


@pytest.mark.parametrize(
    "value",
    [
        "exchange_url=http://169.254.169.254/latest/meta-data/iam",
        "exchange_url=http://2852039166/",
        "exchange_url=https://metadata.google.internal/computeMetadata/v1/",
        "exchange_url=http://[fd00:ec2::254]/",
        "exchange_url=file:///etc/passwd",
        "exchange_url=gopher://127.0.0.1/",
        "http_proxy=http://169.254.169.254:80",
        "oauth_authority=https://169.254.169.254",
        "oauth_authority=http://login.example.com",
        "oauth_tenant=x/../../y?z",
    ],
)
def test_no_setting_leads_to_metadata_or_files(shell: Shell, value: str) -> None:
    done = shell("settings", "set", value)
    assert done.status == 2
    assert len(done.err.splitlines()) == 1


def test_secrets_are_nowhere_to_be_read(tmp_path: Path) -> None:
    secret, client_secret = "correct-horse-battery", "staple-of-the-client"
    shell = Shell(tmp_path / "home")
    simulator = exchange()
    simulator.accounts.schemes = ("Basic", "NTLM")
    ended = []
    with SimulatorThread(simulator) as server:
        url = f"exchange_url={server.url}"
        ended += [
            shell("settings", "set", "username=svc", "password=-", given=f"{secret}\n"),
            shell("settings", "set", "oauth_client_secret=-", given=f"{client_secret}\n"),
            shell("settings", "set", url, "calendar_integration=on"),
            shell("operators", "add", ANNA, "calendar_sync=on"),
            shell("settings", "show"),
            shell("settings", "show", "--json"),
        ]
        for auth in ("basic", "ntlm", "negotiate"):
            ended += [
                shell("settings", "set", f"auth={auth}"),
                shell("sync"),
                shell("sync", "--json"),
                shell("doctor"),
                shell("secrets", "rotate"),
            ]
        processes = _processes_during_sync(shell, server)
    told = "".join(each.out + each.err for each in ended) + processes
    files = b"".join(each.read_bytes() for each in shell.home.rglob("*") if each.is_file())
    assert len(files) > 1000
    assert "sync" in processes
    for each in (secret, client_secret):
        assert each not in told
        assert each.encode() not in files


def _processes_during_sync(shell: Shell, server: SimulatorThread) -> str:
    """Give what others see of the process of a sync that waits for Exchange."""
    server.simulator.password = "correct-horse-battery"
    server.simulator.faults.add(Fault("hang", seconds=60))
    asked = len(server.simulator.log)
    assert shell("settings", "set", "auth=basic").status == 0
    process = shell.start("sync")
    try:
        until = time.monotonic() + 20
        while len(server.simulator.log) == asked:
            assert time.monotonic() < until
            time.sleep(0.05)
        seen = Path(f"/proc/{process.pid}")
        return seen.joinpath("cmdline").read_text() + seen.joinpath("environ").read_text()
    finally:
        process.kill()
        process.communicate()
