"""What handing out work costs on PostgreSQL: a minute's tick, orders, turns and notes.

CPU is counted by process, so the benchmark itself is not in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from benchmarks.figure import Figure, Goal, table
from benchmarks.harness import answer, cpu_of, cpu_seconds, given
from benchmarks.installation import Installation, new_database

if TYPE_CHECKING:
    from keepstep.sync.fleet.session import Session

MINUTES = 2


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
        print(table(handing_out(int(sys.argv[1]))))
