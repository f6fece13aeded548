"""`keepstep worker`: one more process at the same work, without pages."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from keepstep.core.errors import UsageError
from keepstep.sync.fleet.fleet import fleet_of
from keepstep.sync.scheduler import Scheduler


def work(begun: Callable[[], None] = lambda: None) -> int:
    """Work until SIGTERM or SIGINT, then end within 30 seconds; give the exit status.

    Raises UsageError where the database is not PostgreSQL.
    """
    return asyncio.run(_work(begun))


async def _work(begun: Callable[[], None]) -> int:
    fleet = fleet_of("worker")
    if fleet is None:
        raise UsageError(
            "keepstep worker needs PostgreSQL: SQLite is for one process, which keepstep serve is."
            " Set KEEPSTEP_DATABASE_URL to postgresql://…."
        )
    scheduler = Scheduler(fleet)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, scheduler.stop)
    begun()
    await scheduler.run()
    return 0
