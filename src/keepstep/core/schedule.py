"""When a mailbox is tried next, and what its sync status is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE_IF_LASTING = timedelta(hours=1)


class Status(StrEnum):
    """The sync status of an operator."""

    OFF = "off"
    WAITING = "waiting"
    IN_STEP = "in_step"
    RETRYING = "retrying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """An episode of failure: how often in a row, since when, and the earliest next attempt."""

    failures: int
    since: datetime
    next_attempt: datetime


def after_failure(
    trouble: Trouble | None,
    now: datetime,
    *,
    passes_by_itself: bool,
    pause: timedelta | None,
    notification_frequency: timedelta,
    jitter: float,
    with_all_at: datetime | None = None,
) -> Trouble:
    """Give the episode after one more failed round.

    Pauses double from `FIRST_PAUSE`; `jitter` in [0, 1) shortens one by up to half, so that many
    mailboxes do not come back at the same instant. A `pause` that Exchange named is never cut
    short. An episode older than `notification_frequency` is tried at the longest pause, at most
    hourly if the failure does not pass by itself.
    """
    failures = trouble.failures + 1 if trouble else 1
    since = trouble.since if trouble else now
    if now - since >= notification_frequency:
        wait = LONGEST_PAUSE if passes_by_itself else LONGEST_PAUSE_IF_LASTING
    else:
        wait = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE) * (1 - jitter / 2)
    least = now + (pause or timedelta(0))
    if with_all_at is not None:
        return Trouble(failures, since, max(with_all_at, least))
    return Trouble(failures, since, max(now + wait, least))


def not_tried(trouble: Trouble | None, now: datetime, with_all_at: datetime) -> Trouble:
    """Give the episode of a mailbox that was due while the server, or the account, is paused."""
    if trouble is None:
        return Trouble(0, now, with_all_at)
    return Trouble(trouble.failures, trouble.since, with_all_at)


def status(
    *,
    enabled: bool,
    last_success: datetime | None,
    failing_since: datetime | None,
    now: datetime,
    notification_frequency: timedelta,
) -> Status:
    """Give the sync status of an operator from what is kept of the mailbox."""
    if not enabled:
        return Status.OFF
    if failing_since is not None:
        overdue = now - failing_since >= notification_frequency
        return Status.FAILED if overdue else Status.RETRYING
    return Status.IN_STEP if last_success is not None else Status.WAITING
