"""The groups of streams: into which a mailbox goes, and where it is found again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from keepstep.exchange.connector import Target
from keepstep.sync.delivery.streams import Group, Heard, Surroundings

# A mailbox that was lost so often by groups of others is the anchor of one of its own.
STRAYS_AFTER = 2


class Groups:
    """Groups as full as a connection may be. For one event loop."""

    def __init__(self, around: Surroundings) -> None:
        self._around = replace(around, strayed=self._note_strays)
        self._groups: list[Group] = []
        self._strayed: dict[int, int] = {}
        self._opening = asyncio.Lock()
        self._closed = False

    @property
    def mailbox_ids(self) -> list[int]:
        """Give the mailboxes that are told of by streams."""
        return [each for group in self._groups for each in group.members.values()]

    @property
    def connected(self) -> int:
        """Give how many streams are up."""
        return sum(group.connected for group in self._groups)

    async def subscribe(self, target: Target, folder_id: str, mailbox_id: int) -> str:
        """Subscribe to the mailbox, in a group with room; give the subscription's id.

        Raises as the notifier does.
        """
        self.leave(mailbox_id)
        try:
            return await self._subscribe(target, folder_id, mailbox_id)
        finally:
            if self._closed:
                # It was under way when all streams were ended: nobody would end this one.
                await self.close()

    async def _subscribe(self, target: Target, folder_id: str, mailbox_id: int) -> str:
        group = self._with_room(mailbox_id)
        if group is None:
            async with self._opening:
                # The first of a group goes alone: its answer names the machine for the others.
                group = self._with_room(mailbox_id)
                if group is None:
                    return await self._open(target, folder_id, mailbox_id)
        with _place(group):
            subscribed = await self._around.notifier.subscribe_streaming(
                target, folder_id, group.anchor
            )
        group.join(subscribed.id, mailbox_id)
        return subscribed.id

    async def _open(self, target: Target, folder_id: str, mailbox_id: int) -> str:
        group = Group(target, self._around)
        subscribed = await self._around.notifier.subscribe_streaming(target, folder_id)
        self._groups.append(group)
        group.join(subscribed.id, mailbox_id)
        return subscribed.id

    def leave(self, mailbox_id: int) -> Target | None:
        """Hear no more of the mailbox; give its group's anchor, None if it was in none."""
        for group in self._groups:
            if group.leave(mailbox_id) is not None:
                return group.anchor
        return None

    def heard(self) -> list[Heard]:
        """Give, once, what was heard since the last time; forget groups that have ended."""
        found = [each for group in self._groups for each in group.heard()]
        self._groups = [group for group in self._groups if not group.ended]
        return found

    def _note_strays(self, mailbox_ids: Iterable[int]) -> None:
        for each in mailbox_ids:
            self._strayed[each] = self._strayed.get(each, 0) + 1

    async def close(self) -> None:
        """End all streams; one that is only begun ends as soon as it is there."""
        self._closed = True
        for group in self._groups:
            await group.close()

    def _with_room(self, mailbox_id: int) -> Group | None:
        if self._strayed.get(mailbox_id, 0) >= STRAYS_AFTER:
            return None
        most = self._around.notifier.stream_limits.subscriptions
        return next((each for each in self._groups if each.members and each.size < most), None)


@contextmanager
def _place(group: Group) -> Iterator[None]:
    """Keep a place in the group while its subscription is made."""
    group.joining += 1
    try:
        yield
    finally:
        group.joining -= 1
