"""Writing many rows at once, past the object layer, whose cost a first round would feel.

Only `apply` calls it, inside its transaction. Measured: docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.db import connection

from keepstep.core.appointment import Appointment
from keepstep.core.record import Shown
from keepstep.store import models
from keepstep.store.rows import FILLED, columns

Value = str | bool | int | datetime | None

_STANDING = ("state", "state_since", "listed_in", "updated_at")
_BORN = ("mailbox_id", "part", "created_at")


def _names(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _insert(table: str, names: Sequence[str]) -> str:
    marks = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {table} ({', '.join(_names(names))}) VALUES ({marks})"  # noqa: S608


_TABLE = models.Appointment._meta.db_table
_INSERT = _insert(_TABLE, (*FILLED, *_STANDING, *_BORN))
_UPDATE = (
    f"UPDATE {_TABLE} SET"  # noqa: S608 - names of our own columns
    f" {', '.join(f'{name} = %s' for name in _names((*FILLED, *_STANDING)))} WHERE id = %s"
)
_INSERT_HISTORY = _insert(
    models.History._meta.db_table, ("mailbox_id", "uid", "item_id", "at", "what", "rule")
)


def insert_live(
    new: Sequence[tuple[Appointment, Shown]], mailbox_id: int, full_round: int, at: datetime
) -> None:
    """Insert live rows for these appointments, made at `at` (UTC)."""
    tail = ("live", at, full_round, at, mailbox_id, 0, at)
    _write(_INSERT, [(*columns(each, shown), *tail) for each, shown in new])


def update_live(
    changed: Sequence[tuple[int, Appointment, Shown]], full_round: int, at: datetime
) -> None:
    """Write these appointments to their rows, by id, which are then live."""
    tail = ("live", at, full_round, at)
    rows = [(*columns(each, shown), *tail, row_id) for row_id, each, shown in changed]
    _write(_UPDATE, rows)


def insert_history(rows: Sequence[tuple[int, str, str, datetime, str, str]]) -> None:
    """Insert rows of the history: mailbox, UID, item id, when (UTC), what, rule."""
    _write(_INSERT_HISTORY, rows)


def _text(instant: datetime) -> str:
    """Give an instant as Django keeps it in SQLite: UTC, without the offset."""
    return instant.astimezone(UTC).isoformat(" ").removesuffix("+00:00")


def _write(statement: str, rows: Sequence[tuple[Value, ...]]) -> None:
    if not rows:
        return
    if connection.vendor == "sqlite":
        rows = [
            tuple(_text(value) if isinstance(value, datetime) else value for value in row)
            for row in rows
        ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
