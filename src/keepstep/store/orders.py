"""What waits to be worked off by the processes that share the work, from the queue's own tables.

Orders are handed out and taken by keepstep.sync.fleet; here they are only looked at, and what the
queue notes of those that are done is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

LANES = ("living", "first")
"""The queue of mailboxes that are kept in step, and that of first rounds."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue: orders that wait, orders in hand, and for how many seconds the oldest has waited."""

    name: str
    waiting: int
    in_hand: int
    oldest: float


def forget_some(before: datetime, at_once: int) -> int:
    """Delete what the queue noted before an instant, at most so many rows a table; say how many."""
    if not _has_queue():
        return 0
    gone = 0
    with connection.cursor() as cursor:
        for table in ("pgqueuer_log", "pgqueuer_statistics"):
            cursor.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table}"  # noqa: S608 - constants
                " WHERE created < %s ORDER BY id LIMIT %s)",
                [before, at_once],
            )
            gone += cursor.rowcount
    return gone


def _has_queue() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgqueuer') IS NOT NULL")
        return bool(cursor.fetchone()[0])


def lanes() -> tuple[Lane, ...]:
    """Give each queue as it stands now; none on SQLite, where one process does all."""
    if not _has_queue():
        return ()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entrypoint, count(*) FILTER (WHERE waits), count(*) FILTER (WHERE NOT waits),"
            " extract(epoch FROM now() - min(created) FILTER (WHERE waits)) FROM"
            " (SELECT entrypoint, created, status = 'queued' AS waits FROM pgqueuer"
            " WHERE status = 'picked' OR status = 'queued' AND execute_after <= now()) AS orders"
            " GROUP BY entrypoint"
        )
        rows = cursor.fetchall()
    found = {name: Lane(name, waits, taken, float(old or 0)) for name, waits, taken, old in rows}
    return tuple(found.get(name, Lane(name, 0, 0, 0.0)) for name in LANES)
