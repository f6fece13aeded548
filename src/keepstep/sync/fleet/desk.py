"""The desk of a process among others: what arrives is judged by the leader, wherever it arrives."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from keepstep.exchange.ews import push
from keepstep.exchange.notification import ChangeEvent, Notification
from keepstep.store.subscriptions import made_at
from keepstep.sync.delivery.desk import Answer, Desk
from keepstep.sync.fleet.fleet import Fleet

# The leader's newest subscriptions are not known here at once.
YOUNG = timedelta(minutes=2)


class FleetDesk:
    """Takes in notifications, or passes them on to the leader. `clock` gives UTC."""

    def __init__(self, desk: Desk, fleet: Fleet, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._fleet = fleet
        self._clock = clock

    def knows_address(self, token: str) -> bool:
        """Say whether this is an address that we made."""
        return self._desk.knows_address(token)

    def refuse(self, status: HTTPStatus) -> Answer:
        """Give the answer to a call that changes nothing, and count it."""
        return self._desk.refuse(status)

    async def take(self, token: str, body: bytes) -> Answer:
        """Take in one call at an address, as `Desk.take` does; give the answer."""
        if self._fleet.leads:
            return await self._desk.take(token, body)
        call = await self._desk.read(token, body)
        if isinstance(call, Answer):
            return call
        key, notification = call
        if not self._desk.knows(key) and self._clock() - made_at(key) > YOUNG:
            return Answer(HTTPStatus.OK, push.answer(ok=False))
        self._fleet.tell(_told(key, notification))
        return Answer(HTTPStatus.OK, push.answer(ok=True))

    def heed(self, text: str) -> None:
        """Take in, in the leader, what another process passed on."""
        values = json.loads(text)
        events = (ChangeEvent.OTHER,) if values.pop("changed") else ()
        self._desk.receive(values.pop("key"), Notification(events=events, **values))


def _told(key: str, notification: Notification) -> str:
    return json.dumps(
        {
            "key": key,
            "changed": bool(notification.events),
            "subscription_id": notification.subscription_id,
            "watermark": notification.watermark,
            "more_events": notification.more_events,
            "failure": notification.failure,
        }
    )
