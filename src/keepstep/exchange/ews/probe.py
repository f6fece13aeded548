"""Looking at a server one step at a time, from the name service to a page of a calendar.

Each step assumes that those before it went well, and raises `ExchangeError` with the code of what
is wrong. Nothing but what reading a calendar needs is asked; a refused password is sent once.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Folder, ItemKind, Target
from keepstep.exchange.ews import get_folder
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.connect import Access, connect, transport_of, way_of
from keepstep.exchange.ews.envelope import (
    ServerVersion,
    plain_request,
    read_answer,
    version_told,
)
from keepstep.exchange.ews.faults import failure_of_status
from keepstep.exchange.ews.network_errors import failure_of
from keepstep.exchange.ews.redirects import fetch_following
from keepstep.exchange.ews.sign_in import REFUSED, challenges
from keepstep.exchange.ews.transport import HEADERS
from keepstep.exchange.ews.versions import DIALECTS, ExchangeVersion
from keepstep.exchange.ews.web import fetch, refuse_forbidden, trust

_LOOKUP_SECONDS = 10
_READ_AT_MOST = 10
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Said of the service account's own mailbox, which it need not have: it is signed in.
_OF_ITS_MAILBOX = frozenset(
    {
        "no-such-mailbox",
        "no-email-address",
        "impersonation-refused",
        "folder-missing",
        "mailbox-moving",
        "store-unavailable",
        "request-refused",
        "wrong-exchange-version",
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server says to a stranger: the ways of signing in, and how far its clock is ahead."""

    schemes: tuple[str, ...]
    clock_ahead: timedelta | None


@dataclass(frozen=True, slots=True)
class PageRead:
    """How many changes a page held, and how many of its appointments were read whole."""

    changes: int
    appointments: int


class Probe:
    """Looks at the server that `access` names. `now` gives the present in UTC."""

    def __init__(self, access: Access, now: Callable[[], datetime]) -> None:
        self._access = access
        self._now = now
        self._way = way_of(access)
        self._parts = urlsplit(access.url)
        self._connector = connect(access)
        self.server_version: ServerVersion | None = None

    @property
    def host(self) -> str:
        """The name of the server."""
        return self._parts.hostname or ""

    @property
    def first_stop(self) -> tuple[str, int]:
        """Host and port that are connected to: the server's, or the proxy's."""
        parts: SplitResult = urlsplit(self._way.proxy) if self._way.proxy else self._parts
        return parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 443)

    async def resolve(self) -> list[str]:
        """Give the addresses of the first stop's name."""
        host, port = self.first_stop
        refuse_forbidden(self.host)
        refuse_forbidden(host)
        loop = asyncio.get_running_loop()
        looking = loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.wait_for(looking, _LOOKUP_SECONDS)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise ExchangeError("name-not-found", host) from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            refuse_forbidden(address)
        return addresses

    async def open_port(self) -> None:
        """Connect, and part again."""
        await self._connect(None)

    async def agree_on_tls(self) -> datetime | None:
        """Give the end of the server's certificate, None where it is not to be seen.

        It is not to be seen over plain http, nor on the far side of a proxy.
        """
        if self._parts.scheme != "https":
            return None
        if self._way.proxy:
            # Whatever comes, a redirect too, came through TLS.
            await fetch(self._way, "POST", self._access.url, headers=HEADERS, body=_STRANGER)
            return None
        certificate = await self._connect(trust(self._way.ca_file))
        ends = (certificate or {}).get("notAfter")
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None

    async def _connect(self, tls: ssl.SSLContext | None) -> dict[str, Any] | None:
        addresses = await self.resolve()
        port = self.first_stop[1]
        seconds = self._way.limits.connect_seconds
        failure: ExchangeError | None = None
        for address in addresses:
            try:
                opening = asyncio.open_connection(
                    address, port, ssl=tls, server_hostname=self.host if tls else None
                )
                _, writer = await asyncio.wait_for(opening, seconds)
            except (OSError, ValueError, TimeoutError) as error:
                failure = failure or failure_of(error)
                continue
            certificate: dict[str, Any] | None = writer.get_extra_info("peercert")
            writer.transport.abort()
            return certificate
        if self._way.proxy:
            raise ExchangeError("proxy-in-the-way", "the proxy can't be reached")
        raise failure or ExchangeError("connection-refused", "no address")

    async def look(self) -> Seen:
        """Ask without signing in: an Exchange answers that one must."""
        before = self._now()
        raw = await fetch_following(
            self._way, "POST", self._access.url, headers=HEADERS, body=_STRANGER
        )
        middle = before + (self._now() - before) / 2
        if raw.status == REFUSED:
            return Seen(tuple(challenges(raw)), _ahead(raw, middle))
        if raw.status != 200:
            raise failure_of_status(raw.status)
        read_answer(raw, middle)
        return Seen((), _ahead(raw, middle))

    async def sign_in(self) -> None:
        """Sign in as the service account, impersonating nobody."""
        raw = await self._ask_as_account("Exchange2010")
        self.server_version = version_told(raw)
        try:
            read_answer(raw, self._now())
        except ExchangeError as error:
            if error.code not in _OF_ITS_MAILBOX:
                raise

    async def accept_version(self) -> ServerVersion | None:
        """Ask with the version that is set; give the server's own, None where it does not tell."""
        version = DIALECTS[ExchangeVersion(self._access.version)].request_version
        raw = await self._ask_as_account(version)
        self.server_version = version_told(raw) or self.server_version
        try:
            read_answer(raw, self._now())
        except ExchangeError as error:
            if error.code not in _OF_ITS_MAILBOX or error.code == "wrong-exchange-version":
                raise
        return self.server_version

    async def _ask_as_account(self, version: str) -> RawAnswer:
        transport = transport_of(self._access)
        try:
            return await transport.post(_question(version), {})
        finally:
            await transport.close()

    async def enter(self, target: Target) -> None:
        """Open an operator's mailbox, whether or not it has a calendar."""
        try:
            await self._connector.folder(target)
        except ExchangeError as error:
            if error.code != "folder-missing":
                raise

    async def folder(self, target: Target) -> Folder:
        """Give the calendar folder of an operator's mailbox."""
        return await self._connector.folder(target)

    async def page(self, target: Target) -> PageRead:
        """Read the first page of a calendar, and some of its appointments whole."""
        listing = await self._connector.changes(target, None, _READ_AT_MOST)
        ids = [each.item_id for each in listing.changes if each.item_kind is not ItemKind.OTHER]
        read = await self._connector.appointments(target, ids, _READ_AT_MOST) if ids else {}
        return PageRead(len(listing.changes), len(read))

    async def seconds_of(self, target: Target, times: int) -> list[float]:
        """Give how long each of so many requests took, one after the other."""
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            await self._connector.folder(target)
            taken.append(time.perf_counter() - began)
        return taken

    async def close(self) -> None:
        """Release connections."""
        await self._connector.close()


def _question(version: str) -> bytes:
    return plain_request(get_folder.REQUEST, version)


_STRANGER = _question("Exchange2010")


def _ahead(raw: RawAnswer, middle: datetime) -> timedelta | None:
    try:
        told = parsedate_to_datetime(raw.headers.get("date", ""))
        return told - middle if told.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
