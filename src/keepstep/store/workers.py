"""The processes that share the work, as they show themselves to each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keepstep.store.models import Worker

ALIVE = timedelta(seconds=15)
"""A process shows a sign of life every few seconds; one silent for so long counts as stopped."""
REMEMBERED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ShownWorker:
    """A process at work: `kind` is serve or worker. Instants are UTC.

    `shards` is how many it has in hand, `overtaken` how many of its writes were refused because
    another had taken the mailbox meanwhile.
    """

    host: str
    pid: int
    kind: str
    version: str
    alive: bool
    leads: bool
    shards: int
    overtaken: int
    started_at: datetime
    seen_at: datetime


def listing(now: datetime, using: str = "default") -> list[ShownWorker]:
    """Give the processes that were seen lately, those alive first; none on SQLite."""
    rows = Worker.objects.using(using).filter(seen_at__gt=now - REMEMBERED).order_by("host", "pid")
    found = [
        ShownWorker(
            each.host,
            each.pid,
            each.kind,
            each.version,
            now - each.seen_at < ALIVE,
            each.leads,
            each.shards,
            each.overtaken,
            each.started_at,
            each.seen_at,
        )
        for each in rows
    ]
    return sorted(found, key=lambda each: not each.alive)
