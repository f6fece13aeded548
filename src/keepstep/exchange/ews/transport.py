"""The way to the EWS address of one server: connections, turns, signing in.

Credentials go to the configured server alone: no redirect is followed away from it, no cookie is
kept (a cookie would tie the next mailbox to the server of the last; `affinity` has the exception).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keepstep import spans
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.held import Holder
from keepstep.exchange.ews.redirects import ask_following
from keepstep.exchange.ews.sign_in import PinnedSignIn, SignIn
from keepstep.exchange.ews.traced import tell_answered, tell_asked
from keepstep.exchange.ews.web import About, Limits, Session, Way
from keepstep.spans import Kind

__all__ = ["HEADERS", "HeldAnswer", "HttpTransport", "Limits", "Transport"]

HEADERS = {"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml"}


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """An answer that goes on: of status 200 its body comes by `pieces`, of others it is whole.

    `pieces` raises `ExchangeError` stream-dropped where the answer is cut off.
    """

    answer: RawAnswer
    pieces: AsyncGenerator[bytes, None]


class Transport(Protocol):
    """Carries requests to the EWS address of one server."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Send one request and give the whole answer; raises `ExchangeError` if none came."""
        ...

    def hold(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[HeldAnswer]:
        """Send one request whose answer goes on, on a connection of its own.

        Entering raises `ExchangeError` if no answer began; leaving ends the connection.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class _Line:
    """A session and how it is signed in; of a pinned sign-in, exactly one connection."""

    def __init__(self, session: Session, sign_in: SignIn) -> None:
        self.session = session
        self.sign_in = sign_in


class HttpTransport:
    """A `Transport` over HTTP; to be made and used within one event loop.

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
        self._signed: Mapping[str, str] | None = None
        self._headers: Mapping[str, str] = HEADERS
        self._lines: list[_Line] = []
        self._idle: list[_Line] = []

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        """Send one request, signed in; raises `ExchangeError` where no whole answer came."""
        async with self._turns:
            line = self._taken()
            try:
                with spans.span("POST", Kind.CLIENT) as span:
                    if span.recorded:
                        tell_asked(span, self._url, body)
                    answer = await line.sign_in.send(
                        lambda further: ask_following(
                            line.session,
                            "POST",
                            self._url,
                            headers=About(self._common(further), headers),
                            body=body,
                        )
                    )
                    if span.recorded:
                        tell_answered(span, answer)
                    return answer
            finally:
                if self._pinned is not None:
                    self._idle.append(line)

    @asynccontextmanager
    async def hold(self, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[HeldAnswer]:
        """Send one request, signed in, whose answer goes on. It takes none of the turns."""
        pinned = self._pinned
        sign_in = self._sign_in if pinned is None else pinned.of_connection()
        holder = Holder()
        async with (
            Session(self._way, connections=1, is_timed=False) as session,
            aclosing(holder.pieces()) as pieces,
        ):
            with spans.span("POST", Kind.CLIENT) as span:
                if span.recorded:
                    tell_asked(span, self._url, body)
                answer = await sign_in.send(
                    lambda further: ask_following(
                        session,
                        "POST",
                        self._url,
                        headers={**HEADERS, **headers, **further},
                        body=body,
                        ask=holder.ask,
                    )
                )
                if span.recorded:
                    tell_answered(span, answer)
            yield HeldAnswer(answer, pieces)

    def _common(self, further: Mapping[str, str]) -> Mapping[str, str]:
        """Give what all requests have that are signed in by these headers."""
        if further is not self._signed:
            self._signed, self._headers = further, {**HEADERS, **further}
        return self._headers

    async def close(self) -> None:
        """Close all connections but those that are held."""
        lines, self._lines, self._idle = self._lines, [], []
        for line in lines:
            await line.session.close()

    def _taken(self) -> _Line:
        if self._pinned is None:
            return self._lines[0] if self._lines else self._opened(self._sign_in, 0)
        return self._idle.pop() if self._idle else self._opened(self._pinned.of_connection(), 1)

    def _opened(self, sign_in: SignIn, connections: int) -> _Line:
        line = _Line(Session(self._way, connections=connections), sign_in)
        self._lines.append(line)
        return line
