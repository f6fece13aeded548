"""How many items one request asks for: found out by what the server takes for each of them.

Microsoft advises 10. From there the number doubles while the server's time for an item falls; it
goes back to the last that paid when it does not, and to half when the server is busy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST = 10
LEAST = 5
MOST = 512
# So many full requests are looked at together: one alone says more of the moment than of the size.
JUDGED_BY = 8
# After so many full requests it is tried again: servers change, and measures are chancy.
HELD_FOR = 100


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """The present `size`, and how it was come by.

    `paid` is the last size that was found good, `seconds_an_item` what an item took with it (0:
    not known). `requests`, `items` and `seconds` are what was measured of the present size since
    it was taken up; `held` how many more full requests keep it as it is.
    """

    size: int = FIRST
    paid: int = FIRST
    seconds_an_item: float = 0.0
    requests: int = 0
    items: int = 0
    seconds: float = 0.0
    held: int = 0


def answered(batch: ReadBatch, asked: int, items: int, seconds: float) -> ReadBatch:
    """Give what follows from an answer to a request that asked for up to `asked` items.

    It had so many `items`, and took the server so many `seconds`. Only requests as full as the
    present size say anything of it; nor does one whose time is not known (0).
    """
    if items != batch.size or asked != batch.size or seconds <= 0:
        return batch
    if batch.held > 1:
        return replace(batch, held=batch.held - 1)
    if batch.held:
        return ReadBatch(batch.size, batch.size)
    measured = replace(
        batch,
        requests=batch.requests + 1,
        items=batch.items + items,
        seconds=batch.seconds + seconds,
    )
    return _judged(measured) if measured.requests >= JUDGED_BY else measured


def _judged(batch: ReadBatch) -> ReadBatch:
    took = batch.seconds / batch.items
    if batch.seconds_an_item and took >= batch.seconds_an_item:
        return ReadBatch(batch.paid, batch.paid, batch.seconds_an_item, held=HELD_FOR)
    if batch.size >= MOST:
        return ReadBatch(batch.size, batch.size, took, held=HELD_FOR)
    return ReadBatch(min(2 * batch.size, MOST), batch.size, took)


def was_busy(batch: ReadBatch) -> ReadBatch:
    """Give what follows from an answer that the server is too busy, or from none in time."""
    size = max(batch.size // 2, LEAST)
    return ReadBatch(size, size, held=HELD_FOR)
