"""The store under simulation: the real SQL on SQLite in memory, no thread, statements that fail."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import Any, ParamSpec, TypeVar

from django.core.management import call_command
from django.db import OperationalError, connection, connections

from keepstep.core.errors import KeepstepError
from keepstep.store.writer import Writer, guarded
from tests import database
from tests.simulation.process import Killed, Process
from tests.simulation.trace import Trace

P = ParamSpec("P")
T = TypeVar("T")

# The tables that the engine writes to, all columns but those that are random by design.
_COMPARED = {
    **dict.fromkeys(
        (
            "store_mailbox",
            "store_appointment",
            "store_history",
            "store_leftout",
            "store_quarantine",
            "store_run",
            "store_notice",
            "store_noticeentry",
            "store_signin",
        ),
        "*",
    ),
    "store_mail": "id, kind, recipients, entries, created, attempts, next_attempt",
}


class Tables:
    """One database in memory, emptied for each seed in about a millisecond."""

    def __init__(self) -> None:
        database.use(database.sqlite(":memory:"))  # type: ignore[arg-type]
        call_command("migrate", verbosity=0)
        self._connection = connections["default"]
        self._empty = connection.connection.serialize()

    def empty(self) -> None:
        """Use these tables from now on, without a row and as if no number had been given out.

        On a new connection: SQLite 3.40 crashes where one that has used json_each takes in another
        database. Django's own closing would leave one to memory open.
        """
        self.enter()
        self._connection.connection.close()
        self._connection.connect()
        self._connection.connection.deserialize(self._empty)

    def enter(self) -> None:
        """Let a coroutine, and the tasks that it begins, use this connection: Django gives each
        event loop others, and in memory these would be other databases.
        """
        connections["default"] = self._connection


@cache
def tables() -> Tables:
    """Give the one database of this process."""
    return Tables()


def digest() -> str:
    """Give a short text that any other content of the tables would change."""
    with connection.cursor() as cursor:
        rows = []
        for table, columns in _COMPARED.items():
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY 1")
            rows.append(cursor.fetchall())
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


class DiskTrouble:
    """How likely a statement fails, or the process dies at it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.errors = 0.0
        self.kills = 0.0

    def draw(self) -> tuple[type[BaseException], int] | None:
        """Give what strikes a call of the store and at which statement, or None."""
        if not (self.errors or self.kills):
            return None
        luck = self._random.random()
        at = int(self._random.expovariate(0.25))
        if luck < self.errors:
            return OperationalError, at
        if luck < self.errors + self.kills:
            return Killed, at
        return None


Watch = Callable[[Callable[..., Any], tuple[Any, ...]], Callable[[Any], None]]


class SimulatedWriter(Writer):
    """Calls the store in the event loop's own thread, one call after another, each taking time.

    `watch` is told of each call as it is asked for, by function and arguments; what it gives is
    told the result once that is stored. `died` is told if the process dies at a statement.
    """

    def __init__(
        self,
        process: Process,
        random: Random,
        trouble: DiskTrouble,
        trace: Trace,
        watch: Watch,
        died: Callable[[Process], None],
    ) -> None:
        self._process = process
        self._random = random
        self._trouble = trouble
        self._trace = trace
        self._watch = watch
        self._died = died
        self._busy_until = 0.0

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Give what the function gives. Raises as the product's writer does."""
        told = self._watch(function, args)
        await self._process.point()
        loop = asyncio.get_running_loop()
        start = max(loop.time(), self._busy_until) + self._random.uniform(0.0001, 0.005)
        self._busy_until = start
        await asyncio.sleep(start - loop.time())
        await self._process.point()
        result = self._execute(function, *args, **kwargs)
        told(result)
        # It is done, and not told yet: a kill can fall in between.
        await asyncio.sleep(self._random.uniform(0.0001, 0.005))
        await self._process.point()
        return result

    def _execute(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        name = function.__name__
        try:
            with _failing(self._trouble.draw()):
                result = guarded(function, *args, **kwargs)
        except Killed:
            self._trace(self._process.name, "dies in", name)
            self._process.dead = True
            self._died(self._process)
            raise
        except KeepstepError as error:
            self._trace(self._process.name, name, error.code)
            raise
        self._trace(self._process.name, name)
        return result

    def close(self) -> None:
        """There is no thread to end."""

    async def __aexit__(self, *exception: object) -> None:
        """There is no thread to end."""


@contextmanager
def _failing(strikes: tuple[type[BaseException], int] | None) -> Iterator[None]:
    """Make the statement of that number fail, counted from 0, if it comes to so many."""
    if strikes is None:
        yield
        return
    error, left = strikes

    def execute(run: Callable[..., Any], *statement: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise error("disk I/O error")
        return run(*statement)

    with connection.execute_wrapper(execute):
        yield
