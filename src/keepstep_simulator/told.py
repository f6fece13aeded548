"""What the server told unasked, for tests to look at: one entry per notification."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from keepstep_simulator.subscriptions import Subscription
from keepstep_simulator.transit import Mishap


@dataclass(frozen=True, slots=True)
class Told:
    """One notification as it was sent, or as it would have been but for a fault.

    ``way`` is push or streaming; ``events`` are the kinds told, StatusEvent alone for a sign of
    life; ``fault`` is the kind of the fault that struck it.
    """

    at: datetime
    way: str
    mailbox: str
    subscription_id: str
    events: tuple[str, ...]
    fault: str | None


class ToldLog:
    """The entries, oldest first, the oldest dropped beyond a bound."""

    def __init__(self, clock: Callable[[], datetime], limit: int) -> None:
        """Take the clock (aware, UTC), and how many entries to keep."""
        self._clock = clock
        self._entries: deque[Told] = deque(maxlen=limit)

    def add(self, subscription: Subscription, events: Sequence[str], mishap: Mishap | None) -> None:
        """Note one notification."""
        fault = None if mishap is None else mishap.kind
        address = subscription.mailbox.email
        self._entries.append(
            Told(self._clock(), subscription.way, address, subscription.id, tuple(events), fault)
        )

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()

    def __iter__(self) -> Iterator[Told]:
        """Give the entries, oldest first."""
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        """How many entries are kept."""
        return len(self._entries)
