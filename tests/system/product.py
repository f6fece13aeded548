"""The product as its users have it: the command `keepstep`, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("keepstep")
LONGEST_COMMAND = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: exit status, standard output, standard error."""

    status: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.output)


class Keepstep:
    """One installation: a data directory, and commands run in it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KEEPSTEP_")}
        for name in (
            "DJANGO_SETTINGS_MODULE",
            "DJANGO_ALLOW_ASYNC_UNSAFE",
            "PYTHONDONTWRITEBYTECODE",  # compiling all of it anew takes longer than most commands
        ):
            kept.pop(name, None)
        return kept | {"KEEPSTEP_HOME": str(self.home)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; the caller waits for its end."""
        return subprocess.Popen(
            [COMMAND, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Ended:
        """Run a command to its end, however it ends."""
        process = self.start(*arguments)
        try:
            output, errors = process.communicate(timeout=LONGEST_COMMAND)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Ended(process.returncode, output, errors)

    def do(self, *arguments: str) -> Ended:
        """Run a command that must succeed."""
        ended = self.run(*arguments)
        assert ended.status == 0, f"{arguments}: {ended}"
        return ended

    # The words of the tests

    def set(self, **settings: str) -> None:
        self.do("settings", "set", *(f"{name}={value}" for name, value in settings.items()))

    def settings(self) -> Any:
        return self.do("settings", "show", "--json").json

    def import_operators(self, *lines: str) -> None:
        """Import operators; each line is email,time_zone,access_group."""
        file = self.home / "operators.csv"
        rows = [f"{line},true" for line in lines]
        file.write_text("\n".join(["email,time_zone,access_group,calendar_sync", *rows]))
        self.do("operators", "import", str(file))

    def sync(self, *arguments: str) -> Any:
        return self.do("sync", "--json", *arguments).json

    def appointments(self, email: str, *arguments: str) -> list[dict[str, Any]]:
        found = self.do("appointments", "--operator", email, "--json", *arguments).json
        assert isinstance(found, list)
        return found

    def operators(self) -> dict[str, dict[str, Any]]:
        return {each["email"]: each for each in self.do("operators", "list", "--json").json}

    def jobs(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.do("jobs", "list", "--json").json}

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[str]]:
        """Run `keepstep serve` while the block runs, on a port that is free."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = self.start("serve", "--bind", f"127.0.0.1:{port}")
        try:
            wait_for(lambda: _listens(port), "serve to listen")
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


def terminate(process: subprocess.Popen[str], within: float) -> int:
    """Send SIGTERM; give the exit status, failing if it takes longer than `within` seconds."""
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=within)
    return process.returncode


def wait_for(
    true: Callable[[], bool], what: str, *, seconds: float = 30, every: float = 0.05
) -> None:
    """Wait until it is so; fail after so many seconds."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"waited {seconds} s in vain for {what}"
        time.sleep(every)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
