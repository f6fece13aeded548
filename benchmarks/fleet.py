"""Several workers on PostgreSQL: what two give beside one, and what handing out work costs.

CPU is counted by process, so neither the simulated Exchange nor the benchmark itself is in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.figure import Figure, Goal, table
from benchmarks.harness import answer, cpu_of, cpu_seconds, given, server
from benchmarks.installation import Installation, all_on

if TYPE_CHECKING:
    from keepstep.sync.fleet.session import Session

MINUTES = 2
# The other size that polls are counted at is so many times smaller.
FEWER = 4
PATIENCE = 300


def figures(mailboxes: int, idle_mailboxes: int) -> list[Figure]:
    """Measure scaling with so many mailboxes, handing out with so many idle ones."""
    return [scaling(mailboxes), *handing_out(idle_mailboxes)]


def scaling(mailboxes: int) -> Figure:
    """CPU that a further poll costs on each core: of two workers together, beside one alone.

    A process costs something however little it has to do; so what is compared is the difference
    between many mailboxes and a quarter of them. How many polls a core bears follows from it.
    """
    few = mailboxes // FEWER
    spent = {
        (workers, size): _spent(size, workers) for workers in (1, 2) for size in (few, mailboxes)
    }
    further = mailboxes - few
    alone = (spent[1, mailboxes] - spent[1, few]) / further
    together = (spent[2, mailboxes] - spent[2, few]) / further / 2
    return Figure.once(
        "a further poll, on each core of two workers",
        "ms",
        1000 * together,
        1000 * alone,
        "one worker",
        goal=Goal(ratio=1.8),
        notes={
            "mailboxes": [few, mailboxes],
            "a process by itself, s of CPU a minute": round(spent[1, few] - alone * few, 2),
        },
    )


def _spent(mailboxes: int, workers: int) -> float:
    """Give the CPU seconds of all workers in a minute in which all mailboxes are polled."""
    with (
        server(mailboxes, 0) as exchange,
        new_database("keepstep_bench") as url,
        tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home,
    ):
        made = Installation(Path(home), url)
        made.set_up(exchange["url"])
        made.bring_in(all_on(exchange["emails"]))
        with ExitStack() as stack:
            running = [stack.enter_context(made.running("worker")) for _ in range(workers)]
            _until(url, "count(*) FILTER (WHERE last_success IS NULL) = 0", "first rounds")
            _until_calm(url)
            before = [cpu_of(each.pid) for each in running]
            time.sleep(60 * MINUTES)
            spent = [cpu_of(each.pid) - was for each, was in zip(running, before, strict=True)]
            print(f"{mailboxes} mailboxes, CPU of each worker: {spent}", file=sys.stderr)
            return sum(spent) / MINUTES


def _until(url: str, true: str, what: str) -> None:
    until = time.monotonic() + PATIENCE
    with psycopg.connect(url, autocommit=True) as database:
        while True:
            row = database.execute(f"SELECT {true} FROM store_mailbox").fetchone()
            if row is not None and row[0]:
                return
            if time.monotonic() > until:
                raise SystemExit(f"waited {PATIENCE} s in vain for {what}")
            time.sleep(0.5)


def _until_calm(url: str) -> None:
    """Wait until nothing is in hand and half a minute has begun: the next tick is to come."""
    with psycopg.connect(url, autocommit=True) as database:
        while True:
            row = database.execute("SELECT count(*) FROM pgqueuer").fetchone()
            if row == (0,) and 20 < time.time() % 60 < 40:
                return
            time.sleep(0.5)


def handing_out(mailboxes: int) -> list[Figure]:
    """CPU of a minute's tick, orders, turns and notes, with this process and the database apart."""
    with (
        new_database("keepstep_bench") as url,
        tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home,
    ):
        made = Installation(Path(home), url)
        made.keepstep("migrate")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.fleet", "child"],
            input=json.dumps({"mailboxes": mailboxes, "url": url}),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=made.environment,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    of = f"a minute, {mailboxes} idle mailboxes"
    return [
        Figure.once(f"tick and claims, {of}", "% of a core", found["claims"], goal=Goal(most=5)),
        Figure.once(f"  notes of the rounds, {of}", "% of a core", found["notes"]),
        Figure.once(f"  PostgreSQL, {of}", "% of a core", found["database"], goal=Goal(most=20)),
    ]


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


