"""Notifications on their way, some of which go astray: lost, late, doubled or out of order."""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Any, Generic, Protocol, TypeVar

ASTRAY = (
    "notification-lost",
    "notification-delayed",
    "notification-doubled",
    "notification-reordered",
)
BARE = "notification-without-watermarks"
REFUSED = "listener-refused"
FORGOTTEN = "subscription-forgotten"
DROPPED = "stream-dropped"
SILENT = "stream-silent"
MISHAPS = (*ASTRAY, BARE, REFUSED, FORGOTTEN, DROPPED, SILENT)
"""Kinds of faults that strike what the server tells unasked, never the answer to a request.

``notification-lost``: it never arrives, and the server does not know. ``-delayed``: ``seconds``
(5) late. ``-doubled``: it arrives ``times`` (2) times over. ``-reordered``: after the next one of
its subscription, or after ``seconds`` (5). ``-without-watermarks``: as some servers push.
``listener-refused``: the server cannot reach the listener. ``subscription-forgotten``: in place
of telling, the server loses the subscription; who asks for it gets ``code``
(ErrorSubscriptionNotFound), and ErrorInvalidSubscription is told on its stream.
``stream-dropped``: the connection ends within an envelope, after ``share`` (a half) of its bytes.
``stream-silent``: it stays open and says nothing more. The last two are of the connection, and
their mailbox the one at whose expense it is: the impersonated one that asked for it.
"""

GONE = "ErrorSubscriptionNotFound"

Message = TypeVar("Message")


class Mishap(Protocol):
    """A fault that strikes: what kind, and its parameters."""

    @property
    def kind(self) -> str:
        """Give one of MISHAPS."""

    @property
    def params(self) -> Mapping[str, Any]:
        """Give its parameters."""


Pick = Callable[[tuple[str, ...], str, str, str], Mishap | None]
"""From kinds, operation (SendNotification or GetStreamingEvents), mailbox and what is told
(``change`` or ``status``) to the fault that strikes, used up by it; None if all goes well."""


def forgotten_as(mishap: Mishap) -> str:
    """Give the error code for who asks for a subscription that this fault made forgotten."""
    return str(mishap.params.get("code", GONE))


class Transit(Generic[Message]):
    """What is under way, by the line (subscription) that it belongs to."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._late: list[tuple[float, int, Message]] = []
        self._held: dict[str, list[tuple[float, int, Message]]] = {}
        self._serial = count()

    def send(self, line: str, message: Message, mishap: Mishap | None, now: float) -> list[Message]:
        """Take a message; give what arrives at once, in order."""
        params = {} if mishap is None else mishap.params
        kind = "" if mishap is None else mishap.kind
        after = now + float(params.get("seconds", 5.0))
        if kind == "notification-lost":
            return []
        if kind == "notification-delayed":
            heappush(self._late, (after, next(self._serial), message))
            return []
        if kind == "notification-reordered":
            self._held.setdefault(line, []).append((after, next(self._serial), message))
            return []
        copies = int(params.get("times", 2)) if kind == "notification-doubled" else 1
        held = [each for _, _, each in self._held.pop(line, ())]
        return [message] * copies + held

    def late(self, now: float) -> list[Message]:
        """Give what was late or held and arrives now."""
        for line in [each for each, held in self._held.items() if held[0][0] <= now]:
            for entry in self._held.pop(line):
                heappush(self._late, entry)
        found = []
        while self._late and self._late[0][0] <= now:
            found.append(heappop(self._late)[2])
        return found

    def next_at(self) -> float:
        """When something late arrives next; infinity if nothing is late."""
        held = [entries[0][0] for entries in self._held.values()]
        return min([*held, self._late[0][0] if self._late else inf])
