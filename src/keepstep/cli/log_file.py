"""A log file that several processes write to, turned over by size without losing a line."""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path


class SharedLogFile(RotatingFileHandler):
    """A rotating file of which each process notices when another has turned it over.

    One process turns it over at a time; who finds another at it goes on writing, as it does where
    that one was frozen. Lines are whole: each is one write at the end of the file.
    """

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        """Say whether the line would make the file too large; it is the present file's size."""
        self._follow()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802 - logging's name
        """Turn the file over, unless another process does so or just has."""
        # What stands in the way is no reason to lose the line: it goes into the present file.
        with (
            suppress(OSError),
            Path(f"{self.baseFilename}.lock").open("a", encoding="ascii") as lock,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self._follow():
                super().doRollover()

    def _follow(self) -> bool:
        """Open the file of this name anew if it is another one by now; say whether it was."""
        if self.stream is None or self._is_present(self.stream.fileno()):
            return False
        self.stream.close()
        self.stream = self._open()
        return True

    def _is_present(self, ours: int) -> bool:
        try:
            there = Path(self.baseFilename).stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(ours))
