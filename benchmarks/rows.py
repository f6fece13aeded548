"""What can be measured, by name, and how much of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import delay, feed, first, fleet, idle, lateness, many, reading, start, workers
from benchmarks.figure import Figure


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. The defaults take about a quarter of an hour, but for those beside."""

    mailboxes: int = 400
    rounds: int = 10
    passes: int = 3
    first_mailboxes: int = 20
    first_items: int = 150
    few: int = 1000
    many: int = 50_000
    very_many: int = 100_000
    accounts: int = 1000
    polled: int = 5000
    full: int = 100
    full_items: int = 1000
    ticks: int = 2
    told: int = 1000
    changing: int = 30
    idle: int = 120
    shared: int = 12_000
    table: int = 100_000


QUICK = Sizes(
    mailboxes=100,
    rounds=5,
    first_mailboxes=6,
    first_items=100,
    many=5000,
    very_many=10_000,
    accounts=100,
    polled=1000,
    full=40,  # more than there are connections, or none would have to wait
    full_items=300,
    ticks=1,
    told=200,
    changing=10,
    idle=60,
    shared=5000,
    table=10_000,
)

Row = Callable[[Sizes], list[Figure]]

ROWS: Mapping[str, Row] = {
    "idle": lambda of: idle.figures(of.mailboxes, of.rounds, of.passes),
    "first": lambda of: first.figures(of.first_mailboxes, of.first_items, of.passes),
    "memory": lambda of: many.memory(of.few, of.many, of.accounts),
    "month": lambda _: reading.months(),
    "growth": lambda of: many.growth(of.few, of.very_many, of.passes),
    "start": lambda of: start.figures(of.passes + 2),
    "lateness": lambda of: lateness.figures(of.polled, of.full, of.full_items, of.ticks),
    "bodies": lambda _: reading.bodies(),
    "pages": lambda _: reading.pages(),
    "feed": lambda _: feed.figures(),
    "workers": lambda of: workers.figures(of.shared, of.passes),
}
# They last long, and measure what the others don't depend on: with --all, or by name.
BESIDE: Mapping[str, Row] = {
    "delay": lambda of: delay.figures(of.told, of.changing, of.idle),
    "fleet": lambda of: fleet.handing_out(of.table),
}
ALL = {**ROWS, **BESIDE}
NEED_POSTGRESQL = frozenset({"workers", "fleet"})


def chosen(words: str) -> list[str]:
    """Read names separated by commas. Raises ValueError, with those there are, for an unknown one.

    "" is all that are measured by default.
    """
    names = [each.strip() for each in words.split(",") if each.strip()]
    unknown = [each for each in names if each not in ALL]
    if unknown:
        raise ValueError(f"there is no row {', '.join(unknown)}; there are {', '.join(ALL)}")
    return names or list(ROWS)


def possible(names: Sequence[str], say: Callable[[str], None]) -> list[str]:
    """Give the rows that can be measured here, saying which are left out."""
    if "KEEPSTEP_TEST_POSTGRESQL" in os.environ:
        return list(names)
    for name in NEED_POSTGRESQL.intersection(names):
        say(f"{name} left out: it needs PostgreSQL, as make bench starts it")
    return [each for each in names if each not in NEED_POSTGRESQL]


def measured(names: Sequence[str], sizes: Sizes, say: Callable[[str], None]) -> list[Figure]:
    """Measure these rows one after another, saying which it is at."""
    found: list[Figure] = []
    for name in names:
        say(f"measuring {name} …")
        found += ALL[name](sizes)
    return found
