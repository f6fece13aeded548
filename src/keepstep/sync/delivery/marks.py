"""Which mailboxes notifications told of, and when each is to be polled. For one event loop."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable

from keepstep.core.bursts import Told, due_at


class Marks:
    """The mailboxes that are told of. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told: dict[int, Told] = {}
        self._rounds: dict[int, float] = {}
        # When to look at a mailbox; of a burst the time may have moved on when it comes.
        self._times: list[tuple[float, int]] = []
        self._changed = asyncio.Event()

    def tell(self, mailbox_id: int) -> None:
        """Note that something may have changed in the mailbox."""
        now = self._monotonic()
        known = self._told.get(mailbox_id)
        self._told[mailbox_id] = known.again(now) if known else Told(now, now)
        if known is None:
            self._look_at(mailbox_id)

    def tell_all(self, mailbox_ids: Iterable[int]) -> None:
        """Note so of each."""
        for each in mailbox_ids:
            self.tell(each)

    def forget(self, mailbox_id: int) -> None:
        """Note that the mailbox is none of ours any more."""
        self._told.pop(mailbox_id, None)
        self._rounds.pop(mailbox_id, None)

    async def due(self) -> list[int]:
        """Wait until at least one mailbox is due; give all that are. They are not marked then."""
        while True:
            found = self._take_due()
            if found:
                return found
            self._changed.clear()
            wait = self._times[0][0] - self._monotonic() if self._times else None
            try:
                # Not wait_for, which in Python 3.11 may lose a cancellation.
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _take_due(self) -> list[int]:
        now = self._monotonic()
        found = []
        while self._times and self._times[0][0] <= now:
            _, mailbox_id = heapq.heappop(self._times)
            told = self._told.get(mailbox_id)
            if told is None:
                continue
            if due_at(told, self._rounds.get(mailbox_id)) > now:
                self._look_at(mailbox_id)
                continue
            del self._told[mailbox_id]
            self._rounds[mailbox_id] = now
            found.append(mailbox_id)
        return found

    def _look_at(self, mailbox_id: int) -> None:
        told = self._told[mailbox_id]
        heapq.heappush(self._times, (due_at(told, self._rounds.get(mailbox_id)), mailbox_id))
        if self._times[0][1] == mailbox_id:
            self._changed.set()
