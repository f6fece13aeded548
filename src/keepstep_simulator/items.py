"""What a calendar of the simulator holds, as frozen values.

The truth that tests compare with. All instants are aware datetimes in UTC; wall times live in
the zones. Enumerations use plain lower-case words here; the wire's words are in ``ews``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from keepstep_simulator.zones import Zone

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_GROUPS: Mapping[str, frozenset[int]] = {
    "Day": frozenset(range(7)),
    "Weekday": frozenset(range(5)),
    "WeekendDay": frozenset((5, 6)),
}
INDEXES = ("First", "Second", "Third", "Fourth", "Last")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
KINDS = (
    "daily",
    "weekly",
    "absolute_monthly",
    "relative_monthly",
    "absolute_yearly",
    "relative_yearly",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name and an address; ``routing`` is ``SMTP`` or ``EX``."""

    name: str
    email: str
    routing: str = "SMTP"


@dataclass(frozen=True, slots=True)
class Attendee:
    """One invited person, list or room.

    ``role`` is ``required``, ``optional`` or ``resource``; ``response`` is ``none``,
    ``organizer``, ``tentative``, ``accepted`` or ``declined``; ``kind`` is the wire's
    MailboxType (``Mailbox``, ``PublicDL``, ``OneOff``...).
    """

    name: str
    email: str
    role: str = "required"
    response: str = "none"
    responded: datetime | None = None
    routing: str = "SMTP"
    kind: str = "Mailbox"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A pattern and a range, as EWS expresses them.

    ``days`` are English weekday names, or one of ``Day``, ``Weekday``, ``WeekendDay`` in the
    relative patterns; ``index`` is ``First`` to ``Last``; ``month`` is 1 to 12. A range without
    ``end`` and without ``count`` has no end. ``start`` and ``end`` are local dates, both included.
    """

    kind: str
    start: date
    interval: int = 1
    days: tuple[str, ...] = ()
    index: str = "First"
    day_of_month: int = 1
    month: int = 1
    first_day_of_week: str | None = None
    end: date | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class ChangedOccurrence:
    """An exception: the instant at which the occurrence stood, and what differs from the master.

    ``fields`` are names of :class:`Item` with their values; ``start`` and ``end`` are always there.
    """

    original_start: datetime
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a calendar: a single appointment, or a series with its exceptions."""

    id: str
    change_key: str
    uid: str
    created: datetime
    modified: datetime
    start: datetime
    end: datetime
    start_zone: Zone
    end_zone: Zone
    subject: str | None = None
    location: str | None = None
    body: str | None = None
    body_type: str = "HTML"
    all_day: bool = False
    organizer: Person | None = None
    attendees: tuple[Attendee, ...] = ()
    sensitivity: str = "normal"
    show_as: str = "busy"
    categories: tuple[str, ...] = ()
    cancelled: bool = False
    recurrence: Recurrence | None = None
    exceptions: tuple[ChangedOccurrence, ...] = ()
    deleted_occurrences: tuple[datetime, ...] = ()
    is_organizer: bool = True
    my_response: str = "organizer"
    join_url: str | None = None
    reminder_minutes: int | None = 15
    importance: str = "normal"
    sequence: int = 0
    response_requested: bool = True

    @property
    def is_series(self) -> bool:
        """Whether this is the master of a series."""
        return self.recurrence is not None

    @property
    def is_meeting(self) -> bool:
        """Whether others are invited, or it came as an invitation."""
        return bool(self.attendees) or not self.is_organizer

    @property
    def time_zone(self) -> str | None:
        """The IANA name of the start's zone; None for a custom zone."""
        return self.start_zone.iana


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One happening: of a series, or a single appointment (then ``original_start`` is None).

    ``item`` is the item as it is for this happening, with its own start, end and texts;
    ``index`` counts the originals of a series from 1, deleted ones included.
    """

    item: Item
    original_start: datetime | None = None
    index: int | None = None
    is_exception: bool = field(default=False)

    @property
    def start(self) -> datetime:
        """When it begins, UTC."""
        return self.item.start

    @property
    def end(self) -> datetime:
        """When it ends, UTC."""
        return self.item.end
