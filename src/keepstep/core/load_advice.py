"""What a load test recommends: connections, batch size, items in one GetItem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keepstep.core.load_test import (
    ITEM_SIZES,
    LONGEST_ANSWER,
    PAGE_SIZES,
    Ended,
    Step,
    Tried,
    verdict,
)

# A smaller size is good enough if an entry takes at most so many times what it takes at best.
GOOD_ENOUGH = 1.1
# Ends that say nothing against more connections.
_OPEN = frozenset({Ended.MAILBOXES, Ended.REQUESTS, Ended.SECONDS, Ended.INTERRUPTED, Ended.FAILED})


@dataclass(frozen=True, slots=True)
class Now:
    """What the settings say now; `room`: no more connections are advised (None: no such limit)."""

    connections: int
    batch_size: int
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """A number to set, None where nothing can be said; and why, in words."""

    value: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is recommended."""

    connections: Advice
    batch_size: Advice
    items: Advice

    @property
    def settings(self) -> dict[str, int]:
        """Give the settings by name, those of which something can be said."""
        named = {"connections": self.connections, "batch_size": self.batch_size}
        return {name: each.value for name, each in named.items() if each.value is not None}

    @property
    def command(self) -> str | None:
        """Give the command that sets them."""
        if not self.settings:
            return None
        pairs = " ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"keepstep settings set {pairs}"


def recommend(
    steps: Sequence[Step],
    ended: Ended,
    pages: Sequence[Tried],
    items: Sequence[Tried],
    now: Now,
) -> Recommendation:
    """Give what follows from all that was measured."""
    return Recommendation(
        advise_connections(steps, ended, now), advise_batch(pages, items, now), advise_items(items)
    )


def advise_connections(steps: Sequence[Step], ended: Ended, now: Now) -> Advice:
    """Give the most connections that went well and paid, leaving room for others."""
    good = [each for each in steps if each.is_enough and not each.busy]
    beyond = steps[-1].connections if steps else 1
    if good and good[-1] is steps[-1] and verdict(good) is not None:
        good.pop()
    if not good:
        why = "Exchange was busy before anything was learned." if ended is Ended.BUSY else ""
        return Advice(None, why or "Too little was measured to say anything.")
    best = good[-1].connections
    if ended in _OPEN:
        return _as_far_as_tried(best, ended, now)
    if now.room is not None and best > now.room:
        return Advice(now.room, f"{best} went well; {now.room} leave room for others.")
    return Advice(best, _WHY[ended].format(best=best, beyond=beyond))


_WHY = {
    Ended.ALL: "All went well up to {best}, which is as many as were to be tried.",
    Ended.FLAT: "{beyond} gave hardly more answers in a second than {best}.",
    Ended.SLOW: "With {beyond} an answer took more than twice as long as at best.",
    Ended.BUSY: "With {beyond} Exchange was busy; with {best} it was not.",
}
_WHY_OPEN = {
    Ended.MAILBOXES: "each mailbox is read by one request at a time, and no more could be read",
    Ended.REQUESTS: "the requests that were allowed ended there",
    Ended.SECONDS: "the time that was allowed ended there",
    Ended.INTERRUPTED: "it was interrupted there",
    Ended.FAILED: "it failed there",
}


def _as_far_as_tried(best: int, ended: Ended, now: Now) -> Advice:
    """Advise no fewer than are set: nothing was seen that speaks against them."""
    tried = f"Up to {best} went well; {_WHY_OPEN[ended]}."
    if now.connections >= best:
        return Advice(now.connections, f"{tried} Nothing speaks against what is set.")
    room = best if now.room is None else min(best, max(now.room, now.connections))
    return Advice(room, tried)


def advise_items(items: Sequence[Tried]) -> Advice:
    """Give how many items one GetItem best asks for."""
    best = best_size(items)
    if best is None:
        return Advice(None, "No calendar read has enough single appointments to tell.")
    return Advice(best, _words(items, best, "item"))


def advise_batch(pages: Sequence[Tried], items: Sequence[Tried], now: Now) -> Advice:
    """Give the batch size: it bounds the entries of a page, and the items of one GetItem."""
    page, item = best_size(pages), best_size(items)
    if page is None and item is None:
        return Advice(None, "No calendar read has enough entries to tell.")
    value = max(page or 0, item or 0)
    is_open = _could_be_larger(pages, page, PAGE_SIZES) or _could_be_larger(items, item, ITEM_SIZES)
    told = [
        _words(pages, page, "entry of a page") if page else "",
        _words(items, item, "item") if item else "",
        "No calendar read has enough entries to try more." if is_open else "",
    ]
    why = " ".join(filter(None, told))
    if is_open and now.batch_size > value:
        return Advice(now.batch_size, f"{why} Nothing speaks against what is set.")
    return Advice(value, why)


def best_size(tried: Sequence[Tried]) -> int | None:
    """Give the smallest size with which an entry takes hardly longer than with the best."""
    quick = [each for each in tried if each.median <= LONGEST_ANSWER] or tried[:1]
    if not quick:
        return None
    best = min(each.per_entry for each in quick)
    return min(each.size for each in quick if each.per_entry <= GOOD_ENOUGH * best)


def _could_be_larger(tried: Sequence[Tried], best: int | None, sizes: Sequence[int]) -> bool:
    """Say whether only the calendars read kept larger sizes from being tried."""
    return best is None or (tried[-1].size == best and best < sizes[-1])


def _words(tried: Sequence[Tried], best: int, entry: str) -> str:
    of_best = next(each for each in tried if each.size == best)
    return f"With {best} at once each {entry} takes {of_best.per_entry * 1000:.2f} ms."
