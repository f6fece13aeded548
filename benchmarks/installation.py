"""The product as an administrator sets it up and runs it: commands and processes, nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.harness import KEEPSTEP, product_environment


@dataclass(frozen=True, slots=True)
class Installation:
    """A home of the product's, on SQLite in that folder or on the database of `url`."""

    home: Path
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment in which its commands run."""
        return product_environment(str(self.home), self.url)

    def keepstep(self, *arguments: str) -> None:
        """Run a command to its end. Raises CalledProcessError where it fails."""
        command = [str(KEEPSTEP), *arguments]
        environment = self.environment
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    def set_up(self, exchange: str, **settings: str) -> None:
        """Make the tables, enter the settings for an Exchange at this URL, enable the job."""
        pairs = {
            "calendar_integration": "on",
            "exchange_url": exchange,
            "exchange_version": "Exchange2016",
            "username": "svc",
            "password": "secret",
            "delivery": "polling",
        } | settings
        self.keepstep("migrate")
        self.keepstep("settings", "set", *(f"{name}={value}" for name, value in pairs.items()))
        self.keepstep("jobs", "enable", "CalendarSynchronization")

    def bring_in(self, operators: Mapping[str, bool]) -> None:
        """Import operators: by e-mail address, whether calendar sync is on."""
        listed = self.home / "operators.csv"
        rows = (f"{email},{str(sync).lower()}\n" for email, sync in operators.items())
        listed.write_text("email,calendar_sync\n" + "".join(rows))
        self.keepstep("operators", "import", str(listed))

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run `serve` or `worker` until it is left."""
        silent = subprocess.DEVNULL
        process = subprocess.Popen(
            [KEEPSTEP, *command], env=self.environment, stdout=silent, stderr=silent
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextmanager
def new_database(name: str) -> Iterator[str]:
    """Make an empty database on the server for tests; give its address."""
    address = os.environ.get("KEEPSTEP_TEST_POSTGRESQL")
    if not address:
        raise SystemExit("needs PostgreSQL: run make bench, or scripts/with-postgresql")
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{name}"')
    yield urlunsplit(urlsplit(address)._replace(path=f"/{name}"))


def all_on(emails: Iterable[str]) -> dict[str, bool]:
    """Give operators whose calendar sync is on."""
    return dict.fromkeys(emails, True)


def free_address() -> str:
    """Give a HOST:PORT of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"
