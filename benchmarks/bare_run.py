"""A child: the limit of an idle poll. The product's own requests by bare sockets, no product."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness import answer, cpu_seconds, further, given

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def main() -> None:
    """Send the requests that were recorded, as often as asked; give the CPU of it."""
    asked = given()
    requests = [each.encode("latin-1") for each in asked["requests"]]
    answer({})
    for more in further():
        answer(asyncio.run(_measure(asked, requests, more["rounds"])))


async def _measure(asked: dict[str, Any], requests: list[bytes], rounds: int) -> dict[str, Any]:
    address = urlsplit(asked["url"])
    loop = asyncio.get_running_loop()
    begun = cpu_seconds()
    waiting = chain.from_iterable(repeat(requests, rounds))
    clients = [_Client(waiting) for _ in range(asked["connections"])]
    for client in clients:
        await loop.create_connection(lambda each=client: each, address.hostname, address.port)  # type: ignore[misc]
    await asyncio.gather(*(client.done for client in clients))
    spent = cpu_seconds() - begun
    polls = sum(client.answers for client in clients)
    assert polls == rounds * len(requests), polls
    return {"cpu": spent, "polls": polls}


class _Client(asyncio.Protocol):
    """One connection that is kept: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, waiting: Iterator[bytes]) -> None:
        self._waiting = waiting
        self._heard = b""
        self.answers = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        heard = self._heard + data if self._heard else data
        head = heard.find(b"\r\n\r\n")
        length = _LENGTH.search(heard, 0, head) if head >= 0 else None
        if length is None or len(heard) < head + 4 + int(length[1]):
            self._heard = heard
            return
        if not heard.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(AssertionError(heard[:100]))
            return
        self._heard = b""
        self.answers += 1
        self._next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server ended a connection"))

    def _next(self) -> None:
        request = next(self._waiting, None)
        if request is not None:
            self._transport.write(request)
            return
        self.done.set_result(None)
        self._transport.close()


if __name__ == "__main__":
    main()
