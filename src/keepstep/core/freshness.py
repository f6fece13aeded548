"""How far behind the calendars are: the age of each mailbox's last success, taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


def place_of_hundred(count: int) -> int:
    """Give the place, from 0, of the value that 99 of 100 keep within, among so many in order.

    It is the nearest rank: no value stands between two. `count` is 1 or more.
    """
    return ceil(count * OF_HUNDRED / 100) - 1


def of_hundred(values: Sequence[float]) -> float | None:
    """Give the value that 99 of 100 keep within; None for no values."""
    return sorted(values)[place_of_hundred(len(values))] if values else None
