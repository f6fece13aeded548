"""A client of another make, exchangelib: it fills mailboxes, and says what is in them.

What it reads is put into the fields of `appointments --json` here, sharing no code with the
product: the other opinion that the product's listing is compared with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from exchangelib import (
    BASIC,
    IMPERSONATION,
    Account,
    CalendarItem,
    Configuration,
    Credentials,
    EWSDate,
    EWSDateTime,
    EWSTimeZone,
)
from exchangelib.items import SEND_ONLY_TO_ALL, SEND_TO_NONE
from exchangelib.protocol import BaseProtocol, close_connections

from keepstep_simulator import SimulatorThread

DAY = timedelta(days=1)
_FIELDS = (
    "uid",
    "subject",
    "location",
    "text_body",
    "start",
    "end",
    "is_all_day",
    "_start_timezone",
    "_end_timezone",
    "organizer",
    "required_attendees",
    "optional_attendees",
    "resources",
    "sensitivity",
    "legacy_free_busy_status",
    "is_cancelled",
    "type",
    "original_start",
    "categories",
)
_SHOW_AS = {
    "Free": "free",
    "Tentative": "tentative",
    "Busy": "busy",
    "OOF": "out_of_office",
    "WorkingElsewhere": "working_elsewhere",
    "NoData": "no_data",
}
_RESPONSES = {
    "Unknown": "none",
    "NoResponseReceived": "none",
    "Organizer": "organizer",
    "Tentative": "tentative",
    "Accept": "accepted",
    "Decline": "declined",
}


@contextmanager
def client() -> Iterator[None]:
    """Let exchangelib work while the block runs, and close its connections."""
    BaseProtocol.TIMEOUT = 20
    try:
        yield
    finally:
        close_connections()


def account_of(exchange: SimulatorThread, email: str, zone: str) -> Account:
    """Sign in as the service account, acting for the mailbox."""
    configuration = Configuration(
        service_endpoint=exchange.url,
        credentials=Credentials(exchange.simulator.username, exchange.simulator.password),
        auth_type=BASIC,
    )
    return Account(
        email,
        config=configuration,
        autodiscover=False,
        access_type=IMPERSONATION,
        default_timezone=EWSTimeZone(zone),
    )


class Owner:
    """The owner of a mailbox at work in the calendar: days count from `today` in their zone."""

    def __init__(self, account: Account, today: datetime) -> None:
        self.account = account
        self.zone: EWSTimeZone = account.default_timezone
        self.today = EWSDate.from_date(today.astimezone(ZoneInfo(self.zone.key)).date())

    def day(self, number: int) -> EWSDate:
        return self.today + number * DAY

    def at(self, number: int, hour: int, minute: int = 0, zone: str = "") -> EWSDateTime:
        day = self.day(number)
        tz = EWSTimeZone(zone) if zone else self.zone
        return EWSDateTime(day.year, day.month, day.day, hour, minute, tzinfo=tz)

    def save(self, subject: str, number: int, hour: int = 9, **fields: Any) -> CalendarItem:
        """Make an appointment of an hour on that day, or as the fields say; nobody is invited."""
        return self._save(SEND_TO_NONE, subject, number, hour, fields)

    def invite(self, subject: str, number: int, hour: int = 9, **fields: Any) -> CalendarItem:
        """Make a meeting and send it to those invited."""
        return self._save(SEND_ONLY_TO_ALL, subject, number, hour, fields)

    def _save(
        self, sending: str, subject: str, number: int, hour: int, fields: dict[str, Any]
    ) -> CalendarItem:
        times = {"start": self.at(number, hour), "end": self.at(number, hour + 1)}
        item = CalendarItem(
            account=self.account,
            folder=self.account.calendar,
            **{"subject": subject, **times, **fields},
        )
        item.save(send_meeting_invitations=sending)
        return item


def reads_back(account: Account, first: datetime, last: datetime) -> list[dict[str, Any]]:
    """Give all happenings of the window, series expanded by the server, as the contract has it."""
    view = list(account.calendar.view(start=_of(first), end=_of(last), max_items=1000))
    assert len(view) < 1000, "the server gave no more than a part"
    ids = [(each.id, each.changekey) for each in view]
    read = account.fetch(ids=ids, only_fields=_FIELDS)
    return [_entry(account, each) for each in read]


def _of(moment: datetime) -> EWSDateTime:
    return EWSDateTime.from_datetime(moment.astimezone(UTC))


def _entry(account: Account, item: CalendarItem) -> dict[str, Any]:
    of_series = item.type in ("Occurrence", "Exception")
    return {
        "uid": item.uid,
        "operator": account.primary_smtp_address,
        "subject": item.subject or "",
        "location": item.location or "",
        "body": item.text_body or "",
        **_times(item),
        "time_zone": item._start_timezone.key,
        "organizer": item.organizer
        and {"name": item.organizer.name, "email": item.organizer.email_address},
        "attendees": [
            *_people(item.required_attendees, "required"),
            *_people(item.optional_attendees, "optional"),
            *_people(item.resources, "resource"),
        ],
        "sensitivity": item.sensitivity.lower(),
        "show_as": _SHOW_AS[item.legacy_free_busy_status],
        "status": "cancelled" if item.is_cancelled else "confirmed",
        "recurrence_id": instant(item.original_start) if of_series else None,
        "categories": item.categories or [],
    }


def _times(item: CalendarItem) -> dict[str, Any]:
    if item.is_all_day:
        last = item.end + DAY  # exchangelib's is the last day itself
        return {"start": str(item.start), "end": str(last), "all_day": True}
    return {"start": instant(item.start), "end": instant(item.end), "all_day": False}


def instant(moment: datetime) -> str:
    """Give an instant as the contract has it."""
    return moment.astimezone(EWSTimeZone("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


def _people(attendees: Any, role: str) -> list[dict[str, str]]:
    return [
        {
            "name": each.mailbox.name,
            "email": each.mailbox.email_address,
            "role": role,
            "response": _RESPONSES[each.response_type],
        }
        for each in attendees or ()
    ]
