"""A process held to a fixed part of a core, whatever else the machine has to do.

So several processes that would each fill a core can be measured on a machine that has no core for
each of them and another for what they talk to: to each process it is as if it had a slow core of
its own. It is frozen whenever it has had its part, and goes on when there is some again.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# It is looked so often. What was not used is lost, but for what two looks give.
_STEP = 0.004
_LOOKS_KEPT = 2


@contextmanager
def slowed(pid: int, part: float) -> Iterator[None]:
    """Hold a process to so many CPU seconds a second (0-1) until it is left; works on Linux."""
    ended = threading.Event()
    holding = threading.Thread(target=_hold, args=(pid, part, ended))
    holding.start()
    try:
        yield
    finally:
        ended.set()
        holding.join()


def _hold(pid: int, part: float, ended: threading.Event) -> None:
    most = part * _STEP * _LOOKS_KEPT
    has, frozen = 0.0, False
    with suppress(OSError):  # it has ended
        looked, used = time.monotonic(), _cpu_seconds(pid)
        while not ended.wait(_STEP):
            now, used_now = time.monotonic(), _cpu_seconds(pid)
            has = min(most, has + part * (now - looked) - (used_now - used))
            looked, used = now, used_now
            if frozen != (has < 0):
                frozen = not frozen
                os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)
        os.kill(pid, signal.SIGCONT)


def _cpu_seconds(pid: int) -> float:
    """Give the CPU seconds of all threads of another process so far, to the nanosecond.

    The number of another process's clock is made as Linux's MAKE_PROCESS_CPUCLOCK does.
    """
    return time.clock_gettime((~pid << 3) | 2)
