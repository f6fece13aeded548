"""What the server does beside its jobs: notices, the outbox, the nightly purge."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from keepstep.core.errors import KeepstepError
from keepstep.core.job_schedule import CronLine, next_runs
from keepstep.notices.outbox import deliver
from keepstep.store import notices, overview
from keepstep.store.erasure import forget_bytes
from keepstep.store.retention import Terms, purge_some
from keepstep.store.settings import ApplicationSettings
from keepstep.store.writer import Writer

log = logging.getLogger("keepstep.scheduler")

LOOK_SECONDS = 5.0
NIGHTLY = "17 3 * * *"
# A server that is off at night purges soon after its start; a purge that failed is tried again.
PURGE_SOON = timedelta(hours=1)


class Housekeeping:
    """Looks every few seconds what is to be done, until cancelled.

    `settings` gives those that hold now (None: not yet known), `may_judge` whether a run has ended
    since the start: what was written down before a stop may have passed meanwhile. `clock` gives
    UTC, `zone` is that of the nights.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Callable[[], datetime],
        settings: Callable[[], ApplicationSettings | None],
        may_judge: Callable[[], bool],
        zone: tzinfo,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._settings = settings
        self._may_judge = may_judge
        self._nightly = CronLine(NIGHTLY, zone)
        self._purge_at = min(self._next_night(), clock() + PURGE_SOON)

    def _next_night(self) -> datetime:
        return next_runs(self._nightly, self._clock(), 1)[0]

    async def run(self) -> None:
        """Do so until cancelled; what fails is logged and done again."""
        while True:
            settings = self._settings()
            if settings is not None:
                await self.look(settings)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, settings: ApplicationSettings) -> None:
        """Do what is due now. While calendar integration is off nobody is said to fail."""
        try:
            if settings.calendar_integration and self._may_judge():
                await self.review(settings)
            await self._writer.call(overview.note_sample, self._clock())
            await deliver(self._writer, settings, self._clock)
            if self._clock() >= self._purge_at:
                await self.purge(settings)
        except KeepstepError as error:
            log.warning("housekeeping: %s", error)
        except Exception:
            log.exception("housekeeping failed")

    async def review(self, settings: ApplicationSettings) -> None:
        """See who failed for too long, and who is back."""
        frequency = timedelta(minutes=settings.notification_frequency)
        recipients = settings.notify_sync_failure_to
        await self._writer.call(notices.review, self._clock(), recipients, frequency)

    async def purge(self, settings: ApplicationSettings) -> None:
        """Purge what is too old, letting others write in between."""
        self._purge_at = self._clock() + PURGE_SOON
        terms = Terms.of(settings)
        total: Counter[str] = Counter()
        while gone := await self._writer.call(purge_some, terms, self._clock()):
            total.update(gone)
            await asyncio.sleep(0)
        if total:
            log.info("purged", extra={"counts": dict(total)})
        await self._writer.call(forget_bytes)
        self._purge_at = self._next_night()
