"""Many workers, killed and frozen at random: in step at the end, and no double work."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from keepstep.core.decisions import RowState
from keepstep.store import mailboxes
from keepstep.store.mailboxes import IdleNote, TakenMailbox
from keepstep.store.models import Appointment, Mailbox
from keepstep.store.models import Worker as Row
from keepstep_simulator import Simulator, SimulatorThread
from keepstep_simulator.faults import Fault
from keepstep_simulator.logbook import LogEntry
from tests import database
from tests.system.fleet import Fleet, OnPostgresql, Worker, at_work, changing, disturb
from tests.system.product import terminate, wait_for

SOAK = bool(os.environ.get("KEEPSTEP_SOAK"))
MAILBOXES = 2000
SECONDS = 600 if SOAK else 30
CONNECTIONS = 30
IN_STEP_WITHIN = 150
NAME = database.own("keepstep_fleet")
Shown = tuple[str, str, datetime, str]


@pytest.fixture
def exchange() -> Iterator[SimulatorThread]:
    simulator = Simulator(clock=lambda: datetime.now(UTC), seed=1, log_limit=1_000_000)
    for number in range(MAILBOXES):
        box = simulator.add_mailbox(f"m{number:04}@example.com")
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1 + number % 50)
        box.create(start=start, end=start + timedelta(hours=1), subject=f"First {number}")
    # Some answers take their time: whoever is killed or frozen is in the midst of something.
    simulator.faults.add(Fault("slow", "GetItem", times=None, probability=0.2, seconds=0.5))
    with SimulatorThread(simulator) as served:
        yield served


@pytest.fixture
def keepstep(tmp_path: Path, exchange: SimulatorThread) -> Iterator[OnPostgresql]:
    database.new_postgresql(NAME)
    (tmp_path / "home").mkdir()
    product = OnPostgresql(tmp_path / "home", NAME)
    product.do("migrate")
    product.set(
        calendar_integration="on",
        exchange_url=exchange.url,
        exchange_version="Exchange2016",
        username=exchange.simulator.username,
        password=exchange.simulator.password,
        delivery="polling",
        connections=str(CONNECTIONS),
    )
    product.import_operators(*(f"{each},UTC," for each in exchange.simulator.mailboxes))
    product.do("jobs", "enable", "CalendarSynchronization")
    yield product
    database.connections.close_all()


def test_workers_killed_and_frozen_at_random_lose_nothing_and_double_nothing(
    keepstep: OnPostgresql, exchange: SimulatorThread
) -> None:
    random = Random(5)
    with Fleet(keepstep, 3) as fleet:
        wait_for(lambda: in_step() > 50, "the first rounds", seconds=90)
        with changing(exchange, 60, Random(6)):
            deeds = disturb(fleet, exchange, SECONDS / 2, random)
            wait_for(lambda: bool(at_work(exchange, fleet)), "a worker to read appointments")
            mine = mailboxes.take(list(Mailbox.objects.values_list("id", flat=True)))
            deeds += disturb(fleet, exchange, SECONDS / 2, random)
            assert deeds >= 6
        changed = datetime.now(UTC)
        wait_for(
            lambda: in_step(changed) == MAILBOXES,
            "all to be in step after the last change",
            seconds=IN_STEP_WITHIN,
            every=1,
        )
        assert write_too_late(mine) == MAILBOXES
        assert any(Row.objects.values_list("overtaken", flat=True)), "no worker was overtaken"
        assert shown() == truth(exchange)
        assert doubles() == 0
        assert exchange.simulator.log.most_at_once <= CONNECTIONS
        assert polled_twice(exchange, fleet.by_pid()) == []
        for each in fleet.alive():
            assert terminate(each.process, within=30) == 0


def in_step(since: datetime | None = None) -> int:
    rows = Mailbox.objects.filter(last_success__isnull=False)
    return rows.filter(last_success__gt=since).count() if since else rows.count()


def write_too_late(taken: list[TakenMailbox]) -> int:
    """Write as a worker whose mailboxes others have taken since; give how many were refused."""
    before = mailboxes.overtaken()
    mailboxes.note_idle(
        [IdleNote(each.id, each.fence, "late", datetime.now(UTC)) for each in taken]
    )
    assert not Mailbox.objects.filter(sync_state="late").exists()
    return mailboxes.overtaken() - before


def shown() -> list[Shown]:
    rows = Appointment.objects.filter(state=RowState.LIVE)
    return sorted(rows.values_list("mailbox__operator__email", "uid", "start", "subject"))


def truth(exchange: SimulatorThread) -> list[Shown]:
    return sorted(
        (box.email, item.uid, item.start, item.subject or "")
        for box in exchange.simulator.mailboxes.values()
        for item in box.items()
        if isinstance(item.start, datetime)
    )


def doubles() -> int:
    rows = list(Appointment.objects.values_list("mailbox_id", "uid"))
    return len(rows) - len(set(rows))


def polled_twice(exchange: SimulatorThread, workers: dict[str, Worker]) -> list[str]:
    """Give the rounds into which another worker's request fell while both were at work."""
    by_mailbox: dict[str, list[tuple[LogEntry, str]]] = defaultdict(list)
    for entry in exchange.simulator.log:
        if entry.mailbox and entry.agent:
            pid = entry.agent.partition("(")[2].rstrip(")")
            if pid in workers:
                by_mailbox[entry.mailbox].append((entry, pid))
    assert by_mailbox, "the log names no worker"
    found = []
    for mailbox, entries in by_mailbox.items():
        for pid in {each for _, each in entries}:
            own = [entry for entry, each in entries if each == pid]
            for first, second in pairwise(own):
                if second.operation == "SyncFolderItems":
                    continue  # another round, or another page: what lies between is read below
                between = [
                    (entry, other)
                    for entry, other in entries
                    if other != pid and first.at < entry.at < second.at
                ]
                found += [
                    f"{mailbox}: {other} at {entry.at} between {first.at} and {second.at} of {pid}"
                    for entry, other in between
                    if workers[pid].at_work(first.at, second.at)
                    and workers[other].at_work(entry.at, entry.at + timedelta(milliseconds=1))
                ]
    return found
