"""Which mailboxes the jobs of this process are at work on: two never share one.

Jobs with contexts that overlap want the same mailboxes. A job that synchronizes leaves out what
is at work: whatever is done there polls it. A job that verifies waits for those: they are
*reserved*, so that the next job does not take them first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence


class Claims:
    """Who is at work on which mailbox, by its number. For use within one event loop."""

    def __init__(self) -> None:
        self._at_work: dict[int, str] = {}
        self._reserved: dict[int, str] = {}
        self._released = asyncio.Event()

    def claim(self, ids: Iterable[int], kind: str) -> list[int]:
        """Claim those that are neither at work nor reserved, for a kind of job; give them."""
        return self._take([each for each in ids if each not in self._reserved], kind)

    def reserve(self, ids: Iterable[int], kind: str) -> list[int]:
        """Reserve mailboxes, at work or not, for a kind of job; give them.

        Those are left out on which a job of this kind is at work, or for which one waits.
        """
        kept = [
            each for each in ids if each not in self._reserved and self._at_work.get(each) != kind
        ]
        self._reserved.update(dict.fromkeys(kept, kind))
        return kept

    async def claim_reserved(
        self, ids: Sequence[int], kind: str, *, gather_seconds: float
    ) -> list[int]:
        """Claim those of the reserved that are free; wait until at least one is.

        It waits so long for all of them, so as not to begin over and over with a few.
        """
        try:
            async with asyncio.timeout(gather_seconds):
                await self._until_free(ids, all)
        except TimeoutError:
            await self._until_free(ids, any)
        claimed = self._take(ids, kind)
        for each in claimed:
            self._reserved.pop(each, None)
        return claimed

    def release(self, ids: Iterable[int]) -> None:
        """Let go of mailboxes that were claimed."""
        for each in ids:
            self._at_work.pop(each, None)
        self._released.set()

    def give_back(self, ids: Iterable[int]) -> None:
        """Let go of mailboxes that were only reserved."""
        for each in ids:
            self._reserved.pop(each, None)

    def _take(self, ids: Iterable[int], kind: str) -> list[int]:
        claimed = [each for each in ids if each not in self._at_work]
        self._at_work.update(dict.fromkeys(claimed, kind))
        return claimed

    async def _until_free(
        self, ids: Sequence[int], enough: Callable[[Iterable[bool]], bool]
    ) -> None:
        while not enough(each not in self._at_work for each in ids):
            self._released.clear()
            await self._released.wait()
