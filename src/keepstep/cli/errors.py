"""What went wrong, in one line for the terminal; the whole story goes to the log."""

from __future__ import annotations

import errno
import logging
import sqlite3

from keepstep import environment
from keepstep.core.errors import KeepstepError, UsageError
from keepstep.core.failures import FAILURES

log = logging.getLogger("keepstep.cli")

# What the driver says -> what is wrong and what helps; {name} is the database.
_DATABASE_WORDS = {
    "is locked": "{name} is locked by another program: close it, or try again later",
    "not a database": "{name} is not a database: restore a back-up, or name another file in"
    " KEEPSTEP_DATABASE_URL",
    "malformed": "{name} is damaged: restore a back-up",
    "unable to open": "can't open {name}: check that its directory exists and may be written to",
    "readonly": "{name} can't be written to: check the permissions of the file and its directory",
    "disk is full": "no space is left for {name}",
    "disk I/O": "the disk failed on {name}: check the disk and its free space",
}

_REMEDIES = {
    errno.EACCES: "run keepstep as the user who owns it.",
    errno.EDQUOT: "free some space.",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f).",
    errno.EMFILE: "raise the limit of open files (ulimit -n).",
    errno.ENFILE: "close other programs, or raise this machine's limit of open files.",
    errno.ENOSPC: "free some space.",
    errno.EROFS: "name a directory that can be written to.",
}


def plain(error: BaseException) -> str:
    """Give the one line for an error that a command ended with."""
    if isinstance(error, UsageError):
        return _line(str(error))
    if isinstance(error, KeepstepError):
        return _catalogued(error)
    if _is_of_database(error):
        return _database(str(error))
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        remedy = _REMEDIES.get(error.errno or 0, "")
        return _line(f"{error.strerror}{where}{': ' if remedy else ''}{remedy}")
    return f"{FAILURES['internal-error'].message} {_where_logged()}"


def is_expected(error: BaseException) -> bool:
    """Say whether the line says it all, so that the log needs no traceback."""
    return isinstance(error, UsageError)


def _catalogued(error: KeepstepError) -> str:
    if error.code == "database-unavailable":
        return _database(error.detail)
    failure = FAILURES.get(error.code, FAILURES["internal-error"])
    detail = f" ({error.detail})" if error.detail else ""
    return _line(f"{failure.message}{detail} {failure.remedy}")


def _is_of_database(error: BaseException) -> bool:
    from django.db import DatabaseError, InterfaceError

    return isinstance(error, (DatabaseError, InterfaceError, sqlite3.Error))


def _database(said: str) -> str:
    described = environment.database()
    host = described.get("HOST")
    name = f"the database {described['NAME']}" + (f" on {host}" if host else "")
    for words, line in _DATABASE_WORDS.items():
        if words in said:
            return _line(line.format(name=name) + ".")
    reason = said.strip().split("\n")[0]
    return _line(f"{name} can't be used: {reason}. {FAILURES['database-unavailable'].remedy}")


def _where_logged() -> str:
    try:
        return f"Please report it with what stands in {log_file()}"
    except UsageError:
        return "Please report it."


def log_file() -> str:
    """Give the path of the log."""
    return str(environment.home() / "logs" / "keepstep.log")


def _line(text: str) -> str:
    return " ".join(text.split())
