"""How many times as much two workers do as one, each with a core of its own.

One fleet has one worker, another two and twice the mailboxes; both are measured in the same
minutes, so that a machine that is slow for a while is slow for both. What counts is the time from
the full minute, at which all mailboxes are due, to the last poll, by the clock of the canned
Exchange: whatever a worker waits for, its own core, the database or another worker, is in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.canned import canned
from benchmarks.figure import Figure, Goal, Pass
from benchmarks.harness import Ask, cpu_of, next_tick, sleep_until, wait_for
from benchmarks.installation import new_database
from benchmarks.many import filled
from benchmarks.slowed import slowed

# So small a core that three workers, PostgreSQL and the canned Exchanges fit on two real ones.
CORE = 0.25
# Before a tick all is to be calm for so many seconds, and after one it lasts at most so long.
CALM = 5
LONGEST = 50


@dataclass(frozen=True, slots=True)
class _Fleet:
    """Workers, by pid, and the canned Exchange whose `mailboxes` they poll."""

    ask: Ask
    mailboxes: int
    workers: Sequence[int]

    @property
    def cpu(self) -> float:
        return sum(map(cpu_of, self.workers))

    @property
    def requests(self) -> int:
        return int(self.ask(counts=True)["requests"])

    def seconds_from(self, tick: float) -> float:
        """Give how long after the tick the last mailbox was polled."""
        polls = [at for each in self.ask(seen=True)["polls"].values() for at in each]
        if len(polls) != self.mailboxes:
            raise SystemExit(f"{len(polls)} polls of {self.mailboxes} mailboxes in one minute")
        return max(polls) - tick


@dataclass(frozen=True, slots=True)
class _Minute:
    """Of each fleet the seconds that its polls lasted, and its workers' CPU seconds.

    `idle` is how much of the machine's time nobody needed meanwhile (0-1).
    """

    seconds: Sequence[float]
    cpu: Sequence[float]
    idle: float


def figures(mailboxes: int, passes: int) -> list[Figure]:
    """Measure as many minutes: so many mailboxes by one worker, twice as many by two."""
    with _fleet(1, mailboxes) as one, _fleet(2, 2 * mailboxes) as two:
        minutes = [_minute(one, two) for _ in range(passes)]
    each = [
        1000 * sum(minute.cpu[place] for minute in minutes) / passes / fleet.mailboxes
        for place, fleet in enumerate((one, two))
    ]
    idle = min(minute.idle for minute in minutes)
    return [
        Figure(
            "a poll by two workers, each on its own core",
            "ms",
            [
                Pass(1000 * both / two.mailboxes, rival=1000 * alone / one.mailboxes)
                for alone, both in (minute.seconds for minute in minutes)
            ],
            "one worker on such a core, in the same minutes",
            goal=Goal(ratio=1.8),
            notes={
                "mailboxes of one worker": mailboxes,
                "part of a core that each worker has": CORE,
                "CPU of a poll, ms: one worker, two": each,
                "said": f"{mailboxes} mailboxes for each worker, which was held to {CORE:.0%} of a"
                f" core and needed {each[0]:.3f} ms of CPU for a poll alone, {each[1]:.3f} beside"
                " the other. PostgreSQL and the canned Exchange are not in that: they had the rest"
                f" of the machine, and {idle:.0%} of it or more stood idle",
            },
        )
    ]


@contextmanager
def _fleet(workers: int, mailboxes: int) -> Iterator[_Fleet]:
    """Run so many workers, each on its small core, once all of them take part."""
    with (
        canned() as (url, ask),
        new_database(f"keepstep_bench_{workers}") as database,
        filled(url, mailboxes, database) as made,
        ExitStack() as stack,
    ):
        running = [stack.enter_context(made.running("worker")).pid for _ in range(workers)]
        wait_for(lambda: _taking_part(database) == workers, f"{workers} workers to take part")
        for each in running:
            stack.enter_context(slowed(each, CORE))
        yield _Fleet(ask, mailboxes, running)


def _taking_part(database: str) -> int:
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM store_worker").fetchone()
        return int(row[0]) if row is not None else 0


def _minute(*fleets: _Fleet) -> _Minute:
    """Watch the polls of the next full minute that finds all calm."""
    while True:
        tick = next_tick(CALM + 1)
        sleep_until(tick - CALM)
        if _are_calm(fleets):
            break
    for each in fleets:
        each.ask(watch=True)
    sleep_until(tick)
    before, idle = [each.cpu for each in fleets], _idle_seconds()
    wait_for(lambda: all(each.requests >= each.mailboxes for each in fleets), "polls", LONGEST)
    share = (_idle_seconds() - idle) / (time.time() - tick) / (os.cpu_count() or 1)
    return _Minute(
        [each.seconds_from(tick) for each in fleets],
        [each.cpu - was for each, was in zip(fleets, before, strict=True)],
        share,
    )


def _are_calm(fleets: Sequence[_Fleet]) -> bool:
    before = [each.requests for each in fleets]
    time.sleep(CALM - 1)
    return before == [each.requests for each in fleets]


def _idle_seconds() -> float:
    """Give for how many seconds the cores of this machine have stood idle, all together."""
    words = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=5)
    return int(words[4]) / os.sysconf("SC_CLK_TCK")
