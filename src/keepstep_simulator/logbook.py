"""What the simulator was asked: one entry per request, the oldest dropped beyond a bound."""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request as it was understood.

    ``operation`` is empty where none could be read; ``mailbox`` is the impersonated address as
    given; ``anchor`` the X-AnchorMailbox; ``code`` the first EWS error code of the answer;
    ``fault`` the kind of an injected fault; ``agent`` the User-Agent. ``details`` may hold
    ``max_changes``, ``sync_state`` (whether one was given) and ``item_ids``.
    """

    at: datetime
    operation: str
    status: int
    mailbox: str | None = None
    user: str | None = None
    anchor: str | None = None
    version: str | None = None
    code: str | None = None
    fault: str | None = None
    agent: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def max_changes(self) -> int | None:
        """MaxChangesReturned of a SyncFolderItems."""
        value: int | None = self.details.get("max_changes")
        return value

    @property
    def sync_state(self) -> bool:
        """Whether a SyncFolderItems gave a sync state."""
        return bool(self.details.get("sync_state"))

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ids that were asked for or deleted."""
        value: tuple[str, ...] = self.details.get("item_ids", ())
        return value


class Logbook:
    """The entries, oldest first; ``counts`` is how many there were of each operation.

    ``at_once`` is how many requests are under way, ``most_at_once`` how many were at the worst.
    """

    def __init__(self, limit: int) -> None:
        """Keep at most ``limit`` entries."""
        self.counts: Counter[str] = Counter()
        self._entries: deque[LogEntry] = deque(maxlen=limit)
        self.at_once = 0
        self.most_at_once = 0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count a request as under way while the block runs."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            self.at_once -= 1

    def add(self, entry: LogEntry) -> None:
        """Note one request."""
        self.counts[entry.operation] += 1
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all."""
        self.counts.clear()
        self._entries.clear()

    def __len__(self) -> int:
        """How many entries are kept."""
        return len(self._entries)

    def __iter__(self) -> Iterator[LogEntry]:
        """Give the entries, oldest first."""
        return iter(tuple(self._entries))

    def __getitem__(self, place: int) -> LogEntry:
        """Give the entry at a place; -1 is the newest."""
        return self._entries[place]

    def select(self, operation: str | None = None, mailbox: str | None = None) -> list[LogEntry]:
        """Give the entries of an operation, a mailbox, or both."""
        return [
            each
            for each in self._entries
            if (operation is None or each.operation == operation)
            and (mailbox is None or (each.mailbox or "").lower() == mailbox.lower())
        ]
