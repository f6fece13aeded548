"""What is handed out: an order to run a job over the due mailboxes of a shard."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keepstep.core.shares import Share, Shares


class Lane(StrEnum):
    """Where an order waits: mailboxes that are kept in step, or that need a full round."""

    LIVING = "living"
    FIRST = "first"

    def share_of(self, shares: Shares) -> Share:
        """Give how much of the connections this lane has."""
        return shares.living if self is Lane.LIVING else shares.first


@dataclass(frozen=True, slots=True)
class Order:
    """Run a job over what is due of a shard; `run` is its entry in the history of runs.

    `long`: over those of the shard that need a full round, else over the others.
    """

    job: str
    lane: Lane
    shard: int
    long: bool
    run: int

    @property
    def key(self) -> str:
        """Give what an order has in common with one for the same work that still waits."""
        return f"{self.job}:{self.shard}:{'long' if self.long else 'short'}"


class NotYet(Exception):
    """The order can't be done now: it is put back, for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
