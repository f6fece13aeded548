"""Databases for tests: a new SQLite file, or an emptied PostgreSQL database, in this process."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

POSTGRESQL = "KEEPSTEP_TEST_POSTGRESQL"


def use(description: dict[str, Any]) -> None:
    """Make Django speak to the database described, in every thread that connects from now on."""
    connections.close_all()
    settings.DATABASES["default"] = description
    connections._settings = settings.DATABASES  # type: ignore[assignment]
    connections.__dict__.pop("settings", None)
    connections.__dict__.pop("databases", None)
    if hasattr(connections._connections, "default"):
        del connections["default"]


def sqlite(file: Path) -> dict[str, Any]:
    """Describe a SQLite file as the product does."""
    from keepstep import environment

    return environment._sqlite(str(file))


def new_sqlite(template: Path, file: Path) -> None:
    """Use a new SQLite database with all tables, copied from the template (made if missing)."""
    if not template.exists():
        use(sqlite(template))
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connections.close_all()
    shutil.copy(template, file)
    use(sqlite(file))


def server() -> str:
    """Give the address of the PostgreSQL server for tests; fail loudly where there is none."""
    url = os.environ.get(POSTGRESQL)
    if not url:
        raise AssertionError(
            f"These tests need PostgreSQL: run them by make test, by scripts/with-postgresql, or"
            f" set {POSTGRESQL} to the address of a server that tests may fill."
        )
    return url


def own(name: str) -> str:
    """Give the name of a PostgreSQL database that no test running beside this one uses."""
    return f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def new_postgresql(name: str) -> None:
    """Use the PostgreSQL database of this name, made with all tables and emptied."""
    import psycopg

    from keepstep import environment

    with psycopg.connect(server(), autocommit=True) as admin:
        exists = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if not exists:
            admin.execute(f'CREATE DATABASE "{name}"')
    description = environment._postgresql(server()) | {"NAME": name}
    use(description)
    if not exists:
        call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
