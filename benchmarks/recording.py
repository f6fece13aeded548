"""What goes over the wire between the product and its Exchange, byte for byte.

A pass-through in a thread of this process, which is not measured. From what it records the limits
are made: the same requests without the product, the same answers with nothing but a parser.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_STATE = re.compile(rb"<(?:\w+:)?SyncState>([^<]*)</")
_MAILBOX = re.compile(rb"SmtpAddress>([^<]+)<")


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request as it was on the wire, head and body, and the body of its answer, unpacked."""

    request: bytes
    answer: bytes

    @property
    def body(self) -> bytes:
        """Give the body of the request."""
        return self.request.partition(b"\r\n\r\n")[2]

    def asks(self, operation: bytes) -> bool:
        """Say whether the request is of this operation."""
        return re.search(rb"<(?:\w+:)?" + operation + rb"[ >/]", self.body) is not None

    @property
    def state_sent(self) -> bytes:
        """Give the sync state that the request names, b"" where it names none."""
        return state_in(self.body)

    @property
    def mailbox(self) -> str:
        """Give the address of the mailbox that the request is about."""
        return mailbox_in(self.body)


def state_in(body: bytes) -> bytes:
    """Give the sync state in a request or an answer, b"" where there is none."""
    found = _STATE.search(body)
    return found[1] if found else b""


def mailbox_in(body: bytes) -> str:
    """Give the address that a request impersonates, "" where it names none."""
    found = _MAILBOX.search(body)
    return found[1].decode() if found else ""


@contextmanager
def recording(url: str) -> Iterator[tuple[str, Sequence[Exchanged]]]:
    """Pass on what comes to an address of its own to `url`; give that address and what passed."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    passed: list[Exchanged] = []
    loop = asyncio.new_event_loop()
    recorder = _Recorder(parts.hostname, parts.port, passed)
    listening = loop.run_until_complete(asyncio.start_server(recorder.pass_on, "127.0.0.1", 0))
    port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield urlunsplit(parts._replace(netloc=f"127.0.0.1:{port}")), passed
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_ended())
        loop.close()


async def _ended() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Recorder:
    def __init__(self, host: str, port: int, passed: list[Exchanged]) -> None:
        self._to = (host, port)
        self._passed = passed

    async def pass_on(self, asking: asyncio.StreamReader, told: asyncio.StreamWriter) -> None:
        """Carry one connection of the product's, request by request, until it ends."""
        answering, asked = await asyncio.open_connection(*self._to)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    request, _ = await _message(asking)
                    asked.write(request)
                    whole, body = await _message(answering)
                    self._passed.append(Exchanged(request, body))
                    told.write(whole)
                    await told.drain()
        finally:
            asked.close()
            told.close()


async def _message(stream: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read one message of HTTP; give it whole, and its body put together."""
    head = await stream.readuntil(b"\r\n\r\n")
    assert b"\r\ncontent-encoding:" not in head.lower(), "the benchmarks' Exchange packs nothing"
    if _CHUNKED.search(head):
        whole, body = [head], []
        while True:
            line = await stream.readuntil(b"\r\n")
            chunk = await stream.readexactly(int(line, 16) + 2)
            whole += [line, chunk]
            body.append(chunk[:-2])
            if len(chunk) == 2:
                return b"".join(whole), b"".join(body)
    length = _LENGTH.search(head)
    content = await stream.readexactly(int(length[1])) if length else b""
    return head + content, content
