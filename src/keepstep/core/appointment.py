"""An appointment, as Keepstep knows it: free of any wire format and of the database.

All instants are aware datetimes in UTC. A series keeps its wall clock: its pattern counts in
the local time of its zone, see `recurrence`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum


class Sensitivity(StrEnum):
    """How openly the owner means an appointment to be seen."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class ShowAs(StrEnum):
    """How the time is shown to those who look for a free slot."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "out_of_office"
    WORKING_ELSEWHERE = "working_elsewhere"
    NO_DATA = "no_data"


class Role(StrEnum):
    """In what part an attendee is invited."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    RESOURCE = "resource"


class Response(StrEnum):
    """What an attendee, or the mailbox itself, answered to an invitation."""

    NONE = "none"
    ORGANIZER = "organizer"
    TENTATIVE = "tentative"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class Weekday(IntEnum):
    """A day of the week; Monday is 0, as `date.weekday` counts."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Address:
    """A person or room: display name and e-mail address (either may be empty)."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody invited, in which part, and what they answered."""

    name: str
    email: str
    role: Role = Role.REQUIRED
    response: Response = Response.NONE


@dataclass(frozen=True, slots=True)
class Details:
    """What an appointment, or one changed occurrence of a series, says of itself.

    `body` is plain text. `response` is the mailbox's own answer to the invitation.
    """

    subject: str = ""
    location: str = ""
    body: str = ""
    organizer: Address | None = None
    attendees: tuple[Attendee, ...] = ()
    sensitivity: Sensitivity = Sensitivity.NORMAL
    show_as: ShowAs = ShowAs.BUSY
    cancelled: bool = False
    categories: tuple[str, ...] = ()
    join_url: str = ""
    response: Response = Response.NONE


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """When, each year, a UTC offset begins to hold.

    `month` 1-12; `position` 1-4 or -1 (the last) of `weekday` in that month, or 0 for the fixed
    `day` of the month; `at` is the wall time, before the change, at which it happens; `offset`
    is the UTC offset from then on.
    """

    month: int
    position: int
    weekday: Weekday
    day: int
    at: time
    offset: timedelta


@dataclass(frozen=True, slots=True)
class ZoneEra:
    """The rules from the local instant `begins` on (None: from the beginning of time).

    Without `changes` the `offset` holds all the year round.
    """

    begins: datetime | None
    offset: timedelta
    changes: tuple[ZoneChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone.

    `name` is an IANA name. For a zone that only the wire describes, `eras` hold its rules, in
    order of time, and `name` is the nearest IANA name, for display alone. `wire_name` is what
    the server called it.
    """

    name: str
    eras: tuple[ZoneEra, ...] = ()
    wire_name: str = ""


UTC_ZONE = Zone("UTC")


@dataclass(frozen=True, slots=True)
class Daily:
    """Every `interval` days."""

    interval: int = 1


@dataclass(frozen=True, slots=True)
class Weekly:
    """On `weekdays` of every `interval`th week; weeks begin on `first_weekday`."""

    interval: int
    weekdays: frozenset[Weekday]
    first_weekday: Weekday = Weekday.SUNDAY


@dataclass(frozen=True, slots=True)
class AbsoluteMonthly:
    """On `day` (1-31) of every `interval`th month; a month without it: on its last day."""

    interval: int
    day: int


@dataclass(frozen=True, slots=True)
class RelativeMonthly:
    """On the `position`th (1-4, or -1: last) of all days that are one of `weekdays`."""

    interval: int
    weekdays: frozenset[Weekday]
    position: int


@dataclass(frozen=True, slots=True)
class AbsoluteYearly:
    """On `day` of `month`, every `interval` years; a month without the day: on its last."""

    month: int
    day: int
    interval: int = 1


@dataclass(frozen=True, slots=True)
class RelativeYearly:
    """On the `position`th (1-4, or -1: last) day of `month` that is one of `weekdays`."""

    month: int
    weekdays: frozenset[Weekday]
    position: int
    interval: int = 1


Pattern = Daily | Weekly | AbsoluteMonthly | RelativeMonthly | AbsoluteYearly | RelativeYearly


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A pattern and its range: from `first_date`, to `last_date` or for `count` occurrences.

    Dates are local to the zone of the series. Neither end given: the series never ends.
    `count` counts occurrences of the pattern, deleted and changed ones included.
    """

    pattern: Pattern
    first_date: date
    last_date: date | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class ChangedOccurrence:
    """An exception of a series: the occurrence that would start at `original_start` (UTC).

    `details` is None where the server gave no more than the times.
    """

    original_start: datetime
    start: datetime
    end: datetime
    item_id: str
    all_day: bool = False
    details: Details | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """One entry of a calendar: a single appointment, or a whole series with its exceptions.

    `start` and `end` are those of the single appointment or of the series' first occurrence, as
    instants (an all-day one: midnight to midnight in `zone`). `item_id` is case-sensitive and
    changes when the item moves; `uid` is the iCalendar UID. `deleted` are the original starts
    of the deleted occurrences. `last_modified` is the server's own note of the last change.
    `warnings` say aloud where the wire left a doubt (stable codes).
    `masked` says that the details were withheld by the rule on private appointments.
    """

    item_id: str
    change_key: str
    uid: str
    start: datetime
    end: datetime
    zone: Zone = UTC_ZONE
    end_zone: Zone | None = None
    all_day: bool = False
    details: Details = field(default_factory=Details)
    recurrence: Recurrence | None = None
    changed: tuple[ChangedOccurrence, ...] = ()
    deleted: tuple[datetime, ...] = ()
    last_modified: datetime | None = None
    warnings: tuple[str, ...] = ()
    masked: bool = False


# The warning of a series whose changed occurrence could not be read by its own id: it is known by
# its times alone, and shown with the details of the series.
OCCURRENCE_UNREAD = "occurrence-unread"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One happening, ready to be shown.

    `recurrence_id` is the original start (UTC) of an occurrence of a series, None for a single
    appointment. `first_day` and `last_day` (exclusive) are set for an all-day one: dates in the
    zone it was made in.
    """

    appointment: Appointment
    start: datetime
    end: datetime
    details: Details
    all_day: bool
    recurrence_id: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None
    is_exception: bool = False

    @property
    def is_cancelled(self) -> bool:
        """Say whether it is cancelled, by itself or with its whole series."""
        return self.details.cancelled or self.appointment.details.cancelled
