"""What goes wrong in Exchange and on the way to it, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from keepstep_simulator.faults import Fault

# Each is asked for nothing that it could not do to a real server's answer. Those of `MENDED` make
# an item unreadable, or tell untruths of it, so that only its next change or a comparison mends it.
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("busy-503", {}),
    ("busy-503", {"retry_after": 20}),
    ("busy-503", {"retry_after": 400}),
    ("busy-fault", {"back_off_ms": 3_000}),
    ("busy-fault", {"back_off_ms": 240_000}),
    ("busy-inner", {"back_off_ms": 30_000}),
    ("http", {"status": 401}),
    ("http", {"status": 500}),
    ("http", {"status": 502}),
    ("soap-fault", {"code": "ErrorInternalServerError"}),
    ("soap-fault", {"code": "ErrorImpersonateUserDenied"}),
    ("soap-fault", {"code": "ErrorNonExistentMailbox"}),
    ("error", {"code": "ErrorMailboxMoveInProgress"}),
    ("error", {"code": "ErrorMailboxStoreUnavailable", "bare": True}),
    ("error", {"code": "ErrorInternalServerTransientError"}),
    ("error", {"code": "ErrorTimeoutExpired", "operation": "GetItem"}),
    ("error", {"code": "ErrorInvalidSyncStateData", "operation": "SyncFolderItems"}),
    ("lost-request", {}),
    ("lost-answer", {}),
    ("slow", {"seconds": 12}),
    ("hang", {}),
    ("drip", {"seconds": 0.01}),
    ("cut", {}),
    ("truncated", {}),
    ("login-page", {}),
    ("not-xml", {}),
    ("doctype", {}),
    ("redirect", {"location": "https://elsewhere.example/owa"}),
    ("repeated-page", {}),
    ("never-last", {}),
    ("garbage-state-accepted", {}),
    ("empty-text-body", {}),
    ("doubled-zone", {}),
    ("fractional-seconds", {}),
    ("recurrence-datetime", {}),
    ("deleted-meanwhile", {"operation": "GetItem"}),
)
MENDED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("poisoned", {"operation": "GetItem"}),
    ("item-error", {"operation": "GetItem", "code": "ErrorAccessDenied"}),
    ("last-too-soon", {}),
    ("state-ignored", {}),
)
# A server that never says "last" is asked for more pages without end: a few strikes are enough.
_BOUNDED = ("never-last", "repeated-page")


def draw(random: Random, emails: Sequence[str], *, mended: bool) -> Fault:
    """Give a fault of one mailbox or all, certain or likely, for some requests or until it ends."""
    kind, params = random.choice(KINDS + MENDED * 2 if mended else KINDS)
    params = dict(params)
    operation = params.pop("operation", None)
    mailbox = random.choice((None, *emails))
    probability = random.choice((None, 0.5, 0.2))
    times = random.choice((1, 2, 5, None))
    if kind in _BOUNDED:
        times = random.choice((1, 2, 12))
    return Fault(kind, operation, mailbox, times, probability, **params)


def stop(fault: Fault) -> None:
    """Let a fault strike no more."""
    fault.left = 0
