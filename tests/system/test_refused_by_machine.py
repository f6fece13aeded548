"""What the machine refuses (rights, space, files) is one plain line with what helps."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.shell import PROGRAM, Ended, Shell

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


@pytest.fixture
def shell(tmp_path: Path, with_anna: Path) -> Shell:
    return Shell(shutil.copytree(with_anna, tmp_path / "home"))


def said(ended: Ended) -> str:
    """The one line on standard error of a command that was refused."""
    assert (ended.status, ended.out) == (2, ""), ended
    (line,) = ended.err.splitlines()
    return line.removeprefix("keepstep: ")


def run_after(prepare: Callable[[], None], shell: Shell, *arguments: str) -> Ended:
    """Run a command in a process that prepared itself so."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env=shell.environment,
        capture_output=True,
        text=True,
        preexec_fn=prepare,
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def limited(shell: Shell, *arguments: str, **limits: int) -> Ended:
    """Run a command that may have no more than this of a resource."""

    def limit() -> None:
        for name, most in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (most, most))

    return run_after(limit, shell, *arguments)


def obey_rights() -> None:
    """Let the rights of files count for root as well: prctl(2), capabilities(7)."""
    if os.geteuid() == 0:
        for capability in CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH:
            assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability) == 0


@pytest.mark.parametrize("most", [1_000, 20_000, 100_000])
def test_a_disk_without_space_for_the_first_start_leaves_nothing_half_made(
    tmp_path: Path, most: int
) -> None:
    shell = Shell(tmp_path / "new")
    line = said(limited(shell, "operators", "list", fsize=most))
    assert "check the disk and its free space" in line
    assert shell("operators", "list", "--json").json == []


def test_a_disk_without_space_loses_nothing_of_what_was_there(shell: Shell) -> None:
    for arguments in (["operators", "add", "b@example.com"], ["settings", "set", "batch_size=7"]):
        assert "check the disk and its free space" in said(limited(shell, *arguments, fsize=4096))
    assert [each["email"] for each in shell("operators", "list", "--json").json] == [
        "anna@example.com"
    ]
    assert shell("settings", "show", "--json").json["batch_size"] == 100


def test_too_few_files_are_said_in_one_line(shell: Shell) -> None:
    url = "exchange_url=http://127.0.0.1:9/EWS/Exchange.asmx"
    shell("settings", "set", "calendar_integration=on", "username=u", "password=p", url)
    lines = {said(limited(shell, "sync", nofile=most)) for most in (8, 9, 10)}
    assert all("Traceback" not in line for line in lines)
    assert any("raise the limit of open files (ulimit -n)" in line for line in lines)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (".", "KEEPSTEP_HOME: can't use {}: it is not for this user. Run keepstep as the user"),
        ("secret.key", "can't read {}: Permission denied. Run keepstep as the user who owns it."),
        ("keepstep.sqlite3", "can't open the database {}: check that"),
    ],
)
def test_what_is_not_for_this_user_is_told_to_be_so(shell: Shell, place: str, line: str) -> None:
    refused = shell.home / place
    rights = refused.stat().st_mode
    refused.chmod(0)
    told = said(run_after(obey_rights, shell, "operators", "list"))
    refused.chmod(rights)
    assert told.startswith(line.format(refused))
    assert shell("operators", "list").status == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_failure_and_no_file_takes_its_place(
    shell: Shell, closed: str
) -> None:
    command = 'exec "$@" ' + closed
    done = subprocess.run(
        ["sh", "-c", command, "sh", *PROGRAM, "settings", "set", "batch_size=7"],
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert shell("settings", "show", "--json").json["batch_size"] == 7


def test_a_full_device_to_write_to_is_said(shell: Shell) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "settings", "show"],
            env=shell.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "keepstep: No space left on device: free some space.\n"


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("KEEPSTEP_SECRET_KEY_FILE", "/dev/zero", "is larger than 100000 characters."),
        ("KEEPSTEP_SECRET_KEY_FILE", "/dev/null", "/dev/null is empty."),
        ("KEEPSTEP_SECRET_KEY_FILE", "/", "can't read /: Is a directory."),
        ("KEEPSTEP_SECRET_KEY_FILE", "/no/such", "can't read /no/such: No such file or directory."),
        ("KEEPSTEP_SECRET_KEY_FILE", sys.executable, "is no file of UTF-8 text."),
        ("KEEPSTEP_DATABASE_URL", "postgresql://u:geheim@[::1/x", "is no URL: look at its host."),
    ],
)
def test_an_environment_of_no_use_is_said(tmp_path: Path, name: str, value: str, line: str) -> None:
    told = said(Shell(tmp_path / "home", **{name: value})("operators", "list"))
    assert told.startswith(name)
    assert told.endswith(line)
    assert "geheim" not in told


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["settings", "set", "ca_file=/dev/zero"], "ca_file must have at most 2000000 bytes"),
        (["operators", "import", "/dev/zero"], "/dev/zero is larger than 20 MB: split it."),
        (["operators", "import", "/"], "can't read /: Is a directory."),
        (["appointments", "--team", ""], "no operator has the access group ''."),
    ],
)
def test_what_has_no_end_or_is_no_file_is_refused(
    shell: Shell, arguments: list[str], line: str
) -> None:
    assert said(shell(*arguments)).startswith(line)


def test_serve_says_that_it_runs_only_if_it_does(shell: Shell) -> None:
    line = said(shell("serve", "--bind", "203.0.113.1:8000"))
    assert line == "Can't listen on 203.0.113.1:8000: the address is in use or not ours."
    process = shell.start("serve", "--bind", "127.0.0.1:0")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Keepstep runs")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_what_a_library_would_print_goes_to_the_log(shell: Shell) -> None:
    code = (
        "import threading, warnings\n"
        "from keepstep.cli.database import start_django\n"
        "start_django()\n"
        "class Odd:\n    def __del__(self): raise ValueError('secret')\n"
        "Odd()\n"
        "warnings.warn('of a library')\n"
        "thread = threading.Thread(target=lambda: 1 / 0)\n"
        "thread.start(); thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = (shell.home / "logs" / "keepstep.log").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert [each.get("error") for each in told] == ["ValueError", None, "ZeroDivisionError"]
    assert "secret" not in lines[0]
