"""The turn of one order: a shard, or single mailboxes apart from their shard, while it counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from keepstep.core.errors import FenceLost
from keepstep.exchange.connector import Connector, Folder, Listing, ReadItem, Target
from keepstep.sync.fleet.session import Session, SessionLost

Result = TypeVar("Result")


class Turn:
    """What was taken for one order. `valid` says whether it still counts."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shard: int | None = None
        self._apart: set[int] = set()

    @property
    def valid(self) -> bool:
        """Say whether this process may go on: nobody else can have the turn."""
        return self._session.valid

    async def take_shard(self, shard: int) -> bool:
        """Take the turn of a shard; False: another has it. Raises SessionLost."""
        if await self._session.take_shard(shard):
            self._shard = shard
        return self._shard is not None

    async def take_apart(self, mailbox_ids: Sequence[int]) -> list[int]:
        """Take turns of single mailboxes; give those that were free. Raises SessionLost."""
        taken = await self._session.take_mailboxes(mailbox_ids)
        self._apart.update(taken)
        return taken

    async def elsewhere(self) -> set[int]:
        """Give the mailboxes that are had apart from their shards, by whomever."""
        return await self._session.mailboxes_apart()

    async def set_apart(self, mailbox_ids: Sequence[int]) -> None:
        """Keep only these, apart, and let go of the shard: others need not wait for them."""
        await self.take_apart(mailbox_ids)
        await self.let_go_of_shard()

    async def let_go_of_shard(self) -> None:
        """Let go of the shard, and keep what was taken apart."""
        if self._shard is not None:
            await self._session.release_shard(self._shard)
            self._shard = None

    async def done_with(self, mailbox_id: int) -> None:
        """Let go of a mailbox that was taken apart."""
        if mailbox_id in self._apart:
            self._apart.discard(mailbox_id)
            await self._session.release_mailboxes([mailbox_id])

    async def close(self) -> None:
        """Let go of all of it."""
        try:
            await self._session.release_mailboxes(self._apart)
            if self._shard is not None:
                await self._session.release_shard(self._shard)
        except SessionLost:
            return
        finally:
            self._apart, self._shard = set(), None


class TurnConnector:
    """A `Connector` that sends nothing once the turn has passed: it raises FenceLost then."""

    def __init__(self, connector: Connector, turn: Turn) -> None:
        self._connector = connector
        self._turn = turn

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._connector.requests

    async def folder(self, target: Target) -> Folder:
        """Give the default calendar folder of the mailbox."""
        return await self._in_turn(lambda: self._connector.folder(target))

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        """Give at most `batch_size` (1-512) changes since `sync_state` (None: all there is)."""
        return await self._in_turn(lambda: self._connector.changes(target, sync_state, batch_size))

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        """Read items whole, a series with its exceptions; one entry for each id asked for."""
        return await self._in_turn(
            lambda: self._connector.appointments(target, item_ids, batch_size)
        )

    async def close(self) -> None:
        """Release connections."""
        await self._connector.close()

    async def _in_turn(self, call: Callable[[], Awaitable[Result]]) -> Result:
        if not self._turn.valid:
            raise FenceLost
        return await call()
