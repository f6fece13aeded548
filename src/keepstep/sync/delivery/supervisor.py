"""Who is told of by which way: subscribing, renewing, ending, noting what was heard."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from keepstep.core.delivery import (
    OVERDUE,
    PROBE_PATIENCE,
    Outlook,
    Plan,
    Watched,
    Way,
    covered_until,
    plan,
    ways_of,
)
from keepstep.core.errors import ExchangeError, KeepstepError
from keepstep.store import subscriptions
from keepstep.store.subscriptions import Made, Trouble
from keepstep.store.writer import Writer
from keepstep.sync.delivery.desk import Desk
from keepstep.sync.delivery.groups import Groups
from keepstep.sync.delivery.making import Arrangement, Maker
from keepstep.sync.delivery.marks import Marks
from keepstep.sync.delivery.refusals import Refusals
from keepstep.sync.delivery.streams import Surroundings
from keepstep.sync.guard import Refused

log = logging.getLogger("keepstep.delivery")

LOOK_SECONDS = 10.0
LOOK_SOON_SECONDS = 1.0
FLUSH_SECONDS = 1.0
# Mailboxes subscribed one look after another, and so many side by side: no storm at the start.
AT_ONE_LOOK = 500
AT_ONCE = 6
READ_AT_ONCE = 1000
MAILBOX_PAUSE = timedelta(minutes=10)
LASTING_PAUSE = timedelta(hours=1)
# What is said to one mailbox but holds for all, as long as no other is served by this way.
_OF_THE_WAY = frozenset({"notification-url-refused", "notifications-refused"})


class Supervisor:
    """Keeps the subscriptions as they should be. For one event loop; `clock` gives UTC."""

    def __init__(
        self,
        writer: Writer,
        marks: Marks,
        desk: Desk,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._writer = writer
        self._marks = marks
        self._desk = desk
        self._clock = clock
        self._monotonic = monotonic
        self._jitter = jitter
        self._sleep = sleep
        self._arrangement: Arrangement | None = None
        self._groups: Groups | None = None
        self._maker: Maker | None = None
        self._ours: set[int] = set()
        self._refused = Refusals()
        self._told: list[Trouble] | None = None
        self._probing_since: datetime | None = None
        self._lost: dict[int, str] = {}
        self._begun = False
        self._was_heard = False
        self._wake = asyncio.Event()

    async def arrange(self, arrangement: Arrangement | None) -> None:
        """Go by this arrangement from now on (None: by none); streams of the one before end."""
        before, self._arrangement = self._arrangement, arrangement
        if self._groups is not None:
            await self._groups.close()
            self._ours -= set(self._groups.mailbox_ids)
            self._groups = self._maker = None
        if arrangement is None:
            # Exchange is told at its next calls that nothing is wanted any more.
            self._desk.forget_all()
            self._begun = False
            return
        if before is None or _pushed_by(before) != _pushed_by(arrangement):
            self._ours.clear()
            self._probing_since = None
            self._desk.heard_at = None
        self._refused.clear()
        self._desk.frequency = timedelta(minutes=arrangement.settings.notification_frequency)
        self._groups = Groups(
            Surroundings(
                arrangement.notifier,
                self._marks,
                self._clock,
                self._monotonic,
                self._jitter,
                self._note_lost,
                lambda _: None,
            )
        )
        self._maker = Maker(arrangement, self._desk, self._groups, self._clock)
        self._wake.set()

    async def run(self) -> None:
        """Look, and note what was heard, until cancelled."""
        self._begun = False
        self._ours.clear()
        flushing = asyncio.create_task(self._flush_on())
        try:
            while True:
                self._wake.clear()
                began = self._monotonic()
                busy = await self._look_safely()
                # However many mailboxes there are, looking takes a fiftieth of the time.
                took = 50 * (self._monotonic() - began)
                pause = LOOK_SOON_SECONDS if busy else max(LOOK_SECONDS, took)
                try:
                    # Not wait_for, which in Python 3.11 may lose a cancellation.
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)
            if self._groups is not None:
                await self._groups.close()

    async def _look_safely(self) -> bool:
        try:
            return await self.look()
        except KeepstepError as error:
            log.warning("subscriptions: %s", error)
        except Exception:
            log.exception("subscriptions")
        return False

    async def look(self) -> bool:
        """Do what is due now; say whether there is more to do at once."""
        arrangement = self._arrangement
        if arrangement is None:
            return False
        if not self._begun:
            await self._writer.call(subscriptions.begin_anew)
            self._desk.expect(await self._writer.call(subscriptions.pushed))
            self._begun = True
        await self._end_lost()
        outlook = self._outlook(arrangement)
        watched = await self._watched(arrangement.contexts, outlook)
        planned = plan(watched, outlook, self._clock())
        await self._end(planned.end)
        await self._subscribe(planned)
        await self._note_troubles(outlook)
        return len(planned.subscribe) > AT_ONE_LOOK or bool(self._lost)

    async def _watched(self, contexts: frozenset[str], outlook: Outlook) -> list[Watched]:
        """Give whom it is about, read a part at a time: rounds wait for the same thread."""
        found: list[Watched] = []
        ours = frozenset(self._ours)
        while True:
            part = await self._writer.call(
                subscriptions.watched,
                contexts,
                ours,
                standing_only=not outlook.ways,
                after=found[-1].mailbox_id if found else 0,
                most=READ_AT_ONCE,
            )
            found += part
            if len(part) < READ_AT_ONCE:
                return found

    def wake(self) -> None:
        """Look soon: there may be mailboxes that had their first round."""
        self._wake.set()

    async def flush(self) -> None:
        """Note who was heard of since the last time."""
        unstored = self._maker.unstored if self._maker is not None else ()
        heard = self._desk.heard(but=unstored)
        if heard and not self._was_heard:
            # Push is proven: the others need not wait.
            self._wake.set()
        self._was_heard = self._desk.heard_at is not None
        if heard:
            try:
                await self._writer.call(subscriptions.note_heard, heard)
            except BaseException:
                self._desk.give_back(heard)
                raise
        lost = self._desk.lost()
        if lost:
            self._lost |= lost
            self._wake.set()
        for each in self._groups.heard() if self._groups is not None else ():
            if each.cut:
                until = each.at + OVERDUE
                await self._writer.call(subscriptions.uncover, each.mailbox_ids, until)
            else:
                until = covered_until(Way.STREAMING, each.at, timedelta(0))
                await self._writer.call(subscriptions.cover, each.mailbox_ids, each.at, until)

    async def _flush_on(self) -> None:
        while True:
            await self._sleep(FLUSH_SECONDS)
            try:
                await self.flush()
            except KeepstepError as error:
                log.warning("subscriptions: %s", error)
            except Exception:
                log.exception("subscriptions")

    def _note_lost(self, mailbox_ids: Iterable[int], code: str) -> None:
        self._lost |= dict.fromkeys(mailbox_ids, code)
        self._wake.set()

    async def _end_lost(self) -> None:
        lost, self._lost = self._lost, {}
        if lost:
            self._forget(lost)
            await self._writer.call(subscriptions.end, list(lost))

    def _forget(self, mailbox_ids: Iterable[int]) -> None:
        for each in mailbox_ids:
            self._ours.discard(each)
            self._desk.forget(each)
            if self._groups is not None:
                self._groups.leave(each)

    def _outlook(self, arrangement: Arrangement) -> Outlook:
        settings, now = arrangement.settings, self._clock()
        heard_at = self._desk.heard_at
        frequency = timedelta(minutes=settings.notification_frequency)
        return Outlook(
            ways=ways_of(
                settings.delivery,
                has_address=bool(settings.notification_url),
                refused=self._refused.standing(now),
            ),
            frequency=frequency,
            push_proven=heard_at is not None and now - heard_at < 2 * frequency,
            probing_since=self._probing_since,
        )

    async def _end(self, ended: Sequence[Watched]) -> None:
        """End subscriptions."""
        if self._maker is not None:
            await _each(ended, self._maker.end)
        self._forget(each.mailbox_id for each in ended)
        if ended:
            await self._writer.call(subscriptions.end, [each.mailbox_id for each in ended])

    async def _subscribe(self, planned: Plan) -> None:
        maker = self._maker
        if maker is None:
            return
        for way in (Way.PUSH, Way.STREAMING):
            chosen = [mailbox for mailbox, by in planned.subscribe if by is way][:AT_ONE_LOOK]
            if not chosen:
                continue
            made: list[Made] = []
            one = partial(self._try, maker, way, made)
            try:
                # The first alone: of what holds for all, one is enough to learn.
                await one(chosen[0])
                await _each(chosen[1:], one)
            finally:
                try:
                    await self._note_made(maker, made)
                finally:
                    maker.unstored.clear()

    async def _try(self, maker: Maker, way: Way, made: list[Made], mailbox: Watched) -> None:
        if way in self._refused or maker is not self._maker:
            return
        if way is Way.PUSH:
            self._probing_since = self._probing_since or self._clock()
        try:
            made.append(await maker.make(way, mailbox))
        except Refused:
            return
        except ExchangeError as error:
            await self._note_refusal(mailbox, way, error)

    async def _note_made(self, maker: Maker, made: Sequence[Made]) -> None:
        if not made:
            return
        await self._writer.call(subscriptions.note_made, made, self._clock())
        if maker is not self._maker:
            # Made by what held before: at the next look they are made anew.
            return
        for each in made:
            self._ours.add(each.mailbox_id)
            if each.way is Way.PUSH:
                # What changed since its last round was told to nobody. A stream's are told of
                # when it is connected.
                self._marks.tell(each.mailbox_id)

    async def _note_refusal(self, mailbox: Watched, way: Way, error: ExchangeError) -> None:
        now = self._clock()
        if error.code in _OF_THE_WAY and not self._serves(way):
            self._refused.add(Trouble(way, error.code, error.detail, now), now)
            log.warning("no notifications by %s", way.value, extra={"code": error.code})
            self._wake.set()
            return
        pause = max(LASTING_PAUSE if error.code in _OF_THE_WAY else MAILBOX_PAUSE, _asked(error))
        pause *= 1 + self._jitter() / 4
        self._forget([mailbox.mailbox_id])
        await self._writer.call(
            subscriptions.note_refused, mailbox.mailbox_id, error.code, now + pause
        )

    def _serves(self, way: Way) -> bool:
        """Say whether some mailbox is told of by this way."""
        if way is Way.PUSH:
            return self._desk.heard_at is not None
        return self._groups is not None and bool(self._groups.mailbox_ids)

    async def _note_troubles(self, outlook: Outlook) -> None:
        troubles = self._refused.troubles
        began = outlook.probing_since
        if (
            Way.PUSH in outlook.ways
            and not outlook.push_proven
            and began is not None
            and self._clock() - began >= PROBE_PATIENCE
        ):
            assert self._arrangement is not None
            url = self._arrangement.settings.notification_url
            troubles.append(Trouble(Way.PUSH, "notifications-not-heard", url, began))
        if troubles != self._told:
            await self._writer.call(subscriptions.note_troubles, troubles)
            for each in troubles:
                log.warning("no notifications by %s", each.way.value, extra={"code": each.code})
            self._told = troubles


def _pushed_by(arrangement: Arrangement) -> tuple[object, ...]:
    """Give what push subscriptions depend on: with another of these they are made anew."""
    settings = arrangement.settings
    return (
        settings.exchange_url,
        settings.username,
        settings.notification_url,
        settings.notification_frequency,
    )


def _asked(error: ExchangeError) -> timedelta:
    return error.pause or timedelta(0)


async def _each(mailboxes: Sequence[Watched], do: Callable[[Watched], Awaitable[None]]) -> None:
    """Do it with each, a few side by side."""
    waiting = iter(mailboxes)

    async def work() -> None:
        for mailbox in waiting:
            await do(mailbox)

    async with asyncio.TaskGroup() as workers:
        for _ in range(min(AT_ONCE, len(mailboxes))):
            workers.create_task(work())
