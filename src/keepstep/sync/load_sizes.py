"""The load test's sizes: how long pages of more and more entries, and reads of items, take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from keepstep.core import load_test as rules
from keepstep.core.errors import ExchangeError
from keepstep.core.load_test import Tried
from keepstep.core.page import ItemKind
from keepstep.sync.trial import Line, Mailbox, Pool


async def read_page(line: Line, mailbox: Mailbox, size: int) -> float | None:
    """Read the first page of a calendar; give the seconds, None for one that is not full.

    What it tells of the mailbox is noted there. Raises as `Line.ask` does.
    """
    call = line.connector.changes
    listing, seconds = await line.ask(mailbox, lambda: call(mailbox.target, None, size))
    count = len(listing.changes)
    mailbox.state = mailbox.state or listing.sync_state
    if count >= mailbox.entries:
        mailbox.entries = count
        singles = [each.item_id for each in listing.changes if each.item_kind is ItemKind.SINGLE]
        mailbox.singles = list(dict.fromkeys(singles))
    if count < size:
        mailbox.whole = True
        return None
    return seconds


async def _read_items(line: Line, mailbox: Mailbox, size: int) -> float:
    ids = mailbox.turn(size)
    call = line.connector.items
    _, seconds = await line.ask(mailbox, lambda: call(mailbox.target, ids))
    return seconds


class Sizes:
    """Tries one size after the other, each on several calendars, with one request at a time."""

    def __init__(self, line: Line, pool: Pool) -> None:
        self._line = line
        self._pool = pool

    async def pages(self, found: list[Tried]) -> None:
        """Try sizes of pages; add each to `found` when it is known."""
        await self._try(
            rules.PAGE_SIZES,
            found,
            lambda mailbox, size: mailbox.entries >= size or not mailbox.whole,
            read_page,
        )

    async def items(self, found: list[Tried]) -> None:
        """Try how many items one request best reads; add each number to `found`."""
        await self._try(
            rules.ITEM_SIZES,
            found,
            lambda mailbox, size: len(mailbox.singles) >= size,
            _read_items,
        )

    async def _try(
        self,
        sizes: Sequence[int],
        found: list[Tried],
        fits: Callable[[Mailbox, int], bool],
        read: Callable[[Line, Mailbox, int], Awaitable[float | None]],
    ) -> None:
        for size in sizes:
            answers: list[float] = []
            while rules.may_be_larger(found) and len(answers) < rules.TRIES:
                fitting = [each for each in self._pool.free() if fits(each, size)]
                if not fitting or not self._line.has_share(rules.SIZES_SHARE):
                    return
                mailbox = min(fitting, key=lambda each: each.used)
                try:
                    seconds = await read(self._line, mailbox, size)
                except ExchangeError as error:
                    self._pool.drop(mailbox, error)
                    continue
                if seconds is not None:
                    answers.append(seconds)
            if not answers:
                return
            found.append(Tried(size, tuple(answers)))
