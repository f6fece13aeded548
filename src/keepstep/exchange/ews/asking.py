"""One question to Exchange: signed for its mailbox, counted, its answer read off the loop if large.

What both sides of the connector share: the one that reads items, and the one that hears of changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.envelope import Answer, ServerVersion, read_answer, request
from keepstep.exchange.ews.transport import Transport
from keepstep.exchange.ews.versions import DIALECTS, ExchangeVersion
from keepstep.exchange.tally import count_request

# Reading a larger answer would hold up the other mailboxes' turns for milliseconds.
LARGE_ANSWER = 256 * 1024
# Headers that Exchange itself sends (MS-ASHTTP 2.2.1.1.2), and no other server known to us.
_MARKS_OF_EXCHANGE = ("x-feserver", "x-beserver", "x-diaginfo")

OK = 200

_Result = TypeVar("_Result")


def utc_now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


class Asking:
    """Asks one server in one dialect. `EwsConnector` has what the arguments mean."""

    def __init__(
        self,
        transport: Transport,
        version: ExchangeVersion | str,
        *,
        now: Callable[[], datetime],
        offload_above: int | None,
    ) -> None:
        self._transport = transport
        self._dialect = DIALECTS[ExchangeVersion(version)]
        self._now = now
        self._offload_above = offload_above
        self._is_exchange = False
        self.server_version: ServerVersion | None = None
        self._requests = 0

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._requests

    async def close(self) -> None:
        """Release connections."""
        await self._transport.close()

    def _enveloped(self, target: Target, operation: bytes) -> bytes:
        """Give the request, and count it."""
        body = request(operation, self._dialect.request_version, address_of(target))
        self._requests += 1
        count_request()
        return body

    async def _ask(
        self,
        target: Target,
        operation: bytes,
        read: Callable[[Answer], _Result],
        headers: Mapping[str, str] | None = None,
    ) -> _Result:
        """Ask one question, and give what `read` makes of the answer.

        `headers` are told beside the request; without them only which mailbox it is about.
        """
        raw = await self._post(target, operation, headers)
        return await self._understood(len(raw.body), lambda: read(self._read(raw)))

    async def _post(
        self, target: Target, operation: bytes, headers: Mapping[str, str] | None = None
    ) -> RawAnswer:
        body = self._enveloped(target, operation)
        return await self._transport.post(body, headers or {"X-AnchorMailbox": address_of(target)})

    def _read(self, raw: RawAnswer) -> Answer:
        if not self._is_exchange:
            self._is_exchange = any(mark in raw.headers for mark in _MARKS_OF_EXCHANGE)
        answer = read_answer(raw, self._now())
        if answer.version is not None:
            self.server_version = answer.version
        return answer

    async def _understood(self, size: int, understand: Callable[[], _Result]) -> _Result:
        if self._offload_above is not None and size > self._offload_above:
            return await asyncio.to_thread(understand)
        return understand()


def address_of(target: Target) -> str:
    """Give the mailbox's address; raises no-email-address for what is none.

    With an empty one a server may answer for the service account's own mailbox.
    """
    address = target.address.strip()
    if not address or not address.isprintable() or " " in address:
        raise ExchangeError("no-email-address", "not an address")
    return address
