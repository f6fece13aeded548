"""What waits to be worked off by the processes that share the work: read from the queue's table.

Only reading is done here, by SQL; orders are handed out and taken by keepstep.sync.fleet.
"""

from __future__ import annotations

from dataclasses import dataclass

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


def lanes() -> tuple[Lane, ...]:
    """Give each queue as it stands now; none on SQLite, where one process does all."""
    if connection.vendor != "postgresql":
        return ()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgqueuer') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return ()
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
