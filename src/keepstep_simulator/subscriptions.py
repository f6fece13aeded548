"""Who wants to know of what: the subscriptions of a server, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from keepstep_simulator.ews.envelope import EwsError
from keepstep_simulator.ids import subscription_id
from keepstep_simulator.limits import Limits, Pace
from keepstep_simulator.model import MailboxModel
from keepstep_simulator.news import Event

if TYPE_CHECKING:
    from keepstep_simulator.streams import Stream

PUSH = "push"
STREAMING = "streaming"
_REMEMBERED = 100_000


@dataclass(slots=True, eq=False)
class Subscription:
    """One of them.

    ``owner`` is who subscribed (not whom it impersonated); ``server`` the back end that keeps it;
    ``folders`` (None: all) and ``kinds`` are what it is about; ``position`` the number of the last
    event told. ``url`` and ``frequency`` (minutes) are a push subscription's; ``stream`` is the
    connection that serves a streaming one, and ``attended`` when one last did.
    """

    id: str
    way: str
    mailbox: MailboxModel
    owner: str
    server: str
    folders: frozenset[str] | None
    kinds: frozenset[str]
    position: int
    url: str = ""
    frequency: int = 0
    attended: float = 0.0
    stream: Stream | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The mailbox's address in lower case."""
        return self.mailbox.email.lower()

    def fresh(self, most: int) -> tuple[list[Event], int, bool]:
        """Give up to ``most`` events to tell, the position after them, and whether more wait."""
        events = self.mailbox.news.since(self.position)
        wanted = [each for each in events if each.kind in self.kinds and each.touches(self.folders)]
        if len(wanted) > most:
            return wanted[:most], wanted[most - 1].number, True
        return wanted, events[-1].number if events else self.position, False


class Subscriptions:
    """All of them, by id and by mailbox.

    ``over`` is called with each that ends, and why: an EWS error code.
    """

    def __init__(self, seed: int) -> None:
        """Take the seed that ids are drawn from."""
        self.over: Callable[[Subscription, str], None] = lambda *_: None
        self._random = Random(f"{seed}:subscriptions")
        self._by_id: dict[str, Subscription] = {}
        self._by_mailbox: dict[str, dict[str, Subscription]] = {}
        self._ended: dict[str, str] = {}

    def __iter__(self) -> Iterator[Subscription]:
        """Give those that live."""
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        """How many live."""
        return len(self._by_id)

    def new_id(self, server: str) -> str:
        """Give an id for one that this back end shall keep."""
        return subscription_id(server, self._random.randbytes(16))

    def add(self, subscription: Subscription, limits: Limits, pace: Pace, now: float) -> None:
        """Take one on. Raises EwsError (ErrorExceededSubscriptionCount)."""
        self._expire(subscription.address, pace, now)
        mine = self._by_mailbox.setdefault(subscription.address, {})
        if len(mine) >= limits.subscriptions:
            raise EwsError("ErrorExceededSubscriptionCount", PolicyLimit=limits.subscriptions)
        mine[subscription.id] = subscription
        self._by_id[subscription.id] = subscription

    def of(self, address: str) -> tuple[Subscription, ...]:
        """Give those of a mailbox (address in lower case)."""
        return tuple(self._by_mailbox.get(address, {}).values())

    def wanted(self, address: str) -> bool:
        """Whether anybody subscribed to a mailbox."""
        return bool(self._by_mailbox.get(address))

    def find(self, wanted: str, owner: str, server: str, pace: Pace, now: float) -> Subscription:
        """Give the one of that id, for its owner, at the back end that keeps it.

        Raises EwsError: ErrorSubscriptionNotFound (unknown, ended, or at another back end),
        ErrorExpiredSubscription, ErrorInvalidSubscription (spoilt by the server),
        ErrorSubscriptionAccessDenied.
        """
        subscription = self._by_id.get(wanted)
        if subscription is not None:
            self._expire(subscription.address, pace, now)
            subscription = self._by_id.get(wanted)
        if subscription is None or subscription.server != server:
            raise EwsError(self._ended.get(wanted, "ErrorSubscriptionNotFound"))
        if subscription.owner != owner:
            raise EwsError("ErrorSubscriptionAccessDenied")
        return subscription

    def end(self, subscription: Subscription, why: str = "ErrorSubscriptionNotFound") -> None:
        """Let one end; whoever asks for it then gets the code ``why``."""
        if self._by_id.pop(subscription.id, None) is None:
            return
        self._by_mailbox[subscription.address].pop(subscription.id, None)
        if len(self._ended) > _REMEMBERED:
            self._ended.clear()
        self._ended[subscription.id] = why
        self.over(subscription, why)

    def _expire(self, address: str, pace: Pace, now: float) -> None:
        """Let streaming ones end that no connection asked for in a long time."""
        for each in self.of(address):
            unattended = each.way == STREAMING and each.stream is None
            if unattended and now - each.attended > pace.unattended:
                self.end(each, "ErrorExpiredSubscription")
