"""The log file: KEEPSTEP_HOME/logs/keepstep.log."""

from __future__ import annotations

import logging
from contextlib import suppress
from logging.handlers import RotatingFileHandler

from keepstep.cli.errors import log_file
from keepstep.core.errors import UsageError

LARGEST = 5_000_000
KEPT = 3


def log_to_file() -> None:
    """Send what is logged to the file, and nothing to the terminal.

    A file that can't be written stops no command.
    """
    root = logging.getLogger()
    if any(isinstance(each, RotatingFileHandler) for each in root.handlers):
        return
    logging.raiseExceptions = False
    root.addHandler(logging.NullHandler())
    with suppress(OSError, UsageError):
        handler = _handler()
        root.addHandler(handler)
        logging.getLogger("keepstep").setLevel(logging.INFO)


def _handler() -> logging.Handler:
    from pathlib import Path

    path = Path(log_file())
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s")
    )
    return handler
