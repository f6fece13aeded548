"""Many idle mailboxes: what each costs in memory and CPU, with few of them and with very many."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.canned import canned
from benchmarks.figure import Figure, Goal, Pass
from benchmarks.harness import Ask, child, in_child, peak_bytes, server, wait_for
from benchmarks.installation import Installation, free_address, new_database

MEGABYTE = 1024 * 1024


def memory(few: int, many: int, accounts: int) -> list[Figure]:
    """Memory of `keepstep serve` for each mailbox it polls, beside exchangelib's for an account."""
    with canned() as (url, ask):
        small, large = (_peak_of_serve(url, ask, count) for count in (few, many))
        shared = _of_worker(url, ask, few, many)
    with server(accounts, 0) as served:
        rival = in_child("benchmarks.accounts_run", served)["bytes"]
    return [
        Figure.once(
            "memory of an idle mailbox",
            "KB",
            (large - small) / (many - few) / 1024,
            rival / 1024,
            f"an Account of exchangelib with its calendar and sync state, of {accounts}",
            goal=Goal(most=1),
            notes={"mailboxes": [few, many]},
        ),
        Figure.once(
            f"  keepstep serve polling {many} mailboxes",
            "MB",
            large / MEGABYTE,
            goal=Goal(most=250),
            notes={f"with {few}": small / MEGABYTE},
        ),
        *shared,
    ]


def _of_worker(url: str, ask: Ask, few: int, many: int) -> list[Figure]:
    """Measure the same of `keepstep worker`, which takes them shard by shard; needs PostgreSQL."""
    if "KEEPSTEP_TEST_POSTGRESQL" not in os.environ:
        return []
    peaks = []
    for count in (few, many):
        with new_database("keepstep_bench") as database, filled(url, count, database) as made:
            peaks.append(_peak(made, ("worker",), ask, count))
    small, large = peaks
    return [
        Figure.once(
            "memory of an idle mailbox in a worker",
            "KB",
            (large - small) / (many - few) / 1024,
            goal=Goal(most=1),
        ),
        Figure.once(
            f"  keepstep worker polling {many} mailboxes",
            "MB",
            large / MEGABYTE,
            goal=Goal(most=250),
            notes={f"with {few}": small / MEGABYTE},
        ),
    ]


def growth(few: int, many: int, passes: int) -> list[Figure]:
    """CPU of an idle poll where there are many mailboxes, beside that where there are few."""
    with (
        canned() as (url, _),
        filled(url, few) as small_home,
        filled(url, many) as large_home,
        child("benchmarks.many_run", {}, str(small_home.home)) as (small, _),
        child("benchmarks.many_run", {}, str(large_home.home)) as (large, _),
    ):
        small(rounds=2)
        found = []
        for _ in range(passes):
            costs = []
            for ask, rounds in ((large, 1), (small, max(1, min(20, many // few // 2)))):
                spent = ask(rounds=rounds)
                costs.append(1000 * spent["cpu"] / spent["polls"])
            found.append(Pass(costs[0], limit=costs[1]))
    return [
        Figure(
            f"idle poll, one of {many} mailboxes",
            "ms",
            found,
            limit_name=f"the same of {few} mailboxes",
            goal=Goal(times=1.1),
        )
    ]


@contextmanager
def filled(url: str, mailboxes: int, database: str = "") -> Iterator[Installation]:
    """Give an installation with so many mailboxes that are in step, on SQLite or a `database`."""
    with tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home:
        made = Installation(Path(home), database)
        made.set_up(url)
        in_child("benchmarks.fill_run", {"mailboxes": mailboxes}, home, database)
        yield made


def _peak_of_serve(url: str, ask: Ask, mailboxes: int) -> int:
    with filled(url, mailboxes) as made:
        return _peak(made, ("serve", "--bind", free_address()), ask, mailboxes)


def _peak(made: Installation, command: Sequence[str], ask: Ask, mailboxes: int) -> int:
    """Give the most memory, in bytes, of a command that polls so many mailboxes once."""
    ask(watch=True)
    with made.running(*command) as running:
        polled = f"{command[0]} to poll {mailboxes} mailboxes"
        wait_for(lambda: bool(ask(counts=True)["requests"] >= mailboxes), polled)
        time.sleep(3)  # the last notes
        return peak_bytes(running.pid)
