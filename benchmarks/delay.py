"""From a change in Exchange to the row, and what idling costs Exchange: the product as it runs.

`keepstep serve` on SQLite in one process, the simulated Exchange in a second, and this one, which
looks every few milliseconds which rows have been committed. Nothing is measured inside the product.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure
from benchmarks.harness import Ask, talking, wait_for
from benchmarks.installation import Installation, all_on, free_address

RATE = 20
LOOK_EVERY = 0.01
PATIENCE = 180


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
            Figure.once(
                f"change to row, {way}, 99 of 100 within",
                "s",
                each.within(0.99),
                polled.within(0.99),
                told,
                notes=notes,
            )
        )
        lines.append(
            Figure.once(
                f"  half within, {way}",
                "s",
                each.within(0.5),
                polled.within(0.5),
                told,
                notes=notes,
            )
        )
        lines.append(
            Figure.once(f"idle requests a minute, {way}", "", each.idle, polled.idle, told)
        )
    return lines


def measure(way: str, mailboxes: int, seconds: int, idle_seconds: int) -> Found:
    """Run the product with this way of delivery over so many seconds of changes."""
    with (
        talking("benchmarks.delay_server", "--mailboxes", str(mailboxes), greets=True) as (
            ask,
            exchange,
        ),
        tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home,
        _product(Path(home), way, exchange) as database,
    ):
        told_of = "" if way == "polling" else " AND covered_until IS NOT NULL"
        ready = f"SELECT count(*) FROM store_mailbox WHERE last_success IS NOT NULL{told_of}"
        wait_for(
            lambda: _number(database, ready) == mailboxes, f"{way}: all to be in step", PATIENCE
        )
        time.sleep(10)  # rounds after subscribing, bursts
        delays, lost = _changes(ask, database, seconds)
        time.sleep(10)
        ask(clear=True)
        time.sleep(idle_seconds)
        sent = ask(counts=True)
        sent.pop("SendNotification", None)  # the server's own, not a request to it
        return Found(delays, lost, sum(sent.values()) * 60 / idle_seconds)


def _changes(ask: Ask, database: sqlite3.Connection, seconds: int) -> tuple[list[float], int]:
    """Let changes be made; give the seconds that each took to its row, and how many never came."""
    from threading import Thread

    made: dict[str, float] = {}
    thread = Thread(target=lambda: made.update(ask(change=[RATE, seconds])))
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
def _product(home: Path, way: str, exchange: dict[str, Any]) -> Iterator[sqlite3.Connection]:
    """Set an installation up as an administrator does, and serve; give its database to look at."""
    address = free_address()
    told_at = f"http://{address}" if way == "push" else ""
    made = Installation(home)
    made.set_up(exchange["url"], delivery=way, notification_url=told_at)
    made.bring_in(all_on(exchange["emails"]))
    with made.running("serve", "--bind", address):
        file = f"file:{home / 'keepstep.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=5)) as database:
            yield database


def _number(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(query).fetchone()[0])


if __name__ == "__main__":
    from benchmarks.figure import table

    count, length, idle = map(int, sys.argv[1:4])
    print(table(figures(count, length, idle)))
