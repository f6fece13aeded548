"""Finding the item that spoils a whole answer, so that it alone is set aside.

A batch whose answer fails as a whole, in a way that one item of it can bring about, is asked for
again by halves, down to that item. First it is made sure that the mailbox answers at all, and at
the end that the item fails each time: what passes by itself must not set a good item aside.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Unreadable
from keepstep.exchange.ews.get_item import WireItem

TRIES_ALONE = 4
_PERHAPS_ONE_ITEM = frozenset({"answer-too-large", "answer-unreadable", "server-error"})

Ask = Callable[[Sequence[str]], Awaitable[dict[str, WireItem]]]


async def asked_for(
    ask: Ask, ids: Sequence[str], probe: Callable[[], Awaitable[object]]
) -> dict[str, WireItem]:
    """Give what `ask` gives for all ids; raises its `ExchangeError` where no item is to blame.

    `probe` asks the mailbox for something small, and raises if that fails as well.
    """
    try:
        return await ask(ids)
    except ExchangeError as failure:
        if not _perhaps_one_item(failure):
            raise
        try:
            await probe()
        except ExchangeError:
            raise failure from None
        if len(ids) == 1:
            return await _alone(ask, ids[0], TRIES_ALONE - 1)
    half = len(ids) // 2
    return await _by_halves(ask, ids[:half]) | await _by_halves(ask, ids[half:])


async def _by_halves(ask: Ask, ids: Sequence[str]) -> dict[str, WireItem]:
    if len(ids) == 1:
        return await _alone(ask, ids[0], TRIES_ALONE)
    try:
        return await ask(ids)
    except ExchangeError as failure:
        if not _perhaps_one_item(failure):
            raise
    half = len(ids) // 2
    return await _by_halves(ask, ids[:half]) | await _by_halves(ask, ids[half:])


async def _alone(ask: Ask, item_id: str, tries: int) -> dict[str, WireItem]:
    code = ""
    for _ in range(tries):
        try:
            return await ask([item_id])
        except ExchangeError as failure:
            if not _perhaps_one_item(failure):
                raise
            code = failure.code
    return {item_id: Unreadable("item-unreadable", f"the whole answer fails: {code}")}


def _perhaps_one_item(failure: ExchangeError) -> bool:
    # A DOCTYPE, and a pause asked for, are about the server.
    return (
        failure.code in _PERHAPS_ONE_ITEM and failure.pause is None and failure.detail != "DOCTYPE"
    )
