"""The weather of the storm: every fault of the simulator, in random order, a fifth of the time."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from keepstep_simulator import Fault
from keepstep_simulator.items import Recurrence
from keepstep_simulator.model import MailboxModel

# Each fault of the simulator once at least, with what it needs to be one of a real server.
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("http", {"status": 500}),
    ("http", {"status": 502}),
    ("http", {"status": 401}),
    ("busy-503", {"retry_after": 20}),
    ("busy-503", {"retry_after": 200}),
    ("busy-fault", {"back_off_ms": 240_000}),
    ("busy-inner", {"back_off_ms": 90_000}),
    ("soap-fault", {"code": "ErrorNonExistentMailbox"}),
    ("soap-fault", {"code": "ErrorImpersonateUserDenied"}),
    ("soap-fault", {"code": "ErrorInternalServerError"}),
    ("error", {"code": "ErrorMailboxMoveInProgress"}),
    ("error", {"code": "ErrorMailboxStoreUnavailable", "bare": True}),
    ("error", {"code": "ErrorInvalidSyncStateData", "operation": "SyncFolderItems"}),
    ("login-page", {}),
    ("not-xml", {}),
    ("redirect", {"location": "https://elsewhere.example/"}),
    ("redirect", {"location": "/EWS/Exchange.asmx"}),
    ("doctype", {}),
    ("doctype", {"bomb": True}),
    ("doctype", {"system": "file:///etc/passwd"}),
    ("deep", {}),
    ("huge", {}),
    ("gzip-bomb", {}),
    ("gzip-bomb", {"whole": True}),
    ("endless-headers", {}),
    ("endless-headers", {"one": True}),
    ("hang", {"seconds": 3}),
    ("lost-request", {}),
    ("lost-answer", {}),
    ("slow", {"seconds": 0.1}),
    ("drip", {"seconds": 0.05}),
    ("cut", {}),
    ("truncated", {}),
    ("repeated-page", {}),
    ("last-too-soon", {}),
    ("never-last", {}),
    ("empty-text-body", {}),
    ("doubled-zone", {}),
    ("fractional-seconds", {}),
    ("recurrence-datetime", {}),
    ("enumerations", {}),
    ("forbidden-characters", {}),
    ("state-ignored", {}),
    ("garbage-state-accepted", {}),
    ("deleted-meanwhile", {"operation": "GetItem"}),
    ("poisoned", {"operation": "GetItem"}),
    ("poisoned", {"operation": "GetItem", "how": "no-start"}),
    ("item-error", {"operation": "GetItem", "code": "ErrorItemCorrupt"}),
    ("no-uid", {"operation": "GetItem"}),
    ("masters-without-times", {"operation": "GetItem"}),
)
# What is wrong about one item: only its next change, or one who asks, brings it again. Of what a
# first round passed over as unreadable, and is over, nobody asks: so that one goes without.
OF_ITEMS = frozenset({"poisoned", "item-error", "no-uid", "masters-without-times"})
SHARE = 0.2
# How many rounds a fault lasts: most strike one, some are a trouble that one has to be told of.
_LASTS = (1, 1, 1, 1, 2, 8)
_MEAN = sum(_LASTS) / len(_LASTS)
# How likely a mailbox at peace is struck, so that a fifth of them is at any time.
_BEGINS = SHARE / (_MEAN * (1 - SHARE) + SHARE)


@dataclass(slots=True)
class Trouble:
    """What strikes one mailbox, for so many rounds more."""

    kind: str
    params: dict[str, Any]
    rounds: int

    @property
    def pause(self) -> timedelta:
        """How long the server asks to wait."""
        milliseconds = self.params.get("back_off_ms", 0)
        return timedelta(seconds=self.params.get("retry_after", 0), milliseconds=milliseconds)

    def fault(self, email: str) -> Fault:
        params = dict(self.params)
        operation = params.pop("operation", None)
        return Fault(self.kind, operation, email, None, **params)


class Weather:
    """Which trouble each mailbox has now; all of it is fixed by the generator given."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._deck: list[tuple[str, dict[str, Any]]] = []
        self.troubles: dict[str, Trouble] = {}

    def change(
        self, mailboxes: Iterable[MailboxModel], known: Container[str], now: datetime
    ) -> None:
        """Let a round's worth of time pass; `known` are those who had their first round.

        Who is struck by what is wrong about items gets a new series, so that one is read.
        """
        for mailbox in mailboxes:
            email = mailbox.email
            if email in self.troubles:
                self.troubles[email].rounds -= 1
                if self.troubles[email].rounds == 0:
                    del self.troubles[email]
            elif self._random.random() < _BEGINS:
                self.troubles[email] = self._drawn(of_items=email in known)
                self._prepare(mailbox, self.troubles[email], now)

    def faults(self) -> list[Fault]:
        """Give the faults of now."""
        return [trouble.fault(email) for email, trouble in self.troubles.items()]

    @staticmethod
    def _prepare(mailbox: MailboxModel, trouble: Trouble, now: datetime) -> None:
        if trouble.kind == "garbage-state-accepted":
            mailbox.forget_sync_states()
        elif trouble.params.get("operation") == "GetItem":
            start = now + timedelta(days=3)
            series = Recurrence("daily", start.date(), count=9)
            end = start + timedelta(minutes=30)
            mailbox.create(subject="Fair", start=start, end=end, recurrence=series)

    def _drawn(self, *, of_items: bool) -> Trouble:
        if not self._deck:
            self._deck = self._random.sample(KINDS, len(KINDS))
        places = [n for n, (kind, _) in enumerate(self._deck) if of_items or kind not in OF_ITEMS]
        kind, params = self._deck.pop(places[-1]) if places else ("lost-request", {})
        return Trouble(kind, params, self._random.choice(_LASTS))
