"""The listener in this process: called as a server calls it, without a socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from asgiref.typing import HTTPScope

from keepstep.store.subscriptions import Known, new_address_key, token_of
from keepstep.sync.delivery.desk import Desk
from keepstep.sync.delivery.marks import Marks
from keepstep.web.listener import Listener

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SUBSCRIPTION = (
    "LABtYjAwMDEuZXVyMDEucHJvZC5leGNoYW5nZS5leGFtcGxleHh4eHh4eHh4eBAAAADELVfykPBZQp7Q8IIUrUfmCKn7"
    "JnqX2AgQAAAAWTlI8+A2EEqLQp01E8Pw2Q=="
)
"""The subscription that the sample of a notification is of."""
MAILBOX = 7


@dataclass(frozen=True)
class Said:
    """An answer of the listener."""

    status: int
    body: bytes


class Called:
    """A listener with one subscription, that of the sample."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.marks = Marks(lambda: self.seconds)
        self.desk = Desk(self.marks, lambda: NOW)
        self.key = new_address_key(NOW)
        self.token = token_of(self.key)
        self.desk.expect([Known(MAILBOX, self.key, SUBSCRIPTION, "")])
        self._listener = Listener(self.desk)

    async def call(
        self, body: bytes | Sequence[bytes], *, token: str | None = None, method: str = "POST"
    ) -> Said:
        """Post a body, whole or in these pieces, to the subscription's address or another."""
        pieces = [body] if isinstance(body, bytes) else list(body) or [b""]
        sent: list[Any] = []

        async def receive() -> Any:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        path = f"/PushNotificationsListener/{self.token if token is None else token}"
        found = self._listener.token_in(path)
        if found is None:
            return Said(404, b"")  # the pages answer that, and have no such page
        scope = cast("HTTPScope", {"type": "http", "method": method, "path": path})
        await self._listener.answer(found, scope, receive, send)
        return Said(int(sent[0]["status"]), sent[1]["body"])

    def told(self) -> bool:
        """Say, once, whether the mailbox was told of."""
        self.seconds += 60
        return self.marks._take_due() == [MAILBOX]
