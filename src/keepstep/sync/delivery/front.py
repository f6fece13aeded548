"""Where the listener hands in what Exchange posts: a desk, of one process or of many."""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from keepstep.sync.delivery.desk import Answer


class Front(Protocol):
    """Takes in notifications, within one event loop."""

    def knows_address(self, token: str) -> bool:
        """Say whether this is an address that we made: others get nothing, not even their say."""
        ...

    def refuse(self, status: HTTPStatus) -> Answer:
        """Give the answer to a call that changes nothing, and count it."""
        ...

    async def take(self, token: str, body: bytes) -> Answer:
        """Take in one call at an address; give the answer."""
        ...
