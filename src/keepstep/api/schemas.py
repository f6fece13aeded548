"""What the API takes and gives: the shapes of its JSON. Instants are RFC 3339 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

Email = Annotated[str, Field(examples=["anna@example.com"])]
Next = Annotated[
    str | None, Field(description="The cursor of the next portion; null: this was the last.")
]
Answer = Literal["none", "organizer", "tentative", "accepted", "declined"]


class Body(Schema):
    """What is sent to us: a name that is not known is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


class KnownProblem(Schema):
    """A failure of the catalogue."""

    code: str
    message: str
    cause: str
    remedy: str
    passes_by_itself: bool


class Me(Schema):
    """Who calls, and what the token may be used for."""

    account: Email
    role: Literal["administrator", "operator", "auditor"]
    operator_id: int | None
    token: str
    scopes: list[str] = Field(examples=[["read-calendar"]])
    expires_at: datetime | None


class Failure(Schema):
    """What is wrong with a mailbox, in the words of the catalogue, since when."""

    code: str = Field(examples=["no-such-mailbox"])
    message: str
    remedy: str
    since: datetime | None


class Operator(Schema):
    """An operator with the sync status of the mailbox."""

    id: int = Field(examples=[7])
    email: Email
    name: str = Field(examples=["Anna Adler"])
    calendar_sync: bool
    access_group: str = Field(examples=["West"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    status: Literal["off", "waiting", "in_step", "retrying", "failed"]
    last_success: datetime | None
    failure: Failure | None
    way: str = Field(description="How changes come to be known.", examples=["polling"])
    delay: float | None = Field(description="Seconds from the last change to its row.")


class Operators(Schema):
    """A portion of the operators."""

    items: list[Operator]
    next: Next


class NewOperator(Body):
    """An operator to be added."""

    email: Email
    name: str = ""
    calendar_sync: bool = False
    access_group: str = ""
    time_zone: str = "UTC"


class OperatorChange(Body):
    """What is to be changed of an operator; what is left out stays."""

    email: str | None = None
    name: str | None = None
    calendar_sync: bool | None = None
    access_group: str | None = None
    time_zone: str | None = None


class OperatorWork(Body):
    """What is to be done with one mailbox now."""

    what: Literal["synchronize", "verify"] = "synchronize"
    full: bool = Field(False, description="Read the calendar whole; only to synchronize.")


class Erased(Schema):
    """What was deleted of an operator; `named_in` are settings that still hold the address."""

    email: Email
    appointments: int
    history: int
    named_in: list[str]


class Person(Schema):
    """Somebody by name and address."""

    name: str
    email: str


class Attendee(Person):
    """Somebody who is asked to come, and the answer."""

    role: Literal["required", "optional", "resource"]
    response: Answer


class Appointment(Schema):
    """An appointment, or an occurrence of a series, in one operator's calendar.

    Of a `withheld` one only when it is, and how it blocks the time, is told.
    """

    id: str = Field(examples=["7-9f2c4a@2026-11-24T09:00:00Z"])
    appointment: str = Field(
        description="The id of the whole: equal for all occurrences of a series.",
        examples=["7-9f2c4a"],
    )
    operator_id: int
    operator: Email
    uid: str | None = Field(description="The iCalendar UID; null where withheld.")
    subject: str = Field(examples=["Demo for Nordlicht AG"])
    location: str
    body: str
    start: str = Field(
        description="An instant in UTC; a date for an all-day one.",
        examples=["2026-11-24T09:00:00Z"],
    )
    end: str = Field(examples=["2026-11-24T10:00:00Z"])
    all_day: bool
    time_zone: str
    organizer: Person | None
    attendees: list[Attendee]
    sensitivity: Literal["normal", "personal", "private", "confidential"]
    show_as: Literal["free", "tentative", "busy", "out_of_office", "working_elsewhere", "no_data"]
    status: Literal["confirmed", "cancelled"]
    recurrence_id: str | None
    categories: list[str]
    warnings: list[str]
    private: bool
    withheld: bool


class Appointments(Schema):
    """A portion of appointments, by operator and start."""

    items: list[Appointment]
    next: Next


class State(Appointment):
    """How an appointment stands now; of a series its first occurrence is told."""

    recurring: bool


class ChangeEntry(Schema):
    """An entry of the changes feed. `state` comes with `expand`; null: it is in no view now."""

    at: datetime
    event: Literal["created", "changed", "cancelled", "removed"]
    operator_id: int
    appointment: str = Field(examples=["7-9f2c4a"])
    state: State | None = None


class ChangeEntries(Schema):
    """A portion of the feed. `next` is where to go on, whether or not there is `more` now."""

    items: list[ChangeEntry]
    next: str
    more: bool


class Latest(Schema):
    """The cursor after all changes that are known now."""

    next: str
