"""What is in Exchange, what ever was, and what the sales calendar shows, as comparable values."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from keepstep.core.appointment import Occurrence as ShownOccurrence
from keepstep.core.decisions import RowState
from keepstep.core.record import shown_occurrences
from keepstep.core.skip import PRIVATE_SUBJECT, PrivateAppointments
from keepstep.store import models
from keepstep.store.rows import unpack
from keepstep_simulator import series
from keepstep_simulator.items import Item, Occurrence
from keepstep_simulator.model import MailboxModel

REACH = timedelta(days=30)
_EDGE = timedelta(days=3)

# A meeting's UID, and for a series the local date on which the occurrence stood at first.
Key = tuple[str, date | None]


class Happening(NamedTuple):
    """One happening as it is compared."""

    start: datetime
    end: datetime
    subject: str
    location: str
    cancelled: bool
    all_day: bool
    show_as: str
    attendees: tuple[str, ...]

    def masked(self) -> Happening:
        """Give it as a private one is shown."""
        return self._replace(subject=PRIVATE_SUBJECT, location="", attendees=())


class Version(NamedTuple):
    """What a happening was from `at` on; None: it was gone."""

    at: datetime
    happening: Happening | None


class Window:
    """The days around the beginning of a story in which happenings are compared."""

    def __init__(self, epoch: datetime) -> None:
        self.start, self.end = epoch - REACH, epoch + REACH

    def holds(self, happening: Happening) -> bool:
        """Whether both sides see it whole, wherever they begin to expand."""
        return self.start + _EDGE < happening.start < self.end - _EDGE


class Truth:
    """The happenings of one mailbox, now and at any time before, masked as the policy says."""

    def __init__(
        self, mailbox: MailboxModel, id_: int, window: Window, private: PrivateAppointments
    ) -> None:
        self.mailbox = mailbox
        self.id = id_
        self.window = window
        self._private = private
        self._items: dict[str, Item] = {}
        self.versions: dict[Key, list[Version]] = {}
        self.born: dict[str, datetime] = {}
        self.touched: set[str] = set()
        self.ever_private: set[str] = set()

    def note(self, at: datetime) -> None:
        """Take down what changed since the last time."""
        now = {item.id: item for item in self.mailbox.items()}
        changed = [item for item in now.values() if self._items.get(item.id) is not item]
        gone = [item for item in self._items.values() if now.get(item.id) is not item]
        self._items = now
        before = {key for item in gone for key in self._of(item)}
        after = {key: each for item in changed for key, each in self._of(item).items()}
        for item in changed:
            if item.uid in self.born:
                self.touched.add(item.uid)
            self.born.setdefault(item.uid, at)
            if item.sensitivity != "normal":
                self.ever_private.add(item.uid)
        for key in sorted(before - after.keys(), key=str):
            self.versions.setdefault(key, []).append(Version(at, None))
        for key, happening in after.items():
            self.versions.setdefault(key, []).append(Version(at, happening))

    def present(self) -> dict[Key, Happening]:
        """Give what is there now."""
        return {
            key: happening
            for key, versions in self.versions.items()
            if (happening := versions[-1].happening) is not None
        }

    def private_now(self) -> set[str]:
        """Give the UIDs whose details are to be shown nowhere."""
        if self._private is PrivateAppointments.FULL:
            return set()
        return {item.uid for item in self._items.values() if item.sensitivity != "normal"}

    def uids_of(self, item_ids: Container[str]) -> set[str]:
        """Give the UIDs of those of the items that are there now."""
        return {item.uid for item in self._items.values() if item.id in item_ids}

    def never_over(self, item: Item, now: datetime) -> bool:
        """Whether it is ahead, and never was anything else."""
        return all(
            version.happening is None or version.happening.end > now
            for key, versions in self.versions.items()
            if key[0] == item.uid
            for version in versions
        )

    def _of(self, item: Item) -> dict[Key, Happening]:
        if item.sensitivity != "normal" and self._private is PrivateAppointments.SKIP:
            return {}
        found = {}
        for each in series.occurrences(item, self.window.start, self.window.end):
            happening = _in_exchange(each)
            if item.sensitivity != "normal" and self._private is PrivateAppointments.BUSY_ONLY:
                happening = happening.masked()
            found[_key(item.uid, each.original_start, item.time_zone)] = happening
        return found


def _in_exchange(each: Occurrence) -> Happening:
    item = each.item
    return Happening(
        each.start,
        each.end,
        item.subject or "",
        item.location or "",
        item.cancelled,
        item.all_day,
        item.show_as,
        tuple(attendee.email for attendee in item.attendees),
    )


def _key(uid: str, original_start: datetime | None, zone: str | None) -> Key:
    if original_start is None:
        return uid, None
    return uid, original_start.astimezone(ZoneInfo(zone or "UTC")).date()


def shown(mailbox_id: int, window: Window) -> list[tuple[Key, Happening]]:
    """Give what the store shows of a mailbox, each happening as often as it is shown."""
    found = []
    rows = models.Appointment.objects.filter(mailbox_id=mailbox_id).exclude(state=RowState.REMOVED)
    for row in rows.order_by("id"):
        appointment, parts = unpack(row)
        for each in shown_occurrences(appointment, parts, window.start, window.end):
            key = _key(appointment.uid, each.recurrence_id, appointment.zone.name)
            found.append((key, _in_sales_calendar(each)))
    return found


def _in_sales_calendar(each: ShownOccurrence) -> Happening:
    details = each.details
    return Happening(
        each.start.astimezone(UTC),
        each.end.astimezone(UTC),
        details.subject,
        details.location,
        details.cancelled,
        each.all_day,
        details.show_as.value,
        tuple(attendee.email for attendee in details.attendees),
    )
