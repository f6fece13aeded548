"""A canned Exchange: gives again what the simulator once answered, and keeps nothing per mailbox.

So 100,000 idle mailboxes cost it no memory, and thousands of items hardly any time: what is slow
beside it is the product. Mailboxes whose address begins with `full` have the recorded items, all
others are empty and idle.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.harness import Ask, answer, cpu_seconds, further, given, in_child, server, talking
from benchmarks.recording import Exchanged, mailbox_in, recording, state_in

# A state of Exchange's is some hundred bytes long; the simulator's are shorter.
STATE = b"H4sI" * 125
FULL = "full"

_MESSAGE = re.compile(
    rb"<(?:\w+:)?GetItemResponseMessage[ >].*?</(?:\w+:)?GetItemResponseMessage>", re.DOTALL
)
_SHAPE = re.compile(rb"<(?:\w+:)?ItemShape>.*?</(?:\w+:)?ItemShape>", re.DOTALL)
_ITEM = re.compile(rb'<(?:\w+:)?(?:ItemId|OccurrenceItemId) [^>]*?Id="([^"]+)"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@contextmanager
def canned(items: int = 0) -> Iterator[tuple[str, Ask]]:
    """Serve recorded answers in a process of its own; give its URL and how to ask it.

    `items` is how many each full mailbox has. It can be asked to `watch`, which forgets what was
    before, and then for `counts` (requests, full mailboxes read to the end, its own CPU seconds),
    for what was `seen` (when each idle mailbox was polled, in seconds of 1970), and to wait so many
    seconds for the `first` request.
    """
    words = _recorded(items)
    with talking("benchmarks.canned") as (ask, _):
        yield ask(**words)["url"], ask


def _recorded(items: int) -> dict[str, Any]:
    """Record the first round of a mailbox with so many items, and the idle answer of the product's.

    With no items, those of the one are the other's.
    """
    passed = _first_round(items)
    empty = _first_round(0) if items else passed
    return answers_of(passed, next(each for each in empty if each.asks(b"SyncFolderItems")))


def _first_round(items: int) -> Sequence[Exchanged]:
    with server(1, items) as served, recording(served["url"]) as (url, passed):
        in_child("benchmarks.keepstep_run", {**served, "url": url})
    return passed


def answers_of(passed: Sequence[Exchanged], idle: Exchanged) -> dict[str, Any]:
    """Give what a canned Exchange says, by what was recorded of a first round and an idle poll."""
    folder = next(each for each in passed if each.asks(b"GetFolder"))
    listed = [each for each in passed if each.asks(b"SyncFolderItems")]
    return {
        "idle": _text(_with_state(idle.answer, STATE)),
        "folder": _text(folder.answer),
        "pages": {_text(each.state_sent): _text(each.answer) for each in listed},
        **_fragments([each for each in passed if each.asks(b"GetItem")]),
    }


def _with_state(answered: bytes, state: bytes) -> bytes:
    return answered.replace(b">%b<" % state_in(answered), b">%b<" % state)


def _fragments(read: Sequence[Exchanged]) -> dict[str, Any]:
    """Take answers to GetItem apart, so that they can be put together for whatever is asked."""
    items, ends = [], (b"", b"")
    for each in read:
        shape, ids = _asked(each.body)
        messages = list(_MESSAGE.finditer(each.answer))
        assert len(messages) == len(ids), (len(messages), len(ids))
        ends = (each.answer[: messages[0].start()], each.answer[messages[-1].end() :])
        for item, message in zip(ids, messages, strict=True):
            items.append([_text(shape), _text(item), _text(message[0])])
    return {"items": items, "head": _text(ends[0]), "tail": _text(ends[1])}


def _asked(body: bytes) -> tuple[bytes, list[bytes]]:
    """Give the shape that a GetItem asks for, and the ids."""
    shape = _SHAPE.search(body)
    assert shape is not None
    return shape[0], _ITEM.findall(body, shape.end())


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")


def _octets(text: str) -> bytes:
    return text.encode("latin-1")


class CannedExchange:
    """What is answered, and what was seen."""

    def __init__(self, words: dict[str, Any]) -> None:
        self._idle = _whole(_octets(words["idle"]))
        self._folder = _whole(_octets(words["folder"]))
        self._pages = {_octets(key): _octets(each) for key, each in words["pages"].items()}
        self._last_state = state_in(list(self._pages.values())[-1]) if self._pages else b""
        self._items = {
            (_octets(shape), _octets(item)): _octets(message)
            for shape, item, message in words["items"]
        }
        self._ends = _octets(words["head"]), _octets(words["tail"])
        self.watch()

    def watch(self) -> None:
        """Begin to keep what is seen anew."""
        self.polls: list[tuple[str, float]] = []
        self.requests = 0
        self.read: set[str] = set()
        self.heard_of = threading.Event()

    def answer(self, body: bytes) -> bytes:
        """Give the answer to a request, head and body."""
        self.requests += 1
        self.heard_of.set()
        if b"SyncFolderItems" in body:
            return self._listing(mailbox_in(body), state_in(body))
        return self._read(body) if b"GetItem" in body else self._folder

    def _listing(self, mailbox: str, state: bytes) -> bytes:
        if not mailbox.startswith(FULL):
            self.polls.append((mailbox, time.time()))
            return self._idle
        page = self._pages.get(state)
        if page is None:
            return self._idle
        if state_in(page) == self._last_state:
            self.read.add(mailbox)
        return _whole(page)

    def _read(self, body: bytes) -> bytes:
        shape, ids = _asked(body)
        return _whole(
            b"".join([self._ends[0], *(self._items[shape, i] for i in ids), self._ends[1]])
        )

    def seen(self) -> dict[str, Any]:
        """Give when each idle mailbox was polled since `watch`."""
        found: dict[str, list[float]] = {}
        for mailbox, at in self.polls:
            found.setdefault(mailbox, []).append(at)
        return {"polls": found}


def _whole(body: bytes) -> bytes:
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nX-FEServer: EX01\r\n"
        b"Content-Length: %d\r\n\r\n"
    )
    return head % len(body) + body


class _Connection(asyncio.Protocol):
    def __init__(self, exchange: CannedExchange) -> None:
        self._exchange = exchange
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head = self._heard.find(b"\r\n\r\n")
        length = _LENGTH.search(self._heard, 0, head + 2) if head >= 0 else None
        if length is None:
            return
        end = head + 4 + int(length[1])
        if len(self._heard) >= end:
            body, self._heard = self._heard[head + 4 : end], self._heard[end:]
            self._transport.write(self._exchange.answer(body))


def _serve(exchange: CannedExchange) -> str:
    """Serve in a thread that ends with the process; give the URL."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(lambda: _Connection(exchange), "127.0.0.1", 0)
    )
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/EWS/Exchange.asmx"


def main() -> None:
    """Serve, and obey what is asked, until standard input ends."""
    exchange = CannedExchange(given())
    answer({"url": _serve(exchange)})
    for words in further():
        if "watch" in words:
            exchange.watch()
            answer({})
        elif "first" in words:
            answer({"came": exchange.heard_of.wait(words["first"])})
        elif "counts" in words:
            answer(
                {
                    "requests": exchange.requests,
                    "read": len(exchange.read),
                    "cpu": cpu_seconds(),
                }
            )
        else:
            answer(exchange.seen())


if __name__ == "__main__":
    main()
