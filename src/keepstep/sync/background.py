"""Work that takes longer than an answer may: done in a thread, told of as it goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import close_old_connections, connection
from django.utils import translation

from keepstep.core.errors import KeepstepError, UsageError
from keepstep.core.failures import FAILURES
from keepstep.store import tasks
from keepstep.store.models import Account
from keepstep.store.tasks import ShownTask

log = logging.getLogger("keepstep.sync")

BETWEEN_NOTES = 0.25
AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)


# How far the tasks of this process are: what a transaction has written nobody else sees before
# its end, and an import is one transaction.
_progress: dict[UUID, tuple[int, int]] = {}


def find(account: Account, task: UUID, now: datetime) -> ShownTask | None:
    """Give a task of this account as it stands at `now`; None if there is no such one."""
    found = tasks.find(account, task, now)
    if found is not None and found.running and task in _progress:
        done, total = _progress[task]
        return replace(found, done=done, total=total)
    return found


class Reporter:
    """What the work tells of itself. Notes are written at most four times a second.

    They are written by a thread of their own: the work may be in an event loop, which must not
    wait for the database.
    """

    def __init__(self, task: UUID) -> None:
        self._task = task
        self._lines: list[dict[str, Any]] = []
        self._noted = 0.0
        self._notes = ThreadPoolExecutor(1, thread_name_prefix="keepstep-notes")

    def progress(self, done: int, total: int) -> None:
        """Say that so many of all are done."""
        _progress[self._task] = (done, total)
        # Within a transaction of the work the note would wait for its end.
        if connection.in_atomic_block:
            return
        if done < total and monotonic() - self._noted < BETWEEN_NOTES:
            return
        self._noted = monotonic()
        self._notes.submit(tasks.advance, self._task, done, total, datetime.now(UTC))

    def line(self, line: Mapping[str, Any]) -> None:
        """Show one more line at once."""
        self._lines.append(dict(line))
        self._notes.submit(tasks.show_lines, self._task, list(self._lines), datetime.now(UTC))

    def close(self) -> None:
        """Wait until all is written."""
        self._notes.submit(connection.close)
        self._notes.shutdown()


Work = Callable[[Reporter], Mapping[str, Any]]


def start(account: Account, kind: str, work: Work) -> UUID:
    """Begin work in a thread; gives the task's id. What the work gives becomes its result.

    Raises UsageError where too much is going on already. The thread keeps no process from ending;
    what it writes is committed step by step by the functions that it calls.
    """
    if not _places.acquire(blocking=False):
        raise UsageError("several things are going on already: wait until one of them is done.")
    try:
        task = tasks.begin(account, kind, datetime.now(UTC))
        language = translation.get_language() or "en"
        threading.Thread(
            target=_do, args=(task, work, language), name=f"keepstep-{kind}", daemon=True
        ).start()
    except BaseException:
        _places.release()
        raise
    return task


def _do(task: UUID, work: Work, language: str) -> None:
    try:
        close_old_connections()
        with translation.override(language):
            result, problem = _outcome(task, work)
            tasks.end(task, datetime.now(UTC), result=result, problem=problem)
    except Exception:
        log.exception("the end of a task could not be noted")
    finally:
        _progress.pop(task, None)
        connection.close()
        _places.release()


def _outcome(task: UUID, work: Work) -> tuple[Mapping[str, Any], str]:
    report = Reporter(task)
    try:
        return work(report), ""
    except UsageError as error:
        return {}, str(error)
    except KeepstepError as error:
        failure = FAILURES.get(error.code, FAILURES["internal-error"])
        return {}, " ".join((failure.message, failure.remedy))
    except Exception:
        log.exception("a task failed")
        return {}, FAILURES["internal-error"].message
    finally:
        report.close()
