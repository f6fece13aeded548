"""Streams: groups of subscriptions, each heard by one connection that is opened again and again.

A group lives on the machine of its anchor, the mailbox that was subscribed first. What a stream may
have lost is made good by polling: after it was cut, and after its members changed, all are told of.
Only a stream that the server itself ended has lost nothing, as what happens until the next one is
kept for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.notification import (
    Changed,
    Closed,
    Connected,
    Event,
    Failed,
    Heartbeat,
    Notifier,
)
from keepstep.sync.delivery.marks import Marks
from keepstep.sync.guard import Refused

log = logging.getLogger("keepstep.delivery")

# New members wait so long for more to come, and none for longer than the other.
SETTLE_SECONDS = 1.0
SETTLE_AT_MOST = 10.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LIMIT_PAUSE = 60.0
# A group whose stream can't be opened so often in a row is given up: its members begin anew.
GIVEN_UP_AFTER = 6
# A stream that lasted so long was well: the next is opened at once.
WELL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the groups work with: time, chance, and whom they tell.

    `lost` is told of mailboxes that need a new subscription, with a code of the catalogue;
    `strayed` before it of those that the group's machine never knew, unlike the others.
    """

    notifier: Notifier
    marks: Marks
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    jitter: Callable[[], float]
    lost: Callable[[Iterable[int], str], None]
    strayed: Callable[[Iterable[int]], None]


@dataclass(slots=True)
class Heard:
    """What a group's mailboxes are to be covered by: heard of at, or cut off since."""

    mailbox_ids: list[int]
    at: datetime
    cut: bool = False


@dataclass(slots=True)
class Group:
    """Subscriptions of one anchor; `members` are mailboxes by the id of their subscription."""

    anchor: Target
    around: Surroundings
    members: dict[str, int] = field(default_factory=dict)
    joining: int = 0
    connected: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _failures: int = 0
    _doubtful: bool = True
    _fresh: set[str] = field(default_factory=set)
    _heard_at: datetime | None = None
    _heard: list[Heard] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Give how many belong to it, those included that are about to."""
        return len(self.members) + self.joining

    @property
    def ended(self) -> bool:
        """Say whether nothing is to be heard of it any more."""
        return not self.size

    def join(self, subscription_id: str, mailbox_id: int) -> None:
        """Take in a subscription; the stream is opened, or opened anew, soon after."""
        self.members[subscription_id] = mailbox_id
        self._fresh.add(subscription_id)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def leave(self, mailbox_id: int) -> str | None:
        """Hear no more of the mailbox; give its subscription's id, None if it has none here."""
        for subscription_id, member in self.members.items():
            if member == mailbox_id:
                del self.members[subscription_id]
                return subscription_id
        return None

    def heard(self) -> list[Heard]:
        """Give, once, what was heard since the last time."""
        found, self._heard = self._heard, []
        if self.connected and self._heard_at is not None:
            found.append(Heard(list(self.members.values()), self._heard_at))
        self._heard_at = None
        return found

    async def close(self) -> None:
        """End the stream; the subscriptions end by themselves."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self.members:
            await self._settled()
            if not self.members:
                return
            began = self.around.monotonic()
            failure = await self._listen_until_changed()
            if failure is None:
                self._failures = 0
                continue
            if self.around.monotonic() - began > WELL_SECONDS:
                self._failures = 0
            self._failures += 1
            if isinstance(failure, Refused):
                # The server or the account is paused: that is no fault of this group.
                self._failures -= 1
                await asyncio.sleep(LONGEST_PAUSE * (0.5 + self.around.jitter() / 2))
                continue
            if self._failures >= GIVEN_UP_AFTER or not self._is_of_stream(failure):
                self._give_up(failure.code)
                return
            log.info("stream ended", extra={"code": failure.code, "members": len(self.members)})
            await asyncio.sleep(self._pause(failure))

    @staticmethod
    def _is_of_stream(failure: ExchangeError) -> bool:
        """Say whether another stream of the same subscriptions may fare better."""
        return failure.code not in {"subscription-gone", "notifications-refused", "no-such-mailbox"}

    def _pause(self, failure: ExchangeError) -> float:
        asked = failure.pause.total_seconds() if failure.pause else 0.0
        least = LIMIT_PAUSE if failure.code == "stream-limit" else 0.0
        pause: float = min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE)
        return max(pause * (0.5 + self.around.jitter() / 2), asked, least)

    def _give_up(self, code: str) -> None:
        members, self.members = list(self.members.values()), {}
        self.around.lost(members, code)

    async def _settled(self) -> None:
        """Wait until no more members come."""
        latest = self.around.monotonic() + SETTLE_AT_MOST
        while self._changed.is_set() and self.around.monotonic() < latest:
            self._changed.clear()
            self._doubtful = True
            await asyncio.sleep(SETTLE_SECONDS)

    async def _listen_until_changed(self) -> ExchangeError | None:
        """Hear the stream to its end, or until there are new members; give what it failed of."""
        listening = asyncio.create_task(self._listen())
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({listening, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (listening, changed):
                task.cancel()
            await asyncio.gather(listening, changed, return_exceptions=True)
            self.connected = False
        if listening.cancelled():
            self._doubtful = True
            return None
        error = listening.exception()
        if isinstance(error, ExchangeError):
            self._cut()
            return error
        if error is not None:
            raise error
        return None

    def _cut(self) -> None:
        self._doubtful = True
        self._heard.append(Heard(list(self.members.values()), self.around.clock(), cut=True))

    async def _listen(self) -> None:
        minutes = self.around.notifier.stream_limits.minutes
        stream = self.around.notifier.stream(self.anchor, list(self.members), minutes)
        async with aclosing(stream) as events:
            async for event in events:
                self._take_in(event)

    def _take_in(self, event: Event) -> None:
        if not isinstance(event, Closed | Failed):
            self._heard_at = self.around.clock()
        if isinstance(event, Connected):
            self.connected = True
            if self._doubtful:
                self._doubtful = False
                self.around.marks.tell_all(self.members.values())
        elif isinstance(event, Changed):
            mailbox_id = self.members.get(event.subscription_id)
            if mailbox_id is not None:
                self.around.marks.tell(mailbox_id)
        elif isinstance(event, Failed):
            self._drop([each for each in event.subscription_ids if each in self.members], event)
        elif isinstance(event, Heartbeat):
            self._fresh.clear()

    def _drop(self, subscription_ids: list[str], event: Failed) -> None:
        fresh = [self.members[each] for each in subscription_ids if each in self._fresh]
        gone = [self.members.pop(each) for each in subscription_ids]
        if self.members:
            self.around.strayed(fresh)
        self.around.lost(gone, event.code)
