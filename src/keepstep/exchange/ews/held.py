"""An answer that goes on: taken piece by piece as it comes, while the server waits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping

import pycurl

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import Headers, RawAnswer
from keepstep.exchange.ews.network_errors import FOREIGN_ERRORS, failure_of
from keepstep.exchange.ews.transfers import Broken, Handle
from keepstep.exchange.ews.web import Session, last_of

_OK = 200
# So much waits to be taken; then the server waits.
_MOST_WAITING = 1024 * 1024


class Holder:
    """Asks as `ask` does, but leaves the body of an answer with status 200 to come by `pieces`.

    To be used on a session of its own that is not timed; whoever closes it ends the answer.
    """

    def __init__(self) -> None:
        self._session: Session | None = None
        self._handle: Handle | None = None
        self._done: asyncio.Future[None] | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Forget the answer before, if there was one: that of a sign-in's first leg, for one."""
        self._let_go()
        self._heard = b""
        self._begun = asyncio.Event()
        self._more = asyncio.Event()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._is_paused = False

    async def ask(
        self,
        session: Session,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> RawAnswer:
        """Send one request; raises `ExchangeError` where no answer begins within the time limit."""
        self._begin_anew()
        transfers = session.transfers
        self._session, self._handle = session, transfers.taken()
        limits = session.way.limits
        try:
            async with asyncio.timeout(limits.total_seconds):
                unpacked = {"Accept-Encoding": "identity", **headers}
                session.tell(self._handle, method, url, unpacked, body)
                self._handle.curl.setopt(pycurl.HEADERFUNCTION, self._hear)
                self._handle.curl.setopt(pycurl.WRITEFUNCTION, self._take)
                self._done = transfers.begin(self._handle)
                self._done.add_done_callback(lambda _: self._wake())
                await self._begun.wait()
                if self._done.done():
                    self._done.result()
                told = Headers(last_of(self._heard))
                status = self._handle.curl.getinfo(pycurl.RESPONSE_CODE)
                certificate = session.certificate(self._handle)
                whole = b"" if status == _OK else await self._whole(limits.answer_bytes)
        except Broken as error:
            self._let_go()
            raise session.failure(error, self._heard) from error
        except FOREIGN_ERRORS as error:
            self._let_go()
            raise failure_of(error) from error
        if status != _OK:
            self._let_go()
        return RawAnswer(status, told, whole, certificate)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Give what is left of the body as it comes; raises stream-dropped where it is cut off."""
        if self._handle is None:
            return
        packed = Headers(last_of(self._heard)).get("content-encoding", "").strip().lower()
        try:
            if packed not in ("", "identity"):
                raise ExchangeError("answer-unreadable", "packed, though that was not asked for")
            async for piece in self._pieces():
                yield piece
        except FOREIGN_ERRORS as error:
            raise ExchangeError("stream-dropped", str(error)) from error
        finally:
            self._let_go()

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        assert self._done is not None
        assert self._session is not None
        assert self._handle is not None
        while True:
            self._more.clear()
            while self._waiting:
                piece = self._waiting.popleft()
                self._size -= len(piece)
                yield piece
            if self._is_paused:
                self._is_paused = False
                self._session.transfers.go_on(self._handle)
            if not self._waiting:
                if self._done.done():
                    self._done.result()
                    return
                await self._more.wait()

    async def _whole(self, most: int) -> bytes:
        whole = bytearray()
        async for piece in self._pieces():
            whole += piece
            if len(whole) > most:
                raise ExchangeError("answer-too-large", f"over {most} bytes")
        return bytes(whole)

    def _hear(self, line: bytes) -> None:
        self._heard += line
        if line in (b"\r\n", b"\n") and not _only_announces(last_of(self._heard)):
            self._begun.set()

    def _take(self, piece: bytes) -> int | None:
        if self._size > _MOST_WAITING:
            self._is_paused = True
            return int(pycurl.WRITEFUNC_PAUSE)
        self._waiting.append(bytes(piece))
        self._size += len(piece)
        self._more.set()
        return None

    def _wake(self) -> None:
        self._begun.set()
        self._more.set()

    def _let_go(self) -> None:
        if self._handle is not None and self._session is not None:
            self._session.transfers.end(self._handle)
            self._handle = None


def _only_announces(headers: bytes) -> bool:
    """Say whether an answer is one of those before the answer (RFC 9110, 15.2)."""
    return headers.partition(b" ")[2].startswith(b"1")
