"""An event loop whose time is virtual: where nothing is ready it jumps to the next timer."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn


class Deadlock(AssertionError):
    """Everything waits and no timer will ever end it."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in the order that they became ready; knows no sockets and no threads."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._clock_resolution = 1e-9
        # BaseEventLoop waits for the outer world here; ours has none, so waiting is only time.
        self._selector = self

    def time(self) -> float:
        """Give the seconds since the loop was made."""
        return self._now

    def select(self, timeout: float | None) -> list[object]:
        """Let time pass to the next timer, at once."""
        if timeout is None:
            raise Deadlock("nothing is ready and nothing is to come")
        if timeout > 0:
            timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
            self._now = max(self._now, min(timers[0].when(), self._now + timeout))
        return []

    def _process_events(self, events: list[object]) -> None:
        assert not events

    def _write_to_self(self) -> NoReturn:
        raise AssertionError("another thread called into the simulation")

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Refuse: a thread's work would come at no fixed time."""
        raise AssertionError("the simulation has no threads")
