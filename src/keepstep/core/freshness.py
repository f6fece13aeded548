"""How far behind the calendars are: the age of each mailbox's last success, taken together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

OF_HUNDRED = 99


@dataclass(frozen=True, slots=True)
class Freshness:
    """Ages in seconds: of the slowest mailbox, and that which 99 of 100 keep within.

    `mailboxes` counts those that were in step once; None where there are none.
    """

    mailboxes: int
    slowest: float | None = None
    most: float | None = None


def freshness(last_successes: Iterable[datetime], now: datetime) -> Freshness:
    """Give how far behind mailboxes are whose rounds succeeded last at these instants (aware).

    The 99th percentile is the nearest rank: no mailbox stands between two.
    """
    ages = [max(0.0, (now - each).total_seconds()) for each in last_successes]
    return Freshness(len(ages), max(ages, default=None), of_hundred(ages))


def of_hundred(values: Sequence[float]) -> float | None:
    """Give the value that 99 of 100 keep within: the nearest rank; None for no values."""
    if not values:
        return None
    return sorted(values)[ceil(len(values) * OF_HUNDRED / 100) - 1]
