"""What a load test recommends: connections, batch size, items in one GetItem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keepstep.core.load_test import (
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
    batch_size = advise_batch(pages, items, now)
    allowed = [each for each in items if each.size <= (batch_size.value or each.size)]
    return Recommendation(advise_connections(steps, ended, now), batch_size, advise_items(allowed))


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
    took = next(each for each in items if each.size == best).per_entry
    return Advice(best, f"So many at once take {_ms(took)} each.")


def advise_batch(pages: Sequence[Tried], items: Sequence[Tried], now: Now) -> Advice:
    """Give the batch size: it bounds the entries of a page, and the items of one GetItem.

    Which is best is judged by what an entry takes to be listed and read.
    """
    costs = _costs(_quick(pages), _quick(items))
    if not costs:
        return Advice(None, "No calendar read has enough entries to tell.")
    value = _smallest(costs)
    why = f"With so many at once an entry takes {_ms(costs[value])} to be listed and read."
    if _could_be_larger(pages, value):
        why += " No calendar read has enough entries to try more."
        if now.batch_size > value:
            return Advice(now.batch_size, f"{why} Nothing speaks against what is set.")
    return Advice(value, why)


def best_size(tried: Sequence[Tried]) -> int | None:
    """Give the smallest size with which an entry takes hardly longer than with the best."""
    costs = {each.size: each.per_entry for each in _quick(tried)}
    return _smallest(costs) if costs else None


def _smallest(costs: Mapping[int, float]) -> int:
    good = GOOD_ENOUGH * min(costs.values())
    return min(size for size, cost in costs.items() if cost <= good)


def _quick(tried: Sequence[Tried]) -> Sequence[Tried]:
    """Leave out sizes whose answers take too long; the smallest stays in any case."""
    return [each for each in tried if each.median <= LONGEST_ANSWER] or tried[:1]


def _costs(pages: Sequence[Tried], items: Sequence[Tried]) -> dict[int, float]:
    """Give, by batch size, the seconds that an entry takes, as far as they are known."""
    if not pages:
        return {each.size: each.per_entry for each in items}
    return {each.size: each.per_entry + _reading(items, each.size) for each in pages}


def _reading(items: Sequence[Tried], batch_size: int) -> float:
    """Give the seconds that an item takes at best, if no more are read at once."""
    return min((each.per_entry for each in items if each.size <= batch_size), default=0.0)


def _could_be_larger(pages: Sequence[Tried], best: int) -> bool:
    """Say whether only the calendars read kept larger sizes from being tried."""
    return not pages or (pages[-1].size == best and best < PAGE_SIZES[-1])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
