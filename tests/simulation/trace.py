"""What happened, in order: two runs of one seed must give the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable


class Trace:
    """The lines of one run. `show` is called with each as it comes."""

    def __init__(self, time: Callable[[], float], show: Callable[[str], object] | None) -> None:
        self._time = time
        self._show = show
        self._lines: list[tuple[object, ...]] = []

    def __call__(self, *what: object) -> None:
        line = (self._time(), *what)
        self._lines.append(line)
        if self._show is not None:
            self._show(f"{line[0]:12.6f}  " + "  ".join(map(str, what)))

    def digest(self) -> str:
        """Give a short text that any other line, or another order, would change."""
        return hashlib.sha256(repr(self._lines).encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self._lines)


def mark(content: bytes) -> str:
    """Give a few characters that tell one content from another."""
    return hashlib.blake2b(content, digest_size=4).hexdigest()
