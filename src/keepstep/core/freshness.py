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


def nearest_rank(count: int) -> int:
    """Give the rank, from 0, of the value that 99 of 100 keep within, of `count` (1 or more).

    The nearest rank, so that it is one of them: no value stands between two.
    """
    return ceil(count * OF_HUNDRED / 100) - 1


def of_hundred(values: Sequence[float]) -> float | None:
    """Give the value that 99 of 100 keep within; None for no values."""
    return sorted(values)[nearest_rank(len(values))] if values else None
