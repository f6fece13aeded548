"""Making one subscription with Exchange, and ending it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from keepstep.core.delivery import Watched, Way
from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.notification import Notifier
from keepstep.store import subscriptions
from keepstep.store.settings import ApplicationSettings
from keepstep.store.subscriptions import Known, Made
from keepstep.sync.delivery.desk import Desk
from keepstep.sync.delivery.groups import Groups

log = logging.getLogger("keepstep.delivery")

LISTENER_PATH = "PushNotificationsListener"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """By what subscriptions are made: the notifier to this server, the settings, the contexts."""

    notifier: Notifier
    settings: ApplicationSettings
    contexts: frozenset[str]


class Maker:
    """Makes subscriptions by an arrangement. For one event loop; `clock` gives UTC.

    `unstored` are the mailboxes whose push subscriptions Exchange made, until whoever stores them
    takes them out: what is heard of them meanwhile has no row yet.
    """

    def __init__(
        self, arrangement: Arrangement, desk: Desk, groups: Groups, clock: Callable[[], datetime]
    ) -> None:
        self._arrangement = arrangement
        self._desk = desk
        self._groups = groups
        self._clock = clock
        self.unstored: set[int] = set()

    async def make(self, way: Way, mailbox: Watched) -> Made:
        """Subscribe to a mailbox by push or streaming. Raises ExchangeError, Refused."""
        return await (self._push if way is Way.PUSH else self._stream)(mailbox)

    async def end(self, mailbox: Watched) -> None:
        """End the subscription that stands. If Exchange can't be told, it is at its next call."""
        assert mailbox.standing is not None
        anchor = None
        if mailbox.standing.way is Way.STREAMING:
            anchor = self._groups.leave(mailbox.mailbox_id)
            if anchor is None:
                return
        try:
            await self._arrangement.notifier.unsubscribe(
                _target(mailbox), mailbox.standing.subscription_id, anchor
            )
        except ExchangeError as error:
            log.debug("not unsubscribed: %s", error.code)

    async def _push(self, mailbox: Watched) -> Made:
        key = subscriptions.new_address_key(self._clock())
        url = listener_url(self._arrangement.settings.notification_url, subscriptions.token_of(key))
        standing = mailbox.standing
        watermark = standing.watermark if standing and standing.way is Way.PUSH else ""
        self._desk.announce(mailbox.mailbox_id, key)
        minutes = self._arrangement.settings.notification_frequency
        target = _target(mailbox)

        async def ask(since: str) -> Known:
            subscribed = await self._arrangement.notifier.subscribe_push(
                target, mailbox.folder_id, url, minutes, since or None
            )
            return Known(mailbox.mailbox_id, key, subscribed.id, subscribed.watermark)

        try:
            try:
                known = await ask(watermark)
            except ExchangeError as error:
                if error.code != "watermark-refused" or not watermark:
                    raise
                known = await ask("")
        except BaseException:
            self._desk.withdraw(key)
            raise
        if standing is not None and standing.way is Way.STREAMING:
            self._groups.leave(mailbox.mailbox_id)
        # Exchange calls at once: what it says is noted when there is a row to note it in.
        self.unstored.add(mailbox.mailbox_id)
        reached = self._desk.settle(known)
        return Made(
            mailbox.mailbox_id,
            Way.PUSH,
            known.subscription_id,
            mailbox.address,
            mailbox.folder_id,
            reached or watermark,
            key,
        )

    async def _stream(self, mailbox: Watched) -> Made:
        self._desk.forget(mailbox.mailbox_id)
        subscription_id = await self._groups.subscribe(
            _target(mailbox), mailbox.folder_id, mailbox.mailbox_id
        )
        return Made(
            mailbox.mailbox_id,
            Way.STREAMING,
            subscription_id,
            mailbox.address,
            mailbox.folder_id,
        )


def listener_url(notification_url: str, token: str) -> str:
    """Give the address that Exchange is told: the setting notification_url, the path, the token."""
    return f"{notification_url.rstrip('/')}/{LISTENER_PATH}/{token}"


def _target(mailbox: Watched) -> Target:
    return Target(mailbox.address, mailbox.time_zone)
