"""How many requests one piece of work sent, where others send by the same connector meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """The requests that were sent within a context, tasks that began in it included."""

    requests: int = 0


_TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def tally() -> Iterator[Tally]:
    """Count the requests that are sent within the context."""
    counted = Tally()
    token = _TALLY.set(counted)
    try:
        yield counted
    finally:
        _TALLY.reset(token)


def count_request() -> None:
    """Count a request that is about to be sent."""
    counted = _TALLY.get()
    if counted is not None:
        counted.requests += 1
