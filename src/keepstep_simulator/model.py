"""One mailbox: its calendar, the feed of its changes, and what may happen to an appointment.

Methods are what happens in the mailbox, whoever causes it: a client over EWS, a test, or the
simulator's own life. The clock is passed in.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from random import Random
from typing import Any

from keepstep_simulator import series
from keepstep_simulator.changes import ChangeFeed
from keepstep_simulator.fields import as_instant, as_zone, cleaned, complete, zones_in
from keepstep_simulator.ids import (
    BadId,
    IdMaker,
    decode_state,
    occurrence_id,
    split_occurrence_id,
)
from keepstep_simulator.items import ChangedOccurrence, Item, Occurrence, Person
from keepstep_simulator.news import News
from keepstep_simulator.zones import Zone

Clock = Callable[[], datetime]
_ELSEWHERE = 1_000_000_000


class NoSuchItem(LookupError):
    """No item of that id, or no occurrence that stands at that time."""


class MailboxModel:
    """The calendar of one mailbox.

    ``email`` and ``name`` are its owner's; ``zone`` is where items are made unless told;
    ``status`` is ``ready``, or an EWS error code that every request for it gets.
    """

    def __init__(self, email: str, name: str, zone: str | Zone, *, clock: Clock, seed: int) -> None:
        """Take the owner, the default zone (Windows or IANA name), a clock (UTC) and the seed."""
        self.email = email
        self.name = name
        self.zone = as_zone(zone)
        self.status = "ready"
        self.ids = IdMaker(seed, email)
        self.folder_id = self.ids.folder("calendar")
        self.mark = self.ids.folder_mark("calendar")
        self.feed = ChangeFeed()
        self.news = News(clock)
        self._clock = clock
        self._random = Random(f"{seed}:{email}:uids")
        self._items: dict[str, Item] = {}
        self._made = 0

    # What there is

    def items(self) -> list[Item]:
        """Every item, series whole: the truth for oracles."""
        return list(self._items.values())

    def __len__(self) -> int:
        """How many items there are, a series being one."""
        return len(self._items)

    def __contains__(self, item_id: object) -> bool:
        """Whether an item of that id is in the calendar."""
        return item_id in self._items

    def get(self, item_id: str) -> Item:
        """Give the item with exactly that id (case counts). Raises NoSuchItem."""
        try:
            return self._items[item_id]
        except KeyError:
            raise NoSuchItem(item_id) from None

    def by_uid(self, uid: str) -> Item | None:
        """Give the first item with that iCalendar UID, if any."""
        return next((each for each in self._items.values() if each.uid == uid), None)

    def occurrences(self, start: datetime, end: datetime) -> list[Occurrence]:
        """All happenings that touch the window (aware datetimes), in order of start."""
        found: list[Occurrence] = []
        for item in self._items.values():
            found.extend(series.occurrences(item, start, end))
        return sorted(found, key=lambda each: (each.start, each.end, each.item.id))

    def occurrence(self, item_id: str, original_start: datetime) -> Occurrence:
        """Give the occurrence of a series that stands at that time. Raises NoSuchItem."""
        master = self.get(item_id)
        if original_start in master.deleted_occurrences:
            raise NoSuchItem(item_id)
        if any(each.original_start == original_start for each in master.exceptions):
            return series.as_occurrence(master, original_start, original_start)
        for start, end in self._originals_near(master, original_start):
            if start == original_start:
                return series.as_occurrence(master, start, end)
        raise NoSuchItem(item_id)

    @staticmethod
    def _originals_near(master: Item, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        if master.recurrence is None:
            return
        for start, end in series.originals(master, master.start_zone.wall(at).date()):
            if start > at:
                return
            yield start, end

    def find_occurrence(self, derived_id: str) -> tuple[Item, Occurrence]:
        """Master and occurrence of an occurrence's id. Raises NoSuchItem."""
        parts = split_occurrence_id(derived_id)
        if parts is None:
            raise NoSuchItem(derived_id)
        return self.get(parts[0]), self.occurrence(*parts)

    @staticmethod
    def occurrence_id(item_id: str, original_start: datetime) -> str:
        """Give the id under which an occurrence is fetched by itself."""
        return occurrence_id(item_id, original_start)

    # What may happen

    def create(self, **given: Any) -> str:
        """Make a new appointment; gives its id.

        Fields are those of Item; ``start`` and ``end`` are aware datetimes, or naive ones and
        dates read in the zone; ``time_zone`` names both zones; ``item_id``, ``id_length`` and
        ``uid`` may be fixed. Raises BadFields, BadRecurrence or UnknownZone.
        """
        item_id = given.pop("item_id", None) or self._next_id(given.pop("id_length", None))
        start_zone, end_zone = zones_in(given, self.zone)
        fields = cleaned(given, start_zone, end_zone)
        now = self._now()
        fields.setdefault("uid", self._new_uid())
        fields.setdefault("organizer", Person(self.name, self.email))
        item = Item(
            id=item_id,
            change_key="",
            created=fields.pop("created", now),
            modified=fields.pop("modified", now),
            start_zone=start_zone,
            end_zone=end_zone,
            **fields,
        )
        return self._put(complete(item))

    def update(self, item_id: str, *, keep_exceptions: bool = False, **given: Any) -> None:
        """Change fields of an appointment, or of a series as a whole.

        A new pattern or new times make a series forget its exceptions and deleted occurrences, as
        Exchange does, unless ``keep_exceptions``.
        """
        old = self.get(item_id)
        if "time_zone" not in given:
            given = {"start_zone": old.start_zone, "end_zone": old.end_zone, **given}
        start_zone, end_zone = zones_in(given, self.zone)
        fields = cleaned(given, start_zone, end_zone)
        new = replace(old, start_zone=start_zone, end_zone=end_zone, **fields)
        new = complete(replace(new, modified=self._now()))
        moved = (old.start, old.end, old.recurrence) != (new.start, new.end, new.recurrence)
        if moved and not keep_exceptions:
            new = replace(
                new,
                exceptions=fields.get("exceptions", ()),
                deleted_occurrences=fields.get("deleted_occurrences", ()),
                sequence=old.sequence + 1,
            )
        self._put(new)

    def delete(self, item_id: str) -> None:
        """Delete the appointment for good. Raises NoSuchItem."""
        self._remove(item_id)
        self.news.deleted(item_id)

    def move_out(self, item_id: str) -> None:
        """Move it to the deleted items, as Outlook deletes: to the calendar, it is gone."""
        self._remove(item_id)
        # A number that no item of the calendar gets, so that moving leaves their ids as they are.
        self.news.moved(item_id, self.ids.item(_ELSEWHERE + self.feed.newest), "deleteditems")

    def _remove(self, item_id: str) -> None:
        self.get(item_id)
        del self._items[item_id]
        self.feed.note(item_id, alive=False)

    def move(self, item_id: str) -> str:
        """Move it out and back in: the same appointment gets another id, which is given."""
        item = self.get(item_id)
        self.move_out(item_id)
        return self._put(replace(item, id=self._next_id(), modified=self._now()))

    def cancel(self, item_id: str) -> None:
        """Cancel the meeting: it goes at its organizer, and is marked at an attendee."""
        item = self.get(item_id)
        if item.is_organizer:
            self.delete(item_id)
            return
        subject = item.subject or ""
        if not subject.startswith("Canceled: "):
            subject = f"Canceled: {subject}"
        self.update(item_id, cancelled=True, show_as="free", subject=subject)

    def accept(self, item_id: str, order: str = "delete-first", response: str = "accepted") -> str:
        """Answer an invitation: another item with the same UID takes the place of this one.

        ``order`` says whether the feed tells the delete or the create first. Gives the new id.
        """
        item = self.get(item_id)
        fresh = replace(
            item,
            id=self._next_id(),
            my_response=response,
            show_as="busy" if response == "accepted" else "tentative",
            modified=self._now(),
        )
        if order == "create-first":
            new_id = self._put(fresh)
            self.delete(item_id)
            return new_id
        self.delete(item_id)
        return self._put(fresh)

    def change_occurrence(
        self, item_id: str, original_start: datetime, *, announce: bool = True, **given: Any
    ) -> None:
        """Change one occurrence: it becomes (or stays) an exception of the series.

        With ``announce=False`` the feed keeps silent, and only the master's last-modified time
        moves, as one real server does. Raises NoSuchItem.
        """
        master = self.get(item_id)
        original_start = as_instant(original_start, master.start_zone)
        now = self.occurrence(item_id, original_start)
        fields = cleaned(given, master.start_zone, master.end_zone)
        length = now.end - now.start
        start = fields.pop("start", now.start)
        end = fields.pop("end", start + length)
        known = next((e for e in master.exceptions if e.original_start == original_start), None)
        merged = {**(known.fields if known else {}), **fields, "start": start, "end": end}
        others = [e for e in master.exceptions if e.original_start != original_start]
        changed = [*others, ChangedOccurrence(original_start, merged)]
        changed.sort(key=lambda each: each.original_start)
        master = replace(master, exceptions=tuple(changed), modified=self._now())
        if announce:
            self._put(master)
        else:
            self._items[item_id] = master

    def delete_occurrence(self, item_id: str, original_start: datetime) -> None:
        """Delete one occurrence; of a changed one only its original start is remembered."""
        master = self.get(item_id)
        original_start = as_instant(original_start, master.start_zone)
        self.occurrence(item_id, original_start)
        left = tuple(e for e in master.exceptions if e.original_start != original_start)
        gone = tuple(sorted({*master.deleted_occurrences, original_start}))
        fresh = replace(master, exceptions=left, deleted_occurrences=gone, modified=self._now())
        self._put(fresh)

    def split_series(self, item_id: str, at: datetime, **given: Any) -> str:
        """Change this and the following: the series ends before ``at``, a new one begins there.

        The new one has a UID of its own and the given fields. Gives its id.
        """
        master = self.get(item_id)
        if master.recurrence is None:
            raise NoSuchItem(item_id)
        at = as_instant(at, master.start_zone)
        passed, first = self._split_point(master, at)
        tail = replace(
            master.recurrence,
            start=first,
            count=None
            if master.recurrence.count is None
            else master.recurrence.count - len(passed),
        )
        head = replace(master.recurrence, end=passed[-1], count=None)
        wall_start = master.start_zone.wall(master.start)
        wall_length = master.start_zone.wall(master.end) - wall_start
        start = datetime.combine(first, wall_start.time())
        end = start + wall_length
        self.update(
            item_id,
            keep_exceptions=True,
            recurrence=head,
            exceptions=[e for e in master.exceptions if e.original_start < at],
            deleted_occurrences=[e for e in master.deleted_occurrences if e < at],
        )
        copied = {
            "subject": master.subject,
            "location": master.location,
            "body": master.body,
            "body_type": master.body_type,
            "all_day": master.all_day,
            "attendees": master.attendees,
            "organizer": master.organizer,
            "sensitivity": master.sensitivity,
            "show_as": master.show_as,
            "categories": master.categories,
            "is_organizer": master.is_organizer,
            "my_response": master.my_response,
            "exceptions": [e for e in master.exceptions if e.original_start >= at],
            "deleted_occurrences": [e for e in master.deleted_occurrences if e >= at],
        }
        zones = {"start_zone": master.start_zone, "end_zone": master.end_zone}
        times = {"start": start, "end": master.start_zone.instant(end), "recurrence": tail}
        return self.create(**{**copied, **zones, **times, **given})

    @staticmethod
    def _split_point(master: Item, at: datetime) -> tuple[list[date], date]:
        assert master.recurrence is not None
        passed: list[date] = []
        for (start, _), day in zip(
            series.originals(master), series.dates(master.recurrence), strict=False
        ):
            if start >= at:
                if not passed:
                    break
                return passed, day
            passed.append(day)
        raise NoSuchItem(master.id)

    def knows_state(self, text: str) -> bool:
        """Whether a sync state's text is one of this folder's, and not forgotten."""
        try:
            return self.feed.knows(decode_state(text, self.mark))
        except BadId:
            return False

    def forget_sync_states(self) -> None:
        """Refuse every sync state given so far, from now on."""
        self.feed.forget_states()

    # How it is kept

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def new_id(self, length: int | None = None) -> str:
        """Give an id that nothing has yet, of ``length`` characters if given."""
        return self._next_id(length)

    def _next_id(self, length: int | None = None) -> str:
        self._made += 1
        return self.ids.item(self._made, length)

    def _new_uid(self) -> str:
        head = "040000008200E00074C5B7101A82E008"
        tail = uuid.UUID(int=self._random.getrandbits(128), version=4).hex.upper()
        return f"{head}00000000{tail}"

    def _put(self, item: Item) -> str:
        number = self.feed.note(item.id)
        old = self._items.get(item.id)
        self._items[item.id] = replace(item, change_key=self.ids.change_key(number))
        if old is None:
            self.news.created(item.id)
        else:
            self.news.changed(item.id, busy=_busy_times(old) != _busy_times(item))
        return item.id


def _busy_times(item: Item) -> tuple[object, ...]:
    """Give what decides when the owner is free."""
    pattern = (item.recurrence, item.exceptions, item.deleted_occurrences)
    return (item.start, item.end, item.show_as, item.cancelled, *pattern)
