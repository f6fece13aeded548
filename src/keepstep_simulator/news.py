"""What happens in a mailbox as a notification tells it: one entry per event, numbered in order.

Nothing is kept before somebody wants to know: who subscribes gets what happens from then on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

KEPT = 5_000
"""How many events of a mailbox are kept at least; a real server keeps them for 30 days."""

EVENT_KINDS = (
    "CopiedEvent",
    "CreatedEvent",
    "DeletedEvent",
    "ModifiedEvent",
    "MovedEvent",
    "NewMailEvent",
    "FreeBusyChangedEvent",
)
"""The schema's NotificationEventTypeType: what one may subscribe to."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: ``kind`` is of EVENT_KINDS, ``item_id`` is None where it is the folder's.

    ``folder`` is where the item is; ``old_item_id`` and ``old_folder`` are where a moved one was.
    """

    number: int
    at: datetime
    kind: str
    item_id: str | None
    folder: str = "calendar"
    old_item_id: str | None = None
    old_folder: str | None = None

    def touches(self, folders: frozenset[str] | None) -> bool:
        """Whether it is in one of the folders (None: all)."""
        return folders is None or self.folder in folders or self.old_folder in folders


class News:
    """The events of one mailbox.

    ``newest`` is the number of the last one; ``generation`` rises when watermarks are forgotten;
    ``tell`` is called after each change, in whatever thread made it.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Take the clock (aware, UTC) that dates the events."""
        self.newest = 0
        self.generation = 0
        self.tell: Callable[[], None] = lambda: None
        self._clock = clock
        self._events: list[Event] = []
        self._wanted = False

    def want(self) -> int:
        """Keep events from now on; gives the number of the newest."""
        self._wanted = True
        return self.newest

    def forget_watermarks(self) -> None:
        """Know no watermark any more that was given until now, as after a restored database."""
        self.generation += 1

    def created(self, item_id: str) -> None:
        """Note that an item came into the calendar."""
        self._note(("CreatedEvent", item_id), ("FreeBusyChangedEvent", item_id))

    def changed(self, item_id: str, *, busy: bool) -> None:
        """Note that an item changed; ``busy``: when its owner is free changed with it."""
        more = (("FreeBusyChangedEvent", item_id),) if busy else ()
        self._note(("ModifiedEvent", item_id), *more)

    def deleted(self, item_id: str) -> None:
        """Note that an item is gone for good."""
        self._note(("DeletedEvent", item_id))

    def moved(self, item_id: str, new_id: str, folder: str) -> None:
        """Note that an item left for another folder, where it has another id."""
        self._note(("MovedEvent", new_id, folder, item_id, "calendar"))

    def _note(self, *told: tuple[str, str] | tuple[str, str, str, str, str]) -> None:
        """Note events of items, and after them that the folder changed (as real servers do)."""
        if not self._wanted:
            self.newest += 1
            return
        now = self._clock().replace(microsecond=0)
        for each in (*told, ("ModifiedEvent", None)):
            self._events.append(Event(self.newest + 1, now, *each))
            self.newest += 1
        if len(self._events) > 2 * KEPT:
            self._events = self._events[-KEPT:]
        self.tell()

    def since(self, number: int) -> list[Event]:
        """Give the events after that number, as far as they are kept."""
        events = self._events
        if not events or number >= events[-1].number:
            return []
        return events[max(0, number + 1 - events[0].number) :]

    def reaches_back_to(self, number: int) -> bool:
        """Whether every event after that number is still there."""
        if number >= self.newest:
            return number == self.newest
        events = self._events
        return bool(events) and events[0].number <= number + 1
