"""Telling webhooks what changed: by the one process that leads, until cancelled."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from keepstep.core.errors import KeepstepError
from keepstep.store import deliveries
from keepstep.store.deliveries import Due, Target
from keepstep.store.settings import ApplicationSettings
from keepstep.store.writer import Writer

if TYPE_CHECKING:
    from keepstep.notices.webhook_post import Post

log = logging.getLogger("keepstep.webhooks")

LOOK_SECONDS = 2.0
AT_ONCE = 5
# What one webhook gets before the others' turn comes.
MOST_IN_TURN = 40


class Webhooks:
    """Looks every few seconds for changes that webhooks are to be told of.

    `settings` gives those that hold now (None: not yet known), `clock` gives UTC, `chance` a
    number from 0 to 1.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Callable[[], datetime],
        settings: Callable[[], ApplicationSettings | None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._settings = settings
        self._chance = chance

    async def run(self) -> None:
        """Do so until cancelled; what fails is logged and done again."""
        while True:
            settings = self._settings()
            if settings is not None:
                try:
                    await self.look(settings)
                except KeepstepError as error:
                    log.warning("webhooks: %s", error)
                except Exception:
                    log.exception("telling webhooks failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, settings: ApplicationSettings) -> int:
        """Tell each webhook what is due; give how many deliveries were taken."""
        targets = await self._writer.call(deliveries.targets)
        if not targets:
            return 0
        # Loaded only where there is a webhook.
        from keepstep.notices.webhook_post import Post

        kept = timedelta(days=settings.history_days)
        async with Post(private=settings.webhook_private_targets) as post:
            taken = await asyncio.gather(*(self._tell(each, post, kept) for each in targets))
        return sum(taken)

    async def _tell(self, target: Target, post: Post, kept: timedelta) -> int:
        call, taken = self._writer.call, 0
        more = True
        while taken < MOST_IN_TURN:
            if more:
                more = await call(deliveries.make, target.number, self._clock(), kept)
            found = await call(deliveries.due, target.number, self._clock(), AT_ONCE)
            if not found and not more:
                break
            done = await asyncio.gather(*(self._send(target, each, post) for each in found))
            taken += sum(done)
            if not all(done):
                break  # who does not take one now shall not be pressed with the next
        return taken

    async def _send(self, target: Target, delivery: Due, post: Post) -> bool:
        now = self._clock()
        identity = f"keepstep-{target.number}-{delivery.number}"
        document = {"webhook": target.number, "delivery": delivery.number, **delivery.body}
        problem = await post.send(
            target.url, target.secret, identity, int(now.timestamp()), document
        )
        if not problem:
            await self._writer.call(
                deliveries.note_taken, target.number, delivery.number, self._clock()
            )
            return True
        given_up = await self._writer.call(
            deliveries.note_failed, delivery, problem, self._clock(), self._chance()
        )
        if given_up or not delivery.attempts:
            extra = {"code": "webhook-not-delivered", "webhook": target.number}
            words = "given up" if given_up else "not taken"
            log.warning("a delivery was %s: %s", words, problem, extra=extra)
        return False
