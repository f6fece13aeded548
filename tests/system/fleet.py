"""Several workers on one PostgreSQL, as processes that are killed, frozen and thawed."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

from keepstep_simulator import SimulatorThread
from tests import database
from tests.system.product import Keepstep

# Longer than a worker may be silent, and those that take its place need to begin.
OVERTAKEN_AFTER = 24.0
Period = tuple[datetime, datetime]


class OnPostgresql(Keepstep):
    """An installation whose calendar is in the PostgreSQL database of this name.

    `port` is that of a way to the server, where it is not to be reached directly.
    """

    def __init__(self, home: Path, name: str, port: int | None = None) -> None:
        super().__init__(home)
        parts = urlsplit(database.server())
        if port is not None:
            sign_in, at, _ = parts.netloc.rpartition("@")
            parts = parts._replace(netloc=f"{sign_in}{at}127.0.0.1:{port}", query="")
        self._url = urlunsplit(parts._replace(path=f"/{name}"))

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"KEEPSTEP_DATABASE_URL": self._url}


@dataclass
class Worker:
    """One worker process, and when it was not at work: frozen, or dead (the last has no end)."""

    process: subprocess.Popen[str]
    away: list[Period] = field(default_factory=list)
    frozen_since: datetime | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def at_work(self, first: datetime, last: datetime) -> bool:
        """Say whether it lived, unfrozen, all the time between these instants."""
        return not any(begin < last and first < end for begin, end in self.away)


class Fleet:
    """Workers of one installation. A context manager; leaving it kills them all."""

    def __init__(self, keepstep: Keepstep, count: int) -> None:
        self._keepstep = keepstep
        self._count = count
        self.workers: list[Worker] = []

    def __enter__(self) -> Fleet:
        for _ in range(self._count):
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.alive():
            each.process.kill()
            each.process.communicate()

    def start(self) -> Worker:
        worker = Worker(self._keepstep.start("worker"))
        self.workers.append(worker)
        return worker

    def alive(self) -> list[Worker]:
        return [each for each in self.workers if each.process.poll() is None]

    def kill(self, worker: Worker) -> None:
        begin = worker.frozen_since or datetime.now(UTC)
        worker.process.kill()
        worker.process.communicate()
        worker.away.append((begin, datetime.max.replace(tzinfo=UTC)))

    def freeze(self, worker: Worker) -> None:
        worker.frozen_since = datetime.now(UTC)
        os.kill(worker.pid, signal.SIGSTOP)

    def thaw(self, worker: Worker) -> None:
        assert worker.frozen_since is not None
        os.kill(worker.pid, signal.SIGCONT)
        worker.away.append((worker.frozen_since, datetime.now(UTC)))
        worker.frozen_since = None

    def by_pid(self) -> dict[str, Worker]:
        return {str(each.pid): each for each in self.workers}


def at_work(exchange: SimulatorThread, fleet: Fleet) -> list[Worker]:
    """Give the workers that asked Exchange for appointments within the last 0.2 seconds."""
    recent = datetime.now(UTC) - timedelta(seconds=0.2)
    agents = exchange.call(
        lambda: {
            entry.agent
            for entry in takewhile(lambda each: each.at > recent, reversed(exchange.simulator.log))
            if entry.operation == "GetItem"
        }
    )
    return [each for each in fleet.alive() if any(f"({each.pid})" in agent for agent in agents)]


def disturb(fleet: Fleet, exchange: SimulatorThread, seconds: float, random: Random) -> int:
    """Kill workers (others start in their place), freeze and thaw them; give how often.

    Rather those that are at work: one that waits for the next minute has nothing to lose.
    """
    until, deeds = time.monotonic() + seconds, 0
    thaw_at: dict[int, float] = {}
    while time.monotonic() < until:
        time.sleep(random.uniform(0.5, 2.5))
        for each in fleet.alive():
            if each.frozen_since and time.monotonic() > thaw_at[each.pid]:
                fleet.thaw(each)
        awake = [each for each in fleet.alive() if each.frozen_since is None]
        if len(awake) < 2:
            continue
        busy = [each for each in at_work(exchange, fleet) if each in awake]
        chosen, deeds = random.choice(busy or awake), deeds + 1
        if random.random() < 0.5:
            fleet.kill(chosen)
            fleet.start()
        else:
            fleet.freeze(chosen)
            # Some for longer than a worker may be silent: they are overtaken.
            thaw_at[chosen.pid] = time.monotonic() + random.choice([1.0, 5.0, OVERTAKEN_AFTER])
    for each in fleet.alive():
        if each.frozen_since:
            time.sleep(max(0.0, thaw_at[each.pid] - time.monotonic()))
            fleet.thaw(each)
    return deeds


@contextmanager
def changing(exchange: SimulatorThread, rate: float, random: Random) -> Iterator[None]:
    """Let appointments be made, moved and deleted while the block runs."""
    mailboxes = list(exchange.simulator.mailboxes.values())
    over = threading.Event()

    def change() -> None:
        while not over.wait(1 / rate):
            exchange.call(one)

    def one() -> None:
        box = random.choice(mailboxes)
        items = list(box.items())
        kind = random.random()
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=random.randint(1, 90))
        if kind < 0.5 or not items:
            box.create(start=start, end=start + timedelta(hours=1), subject=f"New {start}")
        elif kind < 0.8:
            box.update(random.choice(items).id, subject=f"Changed {random.random()}")
        else:
            box.delete(random.choice(items).id)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
