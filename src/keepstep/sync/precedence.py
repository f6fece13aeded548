"""Who goes first within a process: polls of a moment before full rounds, which last.

All of a process shares one interpreter. A full round reads a thousand items where a poll sends one
request, so it waits while polls are still to be begun: seconds of each minute, as a rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from keepstep.exchange.connector import Connector, Folder, Listing, ReadItem, Target

# Before one request nobody waits longer: polls that are never done shall not starve full rounds.
LONGEST_SECONDS = 10.0


class Precedence:
    """Knows whether polls are still to be begun. For use within one event loop."""

    def __init__(self) -> None:
        self._waiting = 0
        self._calm = asyncio.Event()
        self._calm.set()

    def begin(self) -> None:
        """Note that polls are to be begun."""
        self._waiting += 1
        self._calm.clear()

    def end(self) -> None:
        """Note that all polls of one `begin` are begun, or given up."""
        self._waiting -= 1
        if not self._waiting:
            self._calm.set()

    async def give_way(self, longest: float = LONGEST_SECONDS) -> None:
        """Wait until no polls are to be begun, at most so many seconds."""
        if self._calm.is_set():
            return
        try:
            async with asyncio.timeout(longest):
                await self._calm.wait()
        except TimeoutError:
            return


class GivingWay:
    """A `Connector` for full rounds: before each call it gives way."""

    def __init__(self, connector: Connector, precedence: Precedence) -> None:
        self._connector = connector
        self._precedence = precedence

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._connector.requests

    async def folder(self, target: Target) -> Folder:
        """Give the default calendar folder of the mailbox."""
        await self._precedence.give_way()
        return await self._connector.folder(target)

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        """Give at most `batch_size` (1-512) changes since `sync_state` (None: all there is)."""
        await self._precedence.give_way()
        return await self._connector.changes(target, sync_state, batch_size)

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        """Read items whole, a series with its exceptions; one entry for each id asked for."""
        await self._precedence.give_way()
        return await self._connector.appointments(target, item_ids, batch_size)

    async def close(self) -> None:
        """Release connections."""
        await self._connector.close()
