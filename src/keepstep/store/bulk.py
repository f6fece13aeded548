"""Writing many rows at once, past the object layer, whose cost a first round would feel.

Only `apply` calls it, inside its transaction. Measured: docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    kept, now = _keeping(), _kept(at)
    tail = ("live", now, full_round, now, mailbox_id, 0, now)
    _write(_INSERT, [(*kept(columns(each, shown)), *tail) for each, shown in new])


def update_live(
    changed: Sequence[tuple[int, Appointment, Shown]], full_round: int, at: datetime
) -> None:
    """Write these appointments to their rows, by id, which are then live."""
    kept, now = _keeping(), _kept(at)
    tail = ("live", now, full_round, now)
    rows = [(*kept(columns(each, shown)), *tail, row_id) for row_id, each, shown in changed]
    _write(_UPDATE, rows)


def insert_history(rows: Sequence[tuple[int, str, str, datetime, str, str]]) -> None:
    """Insert rows of the history: mailbox, UID, item id, when (UTC), what, rule."""
    if connection.vendor == "sqlite":
        instants = {at: _text(at) for at in {row[3] for row in rows}}
        _write(_INSERT_HISTORY, [(*row[:3], instants[row[3]], *row[4:]) for row in rows])
    else:
        _write(_INSERT_HISTORY, rows)


_INSTANTS = [
    FILLED.index(each) for each in ("last_modified", "start", "end", "span_start", "span_end")
]


def _keeping() -> Callable[[Sequence[Value]], Sequence[Value]]:
    """Give what makes of an appointment's columns what the database keeps."""
    return _as_text if connection.vendor == "sqlite" else tuple


def _as_text(values: Sequence[Value]) -> Sequence[Value]:
    kept = list(values)
    for place in _INSTANTS:
        instant = kept[place]
        if isinstance(instant, datetime):
            kept[place] = _text(instant)
    return kept


def _kept(instant: datetime) -> str | datetime:
    return _text(instant) if connection.vendor == "sqlite" else instant


def _text(instant: datetime) -> str:
    """Give an instant as Django keeps it in SQLite: UTC, without the offset."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(" ")[:_WITHOUT_OFFSET]


_WITHOUT_OFFSET = -len("+00:00")


def _write(statement: str, rows: Sequence[Sequence[Value]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
