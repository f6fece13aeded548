"""Whose turn a mailbox is, for work that is not handed out: in one process, or in many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from keepstep.core.shares import shard_of
from keepstep.exchange.connector import Connector
from keepstep.sync.claims import Claims
from keepstep.sync.fleet.fleet import Fleet
from keepstep.sync.fleet.session import SessionLost
from keepstep.sync.fleet.turns import Turn, TurnConnector


@dataclass(frozen=True, slots=True)
class Held:
    """The mailboxes that were free, and are held; `turn` where there are other processes."""

    mailbox_ids: tuple[int, ...]
    turn: Turn | None = None

    def while_held(self, connector: Connector) -> Connector:
        """Give the connector, which sends nothing any more once they are not held."""
        return connector if self.turn is None else TurnConnector(connector, self.turn)


class Places(Protocol):
    """Holds mailboxes while they are polled, so that nobody else polls them at the same time."""

    def hold(self, mailbox_ids: Sequence[int], kind: str) -> AbstractAsyncContextManager[Held]:
        """Hold those that are free, for a kind of job, within the context."""
        ...


class PlacesOfProcess:
    """Within one process, beside which there is none."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    @asynccontextmanager
    async def hold(self, mailbox_ids: Sequence[int], kind: str) -> AsyncIterator[Held]:
        """Hold those that are free."""
        claimed = self._claims.claim(mailbox_ids, kind)
        try:
            yield Held(tuple(claimed))
        finally:
            self._claims.release(claimed)


class PlacesOfFleet:
    """Among many processes: apart from their shards, none of which is in somebody's hands."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @asynccontextmanager
    async def hold(self, mailbox_ids: Sequence[int], kind: str) -> AsyncIterator[Held]:
        """Hold those that are free."""
        by_shard: dict[int, list[int]] = defaultdict(list)
        for each in mailbox_ids:
            by_shard[shard_of(each)].append(each)
        try:
            turn = self._fleet.turn()
        except SessionLost:
            yield Held(())
            return
        try:
            yield Held(tuple(await _take(turn, by_shard)), turn)
        finally:
            await turn.close()


async def _take(turn: Turn, by_shard: dict[int, list[int]]) -> list[int]:
    taken: list[int] = []
    try:
        for shard, mailbox_ids in by_shard.items():
            if await turn.take_shard(shard):
                taken += await turn.take_apart(mailbox_ids)
                await turn.let_go_of_shard()
    except SessionLost:
        return []
    return taken
