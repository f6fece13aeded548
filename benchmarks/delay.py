"""From a change in Exchange to the row, and what idling costs Exchange: the product as it runs.

`keepstep serve` on SQLite in one process, the simulated Exchange in a second, and this one, which
looks every few milliseconds which rows have been committed. Nothing is measured inside the product.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure

RATE = 20
LOOK_EVERY = 0.01
PATIENCE = 180
KEEPSTEP = Path(sys.executable).with_name("keepstep")


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds from change to row, sorted; Exchange's requests in a minute without changes."""

    delays: list[float]
    lost: int
    idle: float

    def within(self, share: float) -> float:
        """Give within how many seconds this share of the changes was in (nearest rank)."""
        return self.delays[ceil(share * len(self.delays)) - 1]


def figures(mailboxes: int, seconds: int, idle_seconds: int) -> list[Figure]:
    """Measure push and streaming beside polling at one minute."""
    ways = ("polling", "push", "streaming")
    found = {way: measure(way, mailboxes, seconds, idle_seconds) for way in ways}
    polled = found.pop("polling")
    told = f"polling at one minute, {mailboxes} mailboxes"
    lines = []
    for way, each in found.items():
        notes = {"changes": len(each.delays), "lost": each.lost, "rate": RATE}
        lines.append(
            Figure(
                f"change to row, {way}, 99 of 100 within",
                "s",
                each.within(0.99),
                polled.within(0.99),
                told,
                notes=notes,
            )
        )
        lines.append(
            Figure(
                f"  half within, {way}",
                "s",
                each.within(0.5),
                polled.within(0.5),
                told,
                notes=notes,
            )
        )
        lines.append(Figure(f"idle requests a minute, {way}", "", each.idle, polled.idle, told))
    return lines


def measure(way: str, mailboxes: int, seconds: int, idle_seconds: int) -> Found:
    """Run the product with this way of delivery over so many seconds of changes."""
    with (
        _exchange(mailboxes) as (exchange, ask),
        tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home,
        _product(Path(home), way, exchange) as database,
    ):
        told_of = "" if way == "polling" else " AND covered_until IS NOT NULL"
        ready = f"SELECT count(*) FROM store_mailbox WHERE last_success IS NOT NULL{told_of}"
        _wait(lambda: _number(database, ready) == mailboxes, f"{way}: all to be in step")
        time.sleep(10)  # rounds after subscribing, bursts
        delays, lost = _changes(ask, database, seconds)
        time.sleep(10)
        ask("clear")
        time.sleep(idle_seconds)
        sent = ask("counts")
        sent.pop("SendNotification", None)  # the server's own, not a request to it
        return Found(delays, lost, sum(sent.values()) * 60 / idle_seconds)


def _changes(
    ask: Callable[[str], dict[str, Any]], database: sqlite3.Connection, seconds: int
) -> tuple[list[float], int]:
    """Let changes be made; give the seconds that each took to its row, and how many never came."""
    from threading import Thread

    made: dict[str, float] = {}
    thread = Thread(target=lambda: made.update(ask(f"change {RATE} {seconds}")))
    thread.start()
    seen: dict[str, float] = {}
    last = 0
    until = time.monotonic() + seconds + PATIENCE
    while (thread.is_alive() or len(seen) < len(made)) and time.monotonic() < until:
        rows = database.execute("SELECT id, item_id FROM store_appointment WHERE id > ?", [last])
        now = time.time()
        for row_id, item_id in rows.fetchall():
            last, seen[item_id] = row_id, now
        time.sleep(LOOK_EVERY)
    thread.join()
    delays = sorted(max(0.0, seen[each] - at) for each, at in made.items() if each in seen)
    return delays, len(made) - len(delays)


@contextmanager
def _exchange(mailboxes: int) -> Iterator[tuple[dict[str, Any], Callable[[str], dict[str, Any]]]]:
    command = [sys.executable, "-m", "benchmarks.delay_server", "--mailboxes", str(mailboxes)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    said, heard = process.stdin, process.stdout
    assert said is not None
    assert heard is not None

    def ask(words: str) -> dict[str, Any]:
        said.write(words + "\n")
        said.flush()
        answer: dict[str, Any] = json.loads(heard.readline())
        return answer

    try:
        yield json.loads(heard.readline()), ask
    finally:
        said.close()
        process.wait(timeout=30)


@contextmanager
def _product(home: Path, way: str, exchange: dict[str, Any]) -> Iterator[sqlite3.Connection]:
    """Set an installation up as an administrator does, and serve; give its database to look at."""
    environment = {key: each for key, each in os.environ.items() if "KEEPSTEP" not in key}
    environment |= {"KEEPSTEP_HOME": str(home)}

    def keepstep(*arguments: str) -> None:
        command = [KEEPSTEP, *arguments]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    listed = home / "operators.csv"
    listed.write_text("email,calendar_sync\n" + "".join(f"{e},true\n" for e in exchange["emails"]))
    pairs = {
        "calendar_integration": "on",
        "exchange_url": exchange["url"],
        "exchange_version": "Exchange2016",
        "username": "svc",
        "password": "secret",
        "delivery": way,
        "notification_url": f"http://{address}" if way == "push" else "",
    }
    keepstep("settings", "set", *(f"{name}={value}" for name, value in pairs.items()))
    keepstep("operators", "import", str(listed))
    keepstep("jobs", "enable", "CalendarSynchronization")
    serve = [KEEPSTEP, "serve", "--bind", address]
    silent = subprocess.DEVNULL
    server = subprocess.Popen(serve, env=environment, stdout=silent, stderr=silent)
    try:
        file = f"file:{home / 'keepstep.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=5)) as database:
            yield database
    finally:
        server.terminate()
        server.wait(timeout=40)


def _number(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(query).fetchone()[0])


def _wait(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > until:
            raise SystemExit(f"waited {PATIENCE} s in vain for {what}")
        time.sleep(0.2)


if __name__ == "__main__":
    from benchmarks.harness import table

    count, length, idle = map(int, sys.argv[1:4])
    print(table(figures(count, length, idle)))
