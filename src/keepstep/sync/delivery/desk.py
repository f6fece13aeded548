"""The desk at which pushed notifications arrive: known or not, new or told already.

Whoever knows an address can post to it. The answer depends on nothing but memory and the body: no
database and no other mailbox's work is waited for. All that a notification does is to mark a
mailbox as told of.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus

from keepstep.core.delivery import Way, covered_until
from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews import push
from keepstep.exchange.notification import Notification
from keepstep.store.subscriptions import Heard, Known, address_key_of
from keepstep.sync.delivery.marks import Marks

# A larger body is read beside the loop, which has other mailboxes to serve.
_LARGE = 16 * 1024
_REMEMBERED = 16


@dataclass(slots=True)
class _Place:
    """A subscription at the desk. "" for `subscription_id`: Exchange has not yet told it to us."""

    mailbox_id: int
    address_key: str
    subscription_id: str
    watermark: str
    heard: Heard | None = None
    told: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the listener answers: an HTTP status, and a body of `push.CONTENT_TYPE` if it is OK."""

    status: HTTPStatus
    body: bytes = b""


class Desk:
    """Takes in notifications. `clock` gives UTC; to be used within one event loop."""

    def __init__(self, marks: Marks, clock: Callable[[], datetime]) -> None:
        self._marks = marks
        self._clock = clock
        self._places: dict[str, _Place] = {}
        self._by_mailbox: dict[int, str] = {}
        self._heard: dict[int, Heard] = {}
        self._lost: dict[int, str] = {}
        self.frequency = timedelta(minutes=30)
        self.heard_at: datetime | None = None
        self.refused = 0
        self.taken = 0

    def expect(self, known: Iterable[Known]) -> None:
        """Know these subscriptions, beside those known already; each in place of one before."""
        for each in known:
            self.forget(each.mailbox_id)
            self._places[each.address_key] = _Place(
                each.mailbox_id, each.address_key, each.subscription_id, each.watermark
            )
            self._by_mailbox[each.mailbox_id] = each.address_key

    def announce(self, mailbox_id: int, address_key: str) -> None:
        """Know an address that Exchange is about to be told, beside the mailbox's present one."""
        self._places[address_key] = _Place(mailbox_id, address_key, "", "")

    def withdraw(self, address_key: str) -> None:
        """Forget an address that came to nothing."""
        self._places.pop(address_key, None)

    def forget(self, mailbox_id: int) -> None:
        """Know no subscription of the mailbox: Exchange is told to end it when it calls again."""
        key = self._by_mailbox.pop(mailbox_id, None)
        if key is not None:
            self._places.pop(key, None)
        self._heard.pop(mailbox_id, None)

    def expect_only(self, known: Iterable[Known]) -> None:
        """Know these subscriptions and no others: those that another process made."""
        self.forget_all()
        self.expect(known)

    def forget_all(self) -> None:
        """Know no subscription at all."""
        self._places.clear()
        self._by_mailbox.clear()
        self._heard.clear()

    def settle(self, known: Known) -> str:
        """Know what Exchange answered of an announced address; give the latest watermark.

        What was heard there before it answered counts from here on.
        """
        announced = self._places.get(known.address_key)
        self.expect([known])
        place = self._places[known.address_key]
        if announced is not None and announced.heard is not None:
            place.watermark = announced.watermark or known.watermark
            self._heard[known.mailbox_id] = announced.heard
        return place.watermark

    def heard(self, but: Container[int] = ()) -> list[Heard]:
        """Give, once, what was heard since the last time; of the mailboxes in `but` it is kept."""
        given = [each for each in self._heard.values() if each.mailbox_id not in but]
        for each in given:
            del self._heard[each.mailbox_id]
        return given

    def give_back(self, heard: Iterable[Heard]) -> None:
        """Keep what could not be noted, unless something later was heard of the mailbox."""
        for each in heard:
            self._heard.setdefault(each.mailbox_id, each)

    def lost(self) -> dict[int, str]:
        """Give, once, the mailboxes whose subscriptions Exchange called lost, with the code."""
        lost, self._lost = self._lost, {}
        return lost

    def knows_address(self, token: str) -> bool:
        """Say whether this is an address that we made: others get nothing, not even their say."""
        return address_key_of(token) is not None

    async def take(self, token: str, body: bytes) -> Answer:
        """Take in one call at an address; give the answer.

        404 for an address that is none of ours, 413 and 400 for a body that is too large or can't
        be read; Unsubscribe for a subscription that is none (any more), else OK.
        """
        call = await self.read(token, body)
        return call if isinstance(call, Answer) else self.receive(*call)

    async def read(self, token: str, body: bytes) -> tuple[str, Notification] | Answer:
        """Read a call: the key of its address and what it says, or why it is refused."""
        key = address_key_of(token)
        if key is None:
            return self.refuse(HTTPStatus.NOT_FOUND)
        if len(body) > push.MOST_BYTES:
            return self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            if len(body) > _LARGE:
                return key, await asyncio.to_thread(push.read_notification, body)
            return key, push.read_notification(body)
        except ExchangeError as error:
            large = error.code == "answer-too-large"
            return self.refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE if large else HTTPStatus.BAD_REQUEST
            )

    def receive(self, address_key: str, notification: Notification) -> Answer:
        """Take in what was read of a call; give the answer."""
        place = self._places.get(address_key)
        if place is None or not self._belongs(place, notification):
            self.refused += 1
            return Answer(HTTPStatus.OK, push.answer(ok=False))
        self._take_in(place, notification)
        return Answer(HTTPStatus.OK, push.answer(ok=True))

    def knows(self, address_key: str) -> bool:
        """Say whether there is a subscription with this address."""
        return address_key in self._places

    def refuse(self, status: HTTPStatus) -> Answer:
        """Give the answer to a call that changes nothing, and count it."""
        self.refused += 1
        return Answer(status)

    @staticmethod
    def _belongs(place: _Place, notification: Notification) -> bool:
        if notification.failure and not notification.subscription_id:
            return True
        if not place.subscription_id:
            # It calls before its answer to Subscribe is read: what that names is believed then.
            return True
        return place.subscription_id == notification.subscription_id

    def _take_in(self, place: _Place, notification: Notification) -> None:
        self.taken += 1
        if notification.failure:
            self._lost[place.mailbox_id] = notification.failure
            self._marks.tell(place.mailbox_id)
            return
        now = self._clock()
        self.heard_at = now
        is_new = self._is_new(place, notification)
        if is_new or notification.is_heartbeat:
            until = covered_until(Way.PUSH, now, self.frequency)
            place.watermark = notification.watermark or place.watermark
            place.heard = Heard(place.mailbox_id, place.address_key, place.watermark, now, until)
            self._heard[place.mailbox_id] = place.heard
        if is_new and (notification.events or notification.more_events):
            self._marks.tell(place.mailbox_id)

    @staticmethod
    def _is_new(place: _Place, notification: Notification) -> bool:
        """Say whether it was not told before; without watermarks that can't be known."""
        if not notification.watermark or notification.is_heartbeat:
            return True
        if notification.watermark in place.told:
            return False
        place.told.append(notification.watermark)
        return True
