"""How much work one address may cause: what is asked for too often is put off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

# Programs read every quarter of an hour or more seldom; a whole team may share one address. A
# calendar takes a second to make, a large team's half a minute.
AT_ONCE = 60.0
SHARE = 0.1


class Allowance:
    """Lets each key use `at_once` seconds of work, and a share of the time that goes on."""

    def __init__(
        self,
        at_once: float = AT_ONCE,
        share: float = SHARE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._at_once, self._share, self._clock = at_once, share, clock
        self._left: dict[int, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, key: int) -> float:
        """Give in how many seconds something is left for the key; 0: there is now."""
        with self._lock:
            return max(-self._now(key) / self._share, 0.0)

    def spend(self, key: int, seconds: float) -> None:
        """Count seconds of work in."""
        with self._lock:
            self._left[key] = self._now(key) - seconds, self._clock()

    def _now(self, key: int) -> float:
        now = self._clock()
        left, since = self._left.get(key, (self._at_once, now))
        return min(left + (now - since) * self._share, self._at_once)
