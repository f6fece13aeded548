"""The HTTP side: one session for one server, with limits on everything that comes back.

Credentials go to the configured address alone: no redirect is followed, no cookie is kept (a
cookie would tie the next mailbox to the server of the last). Errors of the libraries underneath
become codes of the catalogue in one table, `network_errors`.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp

from keepstep import __version__
from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.network_errors import FOREIGN_ERRORS, failure_of
from keepstep.exchange.ews.sign_in import SignIn

_HEADERS = {
    "User-Agent": f"Keepstep/{__version__}",
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml",
    "Accept-Encoding": "gzip, deflate",
}
_PIECE = 64 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Transport(Protocol):
    """Carries requests to the EWS address of one server."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Send one request and give the whole answer; raises `ExchangeError` if none came."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What is put up with: seconds to connect and in all, bytes of an answer once unpacked."""

    connections: int = 20
    connect_seconds: float = 10
    total_seconds: float = 100
    answer_bytes: int = 64 * 1024 * 1024


class AiohttpTransport:
    """A `Transport` over aiohttp; to be made and used within one event loop.

    `ca_file` names a file of certificates to trust beside the system's; `proxy` is the URL of an
    HTTP proxy. TLS certificates are always verified.
    """

    def __init__(
        self,
        url: str,
        sign_in: SignIn,
        *,
        limits: Limits | None = None,
        ca_file: Path | None = None,
        proxy: str | None = None,
    ) -> None:
        self._url = url
        self._sign_in = sign_in
        self._limits = limits or Limits()
        self._proxy = proxy or None
        self._ca_file = ca_file
        # Waiting for a turn is not counted against the time limits, as it would be in the pool.
        self._turns = asyncio.Semaphore(self._limits.connections)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Send one request, signed in; raises `ExchangeError` where no whole answer came."""

        async def send(further: Mapping[str, str]) -> RawAnswer:
            return await self._send(body, {**_HEADERS, **headers, **further})

        async with self._turns:
            return await self._sign_in.send(send)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        try:
            async with self._opened().post(
                self._url, data=body, headers=headers, proxy=self._proxy, allow_redirects=False
            ) as response:
                return RawAnswer(
                    response.status,
                    {name.lower(): value for name, value in response.headers.items()},
                    await self._body(response),
                )
        except FOREIGN_ERRORS as error:
            raise failure_of(error) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=_trust(self._ca_file)),
                timeout=aiohttp.ClientTimeout(
                    total=self._limits.total_seconds, sock_connect=self._limits.connect_seconds
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """Read the body, unpacking it piece by piece, so that a bomb is noticed at its first."""
        unpack = _unpacker(response.headers.get("Content-Encoding", ""))
        pieces: list[bytes] = []
        room = self._limits.answer_bytes
        async for piece in response.content.iter_chunked(_PIECE):
            part = unpack(piece, room + 1)
            room -= len(part)
            if room < 0:
                response.close()
                raise ExchangeError("answer-too-large", f"over {self._limits.answer_bytes} bytes")
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


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise ExchangeError("certificate-not-trusted", "ca_file can't be read") from None
    return context
