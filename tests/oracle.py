"""What the sales calendar must be, worked out from the truth in the simulator alone.

One rule, for each happening by itself: if it ended after the last success, as it was known or as
it is now, it becomes as it is now; else it stays as it was. The expansion of series is the
simulator's own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from keepstep.core.decisions import RowState
from keepstep.core.record import shown_occurrences
from keepstep.core.skip import PRIVATE_SUBJECT
from keepstep.store import models
from keepstep.store.rows import unpack
from keepstep_simulator.model import MailboxModel

Key = tuple[str, date | None]
BACK, AHEAD = timedelta(days=300), timedelta(days=200)


class Happening(NamedTuple):
    """One happening as it is compared."""

    start: datetime
    end: datetime
    subject: str
    location: str
    cancelled: bool
    all_day: bool


class Oracle:
    """The calendar of one operator, as it must be after each successful round."""

    def __init__(self, mailbox: MailboxModel, past_days: int = 180) -> None:
        self._mailbox = mailbox
        self._past = timedelta(days=past_days)
        self._boundary: datetime | None = None
        self._cutoff: datetime | None = None
        self.known_until = datetime(1970, 1, 1, tzinfo=UTC)
        self.calendar: dict[Key, Happening] = {}

    def begin(self, now: datetime) -> None:
        """A first round begins: its cutoff is fixed."""
        if self._cutoff is None:
            self._cutoff = now - self._past

    def succeed(self, began: datetime) -> None:
        """A round that began at this instant came to its end."""
        self.begin(began)
        boundary = self._boundary or self._cutoff
        assert boundary is not None
        now = happenings(self._mailbox)
        for key in self.calendar.keys() | now.keys():
            old, new = self.calendar.get(key), now.get(key)
            ahead = (old and old.end > boundary) or (new and new.end > boundary)
            if ahead and new:
                self.calendar[key] = new
            elif ahead:
                del self.calendar[key]
            elif old and new and new.subject == PRIVATE_SUBJECT:
                # What turned private loses its text even where it is over.
                self.calendar[key] = old._replace(subject=PRIVATE_SUBJECT, location="")
        self._looked(began)

    def _looked(self, began: datetime) -> None:
        self._boundary = began
        self.known_until = self._mailbox._now() + AHEAD


def happenings(mailbox: MailboxModel) -> dict[Key, Happening]:
    """Give all happenings in Exchange, in the simulator's own expansion."""
    found: dict[Key, Happening] = {}
    now = mailbox._now()
    for each in mailbox.occurrences(now - BACK, now + AHEAD):
        day = None
        if each.original_start is not None:
            zone = ZoneInfo(each.item.time_zone or "UTC")
            day = each.original_start.astimezone(zone).date()
        private = each.item.sensitivity != "normal"
        subject = PRIVATE_SUBJECT if private else each.item.subject or ""
        location = "" if private else each.item.location or ""
        found[each.item.uid, day] = Happening(
            each.start, each.end, subject, location, each.item.cancelled, each.item.all_day
        )
    return found


def shown_calendar(email: str, now: datetime) -> dict[Key, Happening]:
    """Give what the store shows of an operator; fails on anything shown twice."""
    found: dict[Key, Happening] = {}
    rows = models.Appointment.objects.filter(mailbox__operator__email=email)
    for row in rows.exclude(state=RowState.REMOVED):
        appointment, shown = unpack(row)
        zone = ZoneInfo(appointment.zone.name)
        for each in shown_occurrences(appointment, shown, now - BACK, now + AHEAD):
            rid = each.recurrence_id
            key = (appointment.uid, rid.astimezone(zone).date() if rid else None)
            assert key not in found, f"{key} is shown twice"
            found[key] = Happening(
                each.start,
                each.end,
                each.details.subject,
                each.details.location,
                each.details.cancelled,
                each.all_day,
            )
    return found


def windowed(
    calendar: dict[Key, Happening], now: datetime, known_until: datetime
) -> dict[Key, Happening]:
    """Give what both sides can see: happenings well inside the window that is compared.

    A series without an end goes on, but the oracle knows it only as far as it looked when the
    last round succeeded, however much time has passed since.
    """
    first = now - BACK + timedelta(days=20)
    last = min(now + AHEAD, known_until) - timedelta(days=20)
    return {key: each for key, each in calendar.items() if first < each.start < last}


def assert_in_step(oracle: Oracle, email: str, now: datetime) -> None:
    """Fail, naming each difference, unless the operator's sales calendar equals the oracle."""
    expected = windowed(oracle.calendar, now, oracle.known_until)
    actual = windowed(shown_calendar(email, now), now, oracle.known_until)
    missing = {key: expected[key] for key in expected.keys() - actual.keys()}
    extra = {key: actual[key] for key in actual.keys() - expected.keys()}
    differ = {
        key: (expected[key], actual[key])
        for key in expected.keys() & actual.keys()
        if expected[key] != actual[key]
    }
    found = f"{missing=}\n{extra=}\n{differ=}"
    assert not (missing | extra | differ), found
