"""The way to the EWS address of one server: connections, turns, signing in.

Credentials go to the configured server alone: no redirect is followed away from it, no cookie is
kept (a cookie would tie the next mailbox to the server of the last).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import aiohttp

from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.redirects import ask_following
from keepstep.exchange.ews.sign_in import PinnedSignIn, SignIn
from keepstep.exchange.ews.web import Limits, Way, open_session, trust

__all__ = ["HEADERS", "AiohttpTransport", "Limits", "Transport"]

HEADERS = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml"}


class Transport(Protocol):
    """Carries requests to the EWS address of one server."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Send one request and give the whole answer; raises `ExchangeError` if none came."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class _Line:
    """A session and how it is signed in; of a pinned sign-in, exactly one connection."""

    def __init__(self, session: aiohttp.ClientSession, sign_in: SignIn) -> None:
        self.session = session
        self.sign_in = sign_in


class AiohttpTransport:
    """A `Transport` over aiohttp; to be made and used within one event loop.

    `ca_file` and `proxy` are those of `Way`. A sign-in that holds for one connection (NTLM,
    Negotiate) gets a line of its own for each request under way; lines are used again, the last
    used first, so that few handshakes are needed.
    """

    def __init__(
        self,
        url: str,
        sign_in: SignIn | PinnedSignIn,
        *,
        limits: Limits | None = None,
        ca_file: Path | None = None,
        proxy: str | None = None,
    ) -> None:
        self._url = url
        # Told apart once: asking a protocol class costs as much as reading a small answer.
        self._pinned: PinnedSignIn | None = None
        if isinstance(sign_in, PinnedSignIn):
            self._pinned = sign_in
        else:
            self._sign_in = sign_in
        self._way = Way(limits or Limits(), ca_file, proxy or "")
        # Waiting for a turn is not counted against the time limits, as it would be in the pool.
        self._turns = asyncio.Semaphore(self._way.limits.connections)
        self._tls: ssl.SSLContext | None = None
        self._lines: list[_Line] = []
        self._idle: list[_Line] = []

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Send one request, signed in; raises `ExchangeError` where no whole answer came."""
        async with self._turns:
            line = self._taken()
            try:
                return await line.sign_in.send(
                    lambda further: ask_following(
                        line.session,
                        self._way,
                        "POST",
                        self._url,
                        headers={**HEADERS, **headers, **further},
                        body=body,
                    )
                )
            finally:
                if self._pinned is not None:
                    self._idle.append(line)

    async def close(self) -> None:
        """Close all connections."""
        lines, self._lines, self._idle = self._lines, [], []
        for line in lines:
            await line.session.close()

    def _taken(self) -> _Line:
        if self._pinned is None:
            return self._lines[0] if self._lines else self._opened(self._sign_in, 0)
        return self._idle.pop() if self._idle else self._opened(self._pinned.of_connection(), 1)

    def _opened(self, sign_in: SignIn, connections: int) -> _Line:
        if self._tls is None:
            self._tls = trust(self._way.ca_file)
        line = _Line(open_session(self._way, connections=connections, tls=self._tls), sign_in)
        self._lines.append(line)
        return line
