"""Pausing a whole server: closed, paused with one probe at a time, then returning gradually.

A server that cannot be reached, or where many different mailboxes fail without one success, is
paused as a whole. When a pause is over one mailbox goes as a probe; the others wait for what
becomes of it. If it is answered, mailboxes come back in batches that double. A mailbox's own
trouble (there is no such mailbox, it is being moved) is an answer: it pauses nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from keepstep.core.failures import FAILURES

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE_IF_LASTING = timedelta(hours=1)
UNREACHABLE_MAILBOXES = 3
FAILING_MAILBOXES = 10
FIRST_BATCH = 2
LARGEST_BATCH = 64
BETWEEN_BATCHES = timedelta(seconds=1)
SETTLED_AFTER = timedelta(minutes=1)
LOOK_AGAIN = timedelta(milliseconds=250)

UNREACHABLE = frozenset(
    {
        "address-forbidden",
        "certificate-expired",
        "certificate-not-trusted",
        "certificate-wrong-name",
        "connection-refused",
        "login-page",
        "name-not-found",
        "not-exchange",
        "proxy-in-the-way",
        "redirected",
        "sign-in-not-offered",
        "timed-out",
        "tls-failed",
        "token-refused",
        "token-unavailable",
    }
)
# Codes that tell of the server, or of all that is behind it, rather than of one mailbox.
SHARED = UNREACHABLE | {
    "answer-too-large",
    "answer-unreadable",
    "request-refused",
    "server-busy",
    "server-error",
    "store-unavailable",
    "wrong-exchange-version",
}


@dataclass(frozen=True, slots=True)
class Closed:
    """All is well, or not yet bad enough: who failed, and could not reach it, since a success."""

    failing: frozenset[str] = frozenset()
    unreachable: frozenset[str] = frozenset()


AT_EASE = Closed()
"""Nobody has failed since the last success: by far the most common state, and told by `is`."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Nobody goes until `until`, then `probe` alone. `pauses` counts those in a row."""

    code: str
    until: datetime
    pauses: int = 0
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Returning:
    """Mailboxes come back: of a batch of `size`, who went, who was answered, who failed."""

    code: str
    pauses: int
    size: int
    next_at: datetime
    gone: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()


Breaker = Closed | Paused | Returning


@dataclass(frozen=True, slots=True)
class Go:
    """The mailbox may be read."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after this long: others are on their way, and will tell."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not before `until`: the server is paused, by the failure `code`."""

    code: str
    until: datetime


Admission = Go | Wait | Refuse


def admit(breaker: Breaker, mailbox: str, now: datetime) -> tuple[Breaker, Admission]:
    """Decide whether a mailbox may be read now."""
    if isinstance(breaker, Paused):
        if now < breaker.until:
            return breaker, Refuse(breaker.code, breaker.until)
        if breaker.probe not in {None, mailbox}:
            return breaker, Wait(LOOK_AGAIN)
        return replace(breaker, probe=mailbox), Go()
    if isinstance(breaker, Returning):
        return _admit_returning(breaker, mailbox, now)
    return breaker, Go()


def _admit_returning(breaker: Returning, mailbox: str, now: datetime) -> tuple[Breaker, Admission]:
    if now >= breaker.next_at + SETTLED_AFTER:
        return AT_EASE, Go()
    if mailbox in breaker.gone:
        return breaker, Go()
    if len(breaker.gone) < breaker.size:
        return replace(breaker, gone=breaker.gone | {mailbox}), Go()
    if now < breaker.next_at or len(breaker.answered) * 2 < breaker.size:
        return breaker, Wait(max(breaker.next_at - now, LOOK_AGAIN))
    if breaker.size >= LARGEST_BATCH:
        return AT_EASE, Go()
    return (
        Returning(
            breaker.code,
            breaker.pauses,
            breaker.size * 2,
            now + BETWEEN_BATCHES,
            frozenset({mailbox}),
        ),
        Go(),
    )


def answered(breaker: Breaker, mailbox: str, now: datetime) -> Breaker:
    """Give what follows from an answer, be it that this mailbox can't be read."""
    if isinstance(breaker, Paused):
        # Of a late one too: whoever is answered proves that the server is back.
        return Returning(breaker.code, breaker.pauses, FIRST_BATCH, now + BETWEEN_BATCHES)
    if isinstance(breaker, Returning):
        if mailbox not in breaker.gone:
            return breaker
        return replace(
            breaker, answered=breaker.answered | {mailbox}, failed=breaker.failed - {mailbox}
        )
    return AT_EASE


def failed(
    breaker: Breaker,
    mailbox: str,
    code: str,
    now: datetime,
    *,
    pause: timedelta | None,
    jitter: float,
) -> Breaker:
    """Give what follows from a failed request of a mailbox.

    `pause` is how long the server asked to wait, never cut short; `jitter` in [0, 1) shortens a
    pause of our own by up to a quarter.
    """
    if code not in SHARED:
        return answered(breaker, mailbox, now)
    length = pause or timedelta(0)
    if isinstance(breaker, Paused):
        if mailbox == breaker.probe:
            return _pause(code, breaker.pauses, now, length, jitter)
        return replace(breaker, until=max(breaker.until, now + length))
    if isinstance(breaker, Returning):
        if mailbox not in breaker.gone:
            return breaker
        went_wrong = breaker.failed | {mailbox}
        if len(went_wrong) * 2 > breaker.size:
            return _pause(code, breaker.pauses, now, length, jitter)
        return replace(breaker, failed=went_wrong, answered=breaker.answered - {mailbox})
    failing = breaker.failing | {mailbox}
    unreachable = breaker.unreachable | ({mailbox} if code in UNREACHABLE else set())
    if len(unreachable) >= UNREACHABLE_MAILBOXES or len(failing) >= FAILING_MAILBOXES:
        return _pause(code, 0, now, length, jitter)
    return Closed(failing, unreachable)


def left(breaker: Breaker, mailbox: str) -> Breaker:
    """Give what follows where a mailbox's round ended without a word of the server."""
    if isinstance(breaker, Paused) and breaker.probe == mailbox:
        return replace(breaker, probe=None)
    if isinstance(breaker, Returning) and mailbox not in breaker.answered | breaker.failed:
        return replace(breaker, gone=breaker.gone - {mailbox})
    return breaker


def resumed(failing: Mapping[str, int], mailboxes: int, now: datetime) -> Breaker:
    """Give how a new process begins: with one probe, if the last one left the server paused.

    `failing` counts the mailboxes that failed last by code, of all the `mailboxes` to be read.
    """
    shared = {code: count for code, count in failing.items() if code in SHARED}
    together = sum(shared.values())
    if together < UNREACHABLE_MAILBOXES or together * 2 <= mailboxes:
        return AT_EASE
    return Paused(max(sorted(shared), key=shared.__getitem__), now)


def _pause(code: str, pauses: int, now: datetime, least: timedelta, jitter: float) -> Paused:
    by_itself = FAILURES[code].passes_by_itself
    longest = LONGEST_PAUSE if by_itself else LONGEST_PAUSE_IF_LASTING
    length = min(FIRST_PAUSE * 2 ** min(pauses, 20), longest) * (1 - jitter / 4)
    return Paused(code, now + max(length, least), pauses + 1)
