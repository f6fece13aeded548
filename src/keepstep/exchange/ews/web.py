"""HTTP with limits on everything that comes back, and on where it may go.

No redirect is followed here (see `redirects`), no cookie is kept, no setting of the environment is
used. Names are resolved through a guard, so that none leads to what a cloud tells its machines
about themselves. Errors of the libraries underneath become codes of the catalogue in one table,
`network_errors`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client import _RequestContextManager
from aiohttp.connector import Connection

from keepstep import __version__
from keepstep.core.addresses import is_forbidden
from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.network_errors import FOREIGN_ERRORS, failure_of

# With the number of the process, so that Exchange's log tells several workers apart.
_HEADERS = {
    "User-Agent": f"Keepstep/{__version__} ({os.getpid()})",
    "Accept-Encoding": "gzip, deflate",
}
_OK = 200
_PIECE = 64 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
# Longer than a minute, so that a connection lasts from one round to the next; IIS keeps them two.
_KEEP_SECONDS = 75


@dataclass(frozen=True, slots=True)
class Limits:
    """What is put up with: seconds to connect and in all, bytes of an answer once unpacked."""

    connections: int = 20
    connect_seconds: float = 10
    total_seconds: float = 100
    answer_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """How servers are reached.

    `ca_file` names a file of certificates to trust beside the system's; `proxy` is the URL of an
    HTTP proxy ("": none). TLS certificates are always verified.
    """

    limits: Limits = Limits()
    ca_file: Path | None = None
    proxy: str = ""


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses those that lead where nothing may be asked.

    What it gives is what is connected to, so a name can't mean another address in between.
    """

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses of a name. Raises OSError as resolvers do, and `ExchangeError`."""
        refuse_forbidden(host)
        found = await self._inner.resolve(host, port, family)
        for each in found:
            refuse_forbidden(each["host"])
        return found

    async def close(self) -> None:
        """Release the resolver within."""
        await self._inner.close()


def refuse_forbidden(host: str) -> None:
    """Raise `ExchangeError` address-forbidden for a host that must not be asked."""
    if is_forbidden(host):
        raise ExchangeError("address-forbidden", "an address of cloud metadata or link-local")


class _Response(aiohttp.ClientResponse):
    """Keeps the server's certificate, as the connection is given back before one could ask."""

    certificate = b""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        transport = connection.transport
        tls = None if transport is None else transport.get_extra_info("ssl_object")
        if tls is not None:
            self.certificate = tls.getpeercert(binary_form=True) or b""
        return await super().start(connection)


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Give what verifies certificates. Raises `ExchangeError` where `ca_file` can't be read."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise ExchangeError("certificate-not-trusted", "ca_file can't be read") from None
    return context


def open_session(
    way: Way,
    *,
    connections: int = 0,
    tls: ssl.SSLContext | None = None,
    is_timed: bool = True,
) -> aiohttp.ClientSession:
    """Give a session of at most so many connections (0: no bound); to be closed by the caller.

    Without `is_timed` an answer may last for ever once its connection is there.
    """
    limits = way.limits
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=connections,
            ssl=tls or trust(way.ca_file),
            resolver=GuardedResolver(),
            keepalive_timeout=_KEEP_SECONDS,
        ),
        timeout=aiohttp.ClientTimeout(
            total=limits.total_seconds if is_timed else None,
            sock_connect=limits.connect_seconds,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        response_class=_Response,
    )


class Ask(Protocol):
    """What sends one request and gives the answer: `ask`, or that of a `Holder`."""

    async def __call__(
        self,
        session: aiohttp.ClientSession,
        way: Way,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> RawAnswer:
        """Send one request."""
        ...


async def ask(
    session: aiohttp.ClientSession,
    way: Way,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> RawAnswer:
    """Send one request and give the whole answer; raises `ExchangeError` where none came."""
    try:
        async with _sent(session, way, method, url, headers, body) as response:
            whole = await _body(response, way.limits.answer_bytes)
            return _answer(response, whole)
    except FOREIGN_ERRORS as error:
        raise failure_of(error) from error


class Holder:
    """Asks as `ask` does, but leaves the body of an answer with status 200 to come by `pieces`.

    To be used on a session of its own that is not timed; whoever closes it ends the answer.
    """

    def __init__(self) -> None:
        self._held: aiohttp.ClientResponse | None = None

    async def ask(
        self,
        session: aiohttp.ClientSession,
        way: Way,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> RawAnswer:
        """Send one request; raises `ExchangeError` where no answer begins within the time limit."""
        try:
            async with asyncio.timeout(way.limits.total_seconds):
                unpacked = {"Accept-Encoding": "identity", **headers}
                response = await _sent(session, way, method, url, unpacked, body)
                if response.status != _OK:
                    async with response:
                        return _answer(response, await _body(response, way.limits.answer_bytes))
        except FOREIGN_ERRORS as error:
            raise failure_of(error) from error
        self._held = response
        return _answer(response, b"")

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Give what is left of the body as it comes; raises stream-dropped where it is cut off."""
        response = self._held
        if response is None:
            return
        if response.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
            raise ExchangeError("answer-unreadable", "packed, though that was not asked for")
        try:
            async for piece in response.content.iter_any():
                yield piece
        except FOREIGN_ERRORS as error:
            raise ExchangeError("stream-dropped", type(error).__name__) from error


def _sent(
    session: aiohttp.ClientSession,
    way: Way,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> _RequestContextManager:
    # An address in place of a name never comes to the resolver.
    refuse_forbidden(urlsplit(url).hostname or "")
    return session.request(
        method,
        url,
        data=body,
        headers={**_HEADERS, **headers},
        proxy=way.proxy or None,
        allow_redirects=False,
    )


def _answer(response: aiohttp.ClientResponse, body: bytes) -> RawAnswer:
    certificate = getattr(response, "certificate", b"")
    return RawAnswer(response.status, _joined(response), body, certificate)


async def fetch(
    way: Way,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> RawAnswer:
    """Send one request on a connection of its own. Raises as `ask` does."""
    async with open_session(way) as session:
        return await ask(session, way, method, url, headers=headers or {}, body=body)


def _joined(response: aiohttp.ClientResponse) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read the body, unpacking it piece by piece, so that a bomb is noticed at its first."""
    unpack = _unpacker(response.headers.get("Content-Encoding", ""))
    pieces: list[bytes] = []
    room = most
    async for piece in response.content.iter_chunked(_PIECE):
        part = unpack(piece, room + 1)
        room -= len(part)
        if room < 0:
            response.close()
            raise ExchangeError("answer-too-large", f"over {most} bytes")
        pieces.append(part)
    return b"".join(pieces)


class _Unpacker(Protocol):
    def __call__(self, piece: bytes, most: int, /) -> bytes: ...


def _unpacker(encoding: str) -> _Unpacker:
    """Give what unpacks the pieces of a body in turn, making at most `most` bytes of each."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda piece, _most: piece
    if name not in ("gzip", "x-gzip", "deflate"):
        raise ExchangeError("answer-unreadable", "an unknown content encoding")
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)

    def unpack(piece: bytes, most: int) -> bytes:
        try:
            return unpacking.decompress(piece, most)
        except zlib.error:
            raise ExchangeError("answer-unreadable", "damaged compression") from None

    return unpack
