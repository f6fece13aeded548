"""The database's tables: are they there, are they those of this version, making them.

An empty SQLite database is set up in one transaction: of two processes that start at once one
makes the tables, and one killed in between leaves nothing half made.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import Enum, auto

from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from keepstep.core.errors import UsageError
from keepstep.environment import SQLITE_BUSY_SECONDS

_DRAFT = "draft"


class Tables(Enum):
    """What the database holds, seen from this version of the program."""

    NONE = auto()
    FOREIGN = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()


def tables(database: BaseDatabaseWrapper | None = None) -> Tables:
    """Look what a database (None: the one in use) holds.

    Raises Django's DatabaseError where it can't be read.
    """
    database = database or connections["default"]
    if database.vendor == "sqlite":
        _keep_private(str(database.settings_dict["NAME"]))
    names = database.introspection.table_names()
    recorder = MigrationRecorder(database)
    applied = set(recorder.applied_migrations()) if recorder.has_table() else set()
    ours = {name for name in names if name.startswith("store_")}
    if not applied and not ours:
        return Tables.FOREIGN if names and database.vendor == "sqlite" else Tables.NONE
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = set(loader.disk_migrations)
    replaced = {each for one in loader.disk_migrations.values() for each in one.replaces}
    if {each for each in applied - known - replaced if each[0] in loader.migrated_apps}:
        return Tables.NEWER
    return Tables.CURRENT if known <= applied else Tables.OLDER


def require_current() -> None:
    """See that the tables are those of this version; set up an empty SQLite database.

    Raises UsageError that says in one line what is needed.
    """
    found = tables()
    if found is Tables.NONE and connection.vendor == "sqlite":
        set_up_sqlite()
        found = tables()
    if found is Tables.NONE:
        raise UsageError("the database is empty: keepstep migrate creates the tables.")
    if found is Tables.OLDER:
        raise UsageError(
            "the database is of an older version of Keepstep: back it up, then keepstep migrate."
        )
    _refuse_impossible(found)


def migrate() -> str:
    """Create or upgrade the tables, and say what was done. Raises UsageError where it can't."""
    found = tables()
    _refuse_impossible(found)
    if found is Tables.NONE and connection.vendor == "sqlite":
        set_up_sqlite()
        return "The database was set up."
    call_command("migrate", interactive=False, verbosity=0)
    done = {Tables.NONE: "was set up", Tables.OLDER: "was upgraded"}
    return f"The database {done.get(found, 'is up to date')}."


def set_up_sqlite() -> None:
    """Make all tables in one transaction, unless another process has made them meanwhile."""
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:":
        raise UsageError("KEEPSTEP_DATABASE_URL: a database in memory is lost with the process.")
    statements = _statements()
    connection.close()
    with closing(sqlite3.connect(name, SQLITE_BUSY_SECONDS, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("BEGIN IMMEDIATE")
        if not raw.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            for statement in statements:
                raw.execute(statement)
        raw.execute("COMMIT")


def _keep_private(name: str) -> None:
    """Let a new file, and those that SQLite makes beside it, be for its owner alone."""
    if name != ":memory:":
        with suppress(OSError):  # SQLite says better why it can't be
            os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _statements() -> list[str]:
    """Give what makes the tables and notes the migrations, drafted in memory."""
    with _draft() as raw:
        return [each for each in raw.iterdump() if each not in {"BEGIN TRANSACTION;", "COMMIT;"}]


@contextmanager
def _draft() -> Iterator[sqlite3.Connection]:
    """Give a database in memory with all tables."""
    draft = connection.copy(_DRAFT)
    draft.settings_dict["NAME"] = ":memory:"
    draft.settings_dict["OPTIONS"] = {}
    connections.databases[_DRAFT] = draft.settings_dict
    connections[_DRAFT] = draft
    try:
        call_command("migrate", database=_DRAFT, interactive=False, verbosity=0)
        draft.ensure_connection()
        yield draft.connection
    finally:
        draft.close()
        del connections[_DRAFT]
        del connections.databases[_DRAFT]


def _refuse_impossible(found: Tables) -> None:
    if found is Tables.FOREIGN:
        name = connection.settings_dict["NAME"]
        raise UsageError(f"{name} is a database of another program: name another file.")
    if found is Tables.NEWER:
        raise UsageError(
            "the database is of a newer version of Keepstep: install that version,"
            " or restore a back-up of before the upgrade."
        )