def _cpu_of_database(postmaster: int) -> float:
    """Give the CPU seconds of all processes of a database server on this machine."""
    total = cpu_of(postmaster)
    for each in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
        total += cpu_of(int(each))
    return total


def _child() -> None:
    """Hand out the shards of all mailboxes as the leader does, and take them as workers do."""
    import django

    django.setup()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    asked = given()
    with psycopg.connect(asked["url"], autocommit=True) as database:
        row = database.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        status = Path(f"/proc/{row[0]}/status").read_text()
        postmaster = int(status.partition("PPid:")[2].split()[0])
    _fill(asked["mailboxes"])
    answer(asyncio.run(_minutes(postmaster)))


def _fill(mailboxes: int) -> None:
    from keepstep.store.models import Mailbox, Operator

    operators = [
        Operator(email=f"m{number}@example.com", calendar_sync=True) for number in range(mailboxes)
    ]
    Operator.objects.bulk_create(operators, batch_size=5000)
    now = datetime.now(UTC)
    Mailbox.objects.bulk_create(
        (Mailbox(operator=each, sync_state="s" * 120, last_success=now) for each in operators),
        batch_size=5000,
    )


async def _minutes(postmaster: int) -> dict[str, float]:
    """Give percents of a core, for one minute's work: claims, notes beside them, the database."""
    from keepstep.sync.fleet.session import Member, session

    async with session(Member.new("worker")) as opened:
        await _minute(opened, notes=True)  # what is done but once: plans, caches
        claims, _ = await _measured(postmaster, partial(_minute, opened, notes=False))
        both, database = await _measured(postmaster, partial(_minute, opened, notes=True))
    return {"claims": claims, "notes": both - claims, "database": database}


async def _measured(postmaster: int, minute: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    ours, theirs = cpu_seconds(), _cpu_of_database(postmaster)
    for _ in range(MINUTES):
        await minute()
    spent = cpu_seconds() - ours, _cpu_of_database(postmaster) - theirs
    return spent[0] / MINUTES / 60 * 100, spent[1] / MINUTES / 60 * 100


async def _minute(opened: Session, *, notes: bool) -> None:
    """Do what a tick leads to, but for asking Exchange."""
    from keepstep.core.shares import shares_of
    from keepstep.store import mailboxes, runs
    from keepstep.store.jobs import SYSTEM
    from keepstep.store.mailboxes import IdleNote
    from keepstep.store.runs import Shard
    from keepstep.store.writer import Writer
    from keepstep.sync.fleet.order import Lane, Order
    from keepstep.sync.fleet.queue import Queue
    from keepstep.sync.fleet.turns import Turn

    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    shards = runs.due_shards(SYSTEM, now, safety_poll=hour)
    orders = [Order("Benchmark", Lane.LIVING, each.number, each.long, 1) for each in shards]
    left = len(orders)
    queue = await Queue.open()

    def claim(order: Order, elsewhere: set[int]) -> None:
        shard = Shard(order.shard, order.long)
        ids = runs.due_mailboxes(SYSTEM, now, safety_poll=hour, shard=shard)
        taken = mailboxes.take([each for each in ids if each not in elsewhere])
        if notes:
            mailboxes.note_idle(IdleNote(e.id, e.fence, e.sync_state, now) for e in taken)

    async def handle(order: Order) -> None:
        nonlocal left
        turn = Turn(opened)
        assert await turn.take_shard(order.shard)
        await writer.call(claim, order, await turn.elsewhere())
        await turn.close()
        left -= 1
        if not left:
            queue.stop()

    async with Writer() as writer:
        await queue.put(orders)
        await queue.work(handle, shares_of(27))
    await queue.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["child"]:
        _child()
    else:
        print(table(figures(*map(int, sys.argv[1:3]))))
