"""How often one address may be read: what is asked for too often costs nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

# Programs read every quarter of an hour or more seldom; a whole team may share one address.
AT_ONCE = 30
PER_SECOND = 0.5


class Allowance:
    """Lets each key through `at_once` times, and again as time (in seconds) goes on."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        per_second: float = PER_SECOND,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._at_once, self._per_second, self._clock = at_once, per_second, clock
        self._left: dict[int, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: int) -> float:
        """Give 0 and count one in, or in how many seconds to come again."""
        now = self._clock()
        with self._lock:
            left, since = self._left.get(key, (float(self._at_once), now))
            left = min(left + (now - since) * self._per_second, float(self._at_once))
            if left < 1:
                self._left[key] = left, now
                return (1 - left) / self._per_second
            self._left[key] = left - 1, now
            return 0.0
