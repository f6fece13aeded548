"""The log file: KEEPSTEP_HOME/logs/keepstep.log, one JSON object per line.

Each has `at` (RFC 3339 in UTC), `level`, `event` and `process`; as they apply `operator`, `run`,
`code`, `job`, the counts of a run, and `error` with `where` it was raised. The words of a foreign
error are left out: they could hold an appointment's text.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from keepstep.cli.errors import log_file
from keepstep.cli.log_file import SharedLogFile
from keepstep.core.errors import KeepstepError, UsageError

log = logging.getLogger("keepstep.cli")

LARGEST = 5_000_000
KEPT = 3
LONGEST = 2000
FIELDS = ("operator", "run", "job", "code", "kind", "counts")


def log_to_file() -> None:
    """Send what is logged to the file, and nothing to the terminal.

    A file that can't be written stops no command.
    """
    root = logging.getLogger()
    if any(isinstance(each, SharedLogFile) for each in root.handlers):
        return
    logging.raiseExceptions = False
    root.addHandler(logging.NullHandler())
    with suppress(OSError, UsageError):
        handler = _handler()
        root.addHandler(handler)
        logging.getLogger("keepstep").setLevel(logging.INFO)


def keep_from_terminal() -> None:
    """Log warnings of libraries and errors that none can catch, which Python would print."""
    logging.captureWarnings(True)
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_of_thread


def _log_unraisable(told: sys.UnraisableHookArgs) -> None:
    log.error("an error that none can catch", exc_info=told.exc_value)


def _log_of_thread(told: threading.ExceptHookArgs) -> None:
    log.error("a thread failed", exc_info=told.exc_value)


class JsonLines(logging.Formatter):
    """Makes a record one line of JSON, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage()[:LONGEST],
            "part": record.name,
            "process": record.process,
        }
        line |= {name: value for name in FIELDS if (value := _field(record, name)) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line |= _error(record.exc_info[1])
        return json.dumps(line, default=str)


def _field(record: logging.LogRecord, name: str) -> object:
    value = getattr(record, name, None)
    return value or None if isinstance(value, str) else value


def _error(error: BaseException) -> dict[str, Any]:
    told: dict[str, Any] = {
        "error": type(error).__name__,
        "where": [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    if isinstance(error, KeepstepError):
        told["detail"] = str(error)[:LONGEST]
    elif isinstance(error, OSError) and error.strerror:
        told["detail"] = error.strerror
    cause = error.__cause__ or error.__context__
    return told | ({"cause": _error(cause)} if cause is not None else {})


def _handler() -> logging.Handler:
    from pathlib import Path

    path = Path(log_file())
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handler = SharedLogFile(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(JsonLines())
    return handler
