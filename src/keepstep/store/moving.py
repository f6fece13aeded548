"""Moving everything from a SQLite file to an empty PostgreSQL database, whole or not at all.

While it is copied nobody else may have the file open. All is written in one transaction and read
back before it is committed, so whatever goes wrong leaves both databases as they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from keepstep.core.errors import UsageError
from keepstep.store import models, upgrade, workers
from keepstep.store.upgrade import Tables

LEFT_BEHIND: frozenset[type[Model]] = frozenset({models.Worker})
"""What is not moved: the processes at work, of which SQLite knows none."""
_TARGET = "target"
_AT_ONCE = 1000
_WAIT_MILLISECONDS = 2000


@dataclass(frozen=True, slots=True)
class Moved:
    """How many rows a table has, there as here."""

    table: str
    rows: int


def moved_models() -> list[type[Model]]:
    """Give the models of all tables that are moved, those that Django itself keeps among them."""
    every = apps.get_models(include_auto_created=True)
    return [each for each in every if each not in LEFT_BEHIND and each._meta.managed]


def move(target: dict[str, object]) -> list[Moved]:
    """Copy the SQLite database in use to the PostgreSQL database described as Django does.

    Raises UsageError, with nothing changed, where the one in use is not SQLite, the other is not
    PostgreSQL, can't be reached, holds calendars already or is in use, and where another process
    has the file open.
    """
    if connection.vendor != "sqlite":
        raise UsageError("the database in use is not SQLite: there is nothing to move.")
    with _connected(target) as there:
        if there.vendor != "postgresql":
            raise UsageError("--to must begin with postgresql://.")
        with _alone():
            _make_ready(there)
            with transaction.atomic(using=_TARGET):
                return _fill(there)


@contextmanager
def _connected(target: dict[str, object]) -> Iterator[BaseDatabaseWrapper]:
    """Let Django know a second database while the block runs. What fails there is told plainly."""
    connections.databases[_TARGET] = connections.configure_settings(
        {"default": target},
    )["default"]
    try:
        yield connections[_TARGET]
    except DatabaseError as error:
        reason = str(error).strip().split("\n")[0]
        raise UsageError(f"--to: {reason}. Nothing was moved.") from error
    finally:
        connections[_TARGET].close()
        del connections[_TARGET]
        del connections.databases[_TARGET]


@contextmanager
def _alone() -> Iterator[None]:
    """Keep all others from the file; raise UsageError where one has it open already."""
    connection.ensure_connection()
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS}")
            # A file that another process has open can't leave this mode: the surest sign of one.
            cursor.execute("PRAGMA journal_mode = DELETE")
            cursor.execute("PRAGMA locking_mode = EXCLUSIVE")
    except DatabaseError as error:
        raise UsageError(
            f"{connection.settings_dict['NAME']} is in use: stop keepstep serve and whatever else"
            f" has it open, then repeat ({error})."
        ) from None
    try:
        with transaction.atomic():
            yield
    finally:
        connection.close()


def _make_ready(there: BaseDatabaseWrapper) -> None:
    found = upgrade.tables(there)
    if found is Tables.NONE:
        call_command("migrate", database=_TARGET, interactive=False, verbosity=0)
        return
    if found is not Tables.CURRENT:
        raise UsageError("--to: that database holds tables of another version: name an empty one.")
    if any(each.objects.using(_TARGET).exists() for each in (models.Operator, models.Account)):
        raise UsageError("--to: that database holds operators or people: name an empty one.")
    if any(each.alive for each in workers.listing(datetime.now(UTC), using=_TARGET)):
        raise UsageError("--to: Keepstep is at work on that database: stop it there first.")


def _fill(there: BaseDatabaseWrapper) -> list[Moved]:
    moving = moved_models()
    with there.cursor() as cursor:
        # What migrations and commands have put there: it comes from here, all of it.
        names = ", ".join(there.ops.quote_name(each._meta.db_table) for each in moving)
        cursor.execute(f"TRUNCATE {names} CASCADE")
    done = [_copy(model, there) for model in moving]
    with there.cursor() as cursor:
        for statement in there.ops.sequence_reset_sql(no_style(), moving):
            cursor.execute(statement)
    return done


def _copy(model: type[Model], there: BaseDatabaseWrapper) -> Moved:
    """Copy one table and read it back. Raises UsageError that names the table."""
    fields = model._meta.local_concrete_fields
    table = model._meta.db_table
    quote = there.ops.quote_name
    columns = ", ".join(quote(str(each.column)) for each in fields)
    sent = _Digest(model)
    try:
        # Not by the models' own way of saving: that would set the times of change to now.
        with (
            there.cursor() as cursor,
            cursor.copy(f"COPY {quote(table)} ({columns}) FROM STDIN") as copy,
        ):
            for row in sent.over(_rows(model, "default")):
                copy.write_row(
                    [each.get_db_prep_save(getattr(row, each.attname), there) for each in fields]
                )
    except ValueError as error:
        raise UsageError(f"a row of {table} can't be moved: {error}. Nothing was moved.") from None
    received = _Digest(model)
    for _ in received.over(_rows(model, _TARGET)):
        pass
    if (sent.rows, sent.hex) != (received.rows, received.hex):
        raise UsageError(
            f"{table} reads otherwise there than here ({sent.rows} rows here, {received.rows}"
            " there). Nothing was moved."
        )
    return Moved(table, sent.rows)


def _rows(model: type[Model], database: str) -> Iterable[Model]:
    rows = model._base_manager.using(database).order_by("pk")
    return rows.iterator(chunk_size=_AT_ONCE)


class _Digest:
    """What a table's rows come to: how many, and a digest of all their values in order."""

    def __init__(self, model: type[Model]) -> None:
        self._names = [each.attname for each in model._meta.local_concrete_fields]
        self._hash = hashlib.sha256()
        self.rows = 0

    def over(self, rows: Iterable[Model]) -> Iterator[Model]:
        """Pass rows on, and count them in."""
        for row in rows:
            self.rows += 1
            self._hash.update(repr([_plain(getattr(row, each)) for each in self._names]).encode())
            yield row

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()


def _plain(value: object) -> object:
    """Give a value as both databases' drivers do."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        # PostgreSQL keeps the members of a document in an order of its own.
        return sorted((name, _plain(each)) for name, each in value.items())
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
