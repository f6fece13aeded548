"""Requests and answers as plain values, apart from any server or socket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

XML = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; header names are in lower case. ``remote`` is the client's address.

    ``user`` is who signed in the connection it came on; ``secure`` is whether that has TLS.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    remote: str = "127.0.0.1"
    user: str | None = None
    secure: bool = False


class Flow(Protocol):
    """An answer that goes on: what there is to send, and when to ask again.

    ``wake`` is set by who sends, and called (from any thread) when there may be something to
    ``take``; ``over`` says that the answer is complete, ``dropped`` that the connection breaks off.
    """

    wake: Callable[[], None]
    over: bool
    dropped: bool

    def take(self, now: float) -> list[bytes]:
        """Give what is to be sent at that tick."""

    def next_at(self) -> float:
        """Give the tick at which to ask again at the latest."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer reaches the client, if not plainly.

    ``wait`` seconds pass before the first byte; ``drop`` closes the connection in its place;
    ``drip`` sends one byte at a time with that many seconds between; ``repeat`` sends ``filler``
    that many times after the body; ``cut`` ends the connection after so many bytes;
    ``endless_head`` sends the filler among the headers, which never end; ``stream`` is an answer
    that goes on after the body.
    """

    wait: float = 0.0
    drop: bool = False
    drip: float | None = None
    repeat: int = 0
    filler: bytes = b""
    cut: int | None = None
    endless_head: bool = False
    stream: Flow | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, and how it is delivered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delivery: Delivery = Delivery()


def xml_answer(status: int, body: bytes) -> Answer:
    """Give an answer of SOAP."""
    return Answer(status, {"Content-Type": XML}, body)
