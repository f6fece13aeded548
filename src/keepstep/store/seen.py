"""The calendars of some operators as one person may see them: what the pages show.

What is withheld is left out here, in what is read of the rows; nothing after this has to hide it.
Texts that a calendar does not show (the body, above all) are not read at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q

from keepstep.core.appointment import (
    Appointment,
    Details,
    Occurrence,
    Response,
    Sensitivity,
    ShowAs,
    Zone,
)
from keepstep.core.decisions import RowState
from keepstep.core.pack import unpack_series, unpack_zone
from keepstep.core.recurrence import occurrences
from keepstep.core.roles import Sight, is_withheld
from keepstep.core.series import overlaps
from keepstep.core.shown_times import WallClock, drawn
from keepstep.store import models
from keepstep.store.calendar import FURTHEST, Window, lies_in
from keepstep.store.models import Operator
from keepstep.store.rows import unpack_shown

_CHUNK = 200
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
# How a row keeps that the mailbox itself declined, see `core.pack`; in a text it would be escaped.
_DECLINED = f'"r":"{Response.DECLINED.value}"'
# How a row keeps the exceptions of a series, see `core.pack`.
_HAS_EXCEPTIONS = '"c":['


class _Row(NamedTuple):
    pk: int
    mailbox_id: int
    uid: str
    state: str
    subject: str
    location: str
    sensitivity: str
    show_as: str
    cancelled: bool
    people: str
    start: datetime
    end: datetime
    all_day: bool
    time_zone: str
    series: str
    zone: str
    shown: str

    @property
    def course(self) -> tuple[object, ...]:
        """Give all that decides when it happens."""
        when = self.start, self.end, self.all_day
        return (*when, self.time_zone, self.zone, self.series, self.shown)


@dataclass(frozen=True, slots=True)
class SeenOperator:
    """An operator whose calendar somebody may look at, and how much of it."""

    operator: Operator
    sight: Sight


class Time(NamedTuple):
    """When an entry happens (UTC).

    `original` is the original start of an occurrence of a series, None for a single appointment.
    `first_day` and `last_day` (exclusive) are set for an all-day one.
    """

    start: datetime
    end: datetime
    original: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None


class Entry(NamedTuple):
    """An appointment as somebody may see it: a single one, or occurrences of a series alike.

    `row` is the number of its row, `operators` are the keys of those in whose calendars it is.
    Where `is_withheld`, subject and location are empty, and nothing of it is told but how it
    blocks the time. `is_kept`: no longer in Exchange, and kept by a person's word.
    """

    row: int
    operators: tuple[int, ...]
    subject: str
    location: str
    show_as: str
    is_cancelled: bool
    is_declined: bool
    is_private: bool
    is_withheld: bool
    is_exception: bool
    is_kept: bool
    times: list[Time]


def entries(
    members: Sequence[SeenOperator], days: Window, *, include_cancelled: bool = False
) -> list[Entry]:
    """Give what the calendars of these operators show on these days.

    Each meeting comes once, with all its operators, see `_Meetings`. Cancelled ones that are
    withheld are not shown at all.
    """
    rows = _read(members, days)
    meetings = _Meetings(members, rows)
    reader = _Reader(members, days)
    found: list[Entry] = []
    for row in rows:
        for details, entry in reader.entries(row):
            if entry.is_cancelled and (entry.is_withheld or not include_cancelled):
                continue
            if row.uid in meetings.shared:
                meetings.add(row, details, entry)
            else:
                found.append(entry)
    return found + meetings.entries()


def by_day(
    found: Iterable[Entry], days: Window, clock: WallClock
) -> list[tuple[date, list[Happening]]]:
    """Give the days of the window on which something is, each with what is on it, in order.

    What lasts longer than a day comes on each of its days. Days are those of the clock.
    """
    on: dict[date, list[Happening]] = {}
    for entry in found:
        for time in entry.times:
            for day in _days(time, days, clock):
                on.setdefault(day, []).append(Happening(entry, time))
    for happenings in on.values():
        happenings.sort(key=lambda each: (each.time.first_day is None, each.time.start))
    return sorted(on.items())


class Happening(NamedTuple):
    """One time of an entry."""

    entry: Entry
    time: Time


def _days(time: Time, days: Window, clock: WallClock) -> Iterator[date]:
    if time.first_day is not None and time.last_day is not None:
        first, last = time.first_day, time.last_day
    else:
        shown = drawn(time.start, time.end, clock)
        first, last = shown.start.date(), (shown.end - _TICK).date() + _DAY
    day = max(first, days.first)
    while day < min(last, days.last):
        yield day
        day += _DAY


def _read(members: Sequence[SeenOperator], days: Window) -> list[_Row]:
    early, late = days.start - FURTHEST, days.end + FURTHEST
    mailboxes = [each.operator.mailbox.pk for each in members]
    ahead = Q(span_end__isnull=True) | Q(span_end__gte=early)
    found: list[_Row] = []
    for begin in range(0, len(mailboxes), _CHUNK):
        chosen = mailboxes[begin : begin + _CHUNK]
        rows = models.Appointment.objects.filter(ahead, mailbox__in=chosen, span_start__lt=late)
        rows = rows.exclude(state=RowState.REMOVED.value)
        found += map(_Row._make, rows.values_list(*_Row._fields))
    return found


class _Reader:
    """Makes entries of rows. Zones and courses of series, which many rows share, are read once."""

    def __init__(self, members: Sequence[SeenOperator], days: Window) -> None:
        self._members = {each.operator.mailbox.pk: each for each in members}
        self._days = days
        self._early, self._late = days.start - FURTHEST, days.end + FURTHEST
        self._zones: dict[tuple[str, str], Zone] = {}
        self._alike: dict[tuple[object, ...], list[Time]] = {}

    def entries(self, row: _Row) -> Iterator[tuple[Details | None, Entry]]:
        """Give the entries of a row: all that is alike, then each exception by itself.

        Details are given where they are not those of the row.
        """
        if not row.series and not row.all_day:
            if overlaps(row.start, row.end, self._days.start, self._days.end):
                yield None, self._entry(row, [Time(row.start, row.end)])
            return
        alike = self._alike.get(row.course)
        if alike is None:
            alike = []
            for each, time in self._occurrences(row):
                if each.is_exception:
                    yield each.details, self._exception(row, each, time)
                else:
                    alike.append(time)
            if _HAS_EXCEPTIONS not in row.series:
                self._alike[row.course] = alike
        if alike:
            yield None, self._entry(row, alike)

    def _occurrences(self, row: _Row) -> Iterator[tuple[Occurrence, Time]]:
        appointment, days = self._appointment(row), self._days
        # An all-day one, as an exception may be, counts by its dates: it needs a wider look.
        by_dates = row.all_day or _HAS_EXCEPTIONS in row.series
        start, end = (self._early, self._late) if by_dates else (days.start, days.end)
        shown = unpack_shown(row.shown) if row.shown and row.series else None
        for each in occurrences(appointment, start, end):
            if (not by_dates or lies_in(each, days)) and (shown is None or shown.holds(each)):
                when = each.start, each.end, each.recurrence_id, each.first_day, each.last_day
                yield each, Time(*when)

    def _entry(self, row: _Row, times: list[Time]) -> Entry:
        member = self._members[row.mailbox_id]
        withheld = is_withheld(member.sight, row.sensitivity)
        return Entry(
            row=row.pk,
            operators=(member.operator.pk,),
            subject="" if withheld else row.subject,
            location="" if withheld else row.location,
            show_as=row.show_as,
            is_cancelled=row.cancelled,
            is_declined=not withheld and _DECLINED in row.people,
            is_private=row.sensitivity != Sensitivity.NORMAL,
            is_withheld=withheld,
            is_exception=False,
            is_kept=not withheld and row.state == RowState.KEPT,
            times=times,
        )

    def _exception(self, row: _Row, occurrence: Occurrence, time: Time) -> Entry:
        member = self._members[row.mailbox_id]
        details = occurrence.details
        withheld = is_withheld(member.sight, row.sensitivity, details.sensitivity)
        is_own = details is not occurrence.appointment.details
        return self._entry(row, [time])._replace(
            subject="" if withheld else details.subject,
            location="" if withheld else details.location,
            show_as=details.show_as.value,
            is_cancelled=row.cancelled or details.cancelled,
            is_declined=not withheld
            and (details.response is Response.DECLINED if is_own else _DECLINED in row.people),
            is_private=any(
                each != Sensitivity.NORMAL for each in (row.sensitivity, details.sensitivity)
            ),
            is_withheld=withheld,
            is_exception=not withheld,
            is_kept=not withheld and row.state == RowState.KEPT,
        )

    def _appointment(self, row: _Row) -> Appointment:
        """Give as much of the appointment as tells its occurrences and what a calendar shows."""
        recurrence, changed, deleted = unpack_series(json.loads(row.series) if row.series else None)
        return Appointment(
            item_id="",
            change_key="",
            uid=row.uid,
            start=row.start,
            end=row.end,
            zone=self._zone(row),
            all_day=row.all_day,
            details=Details(
                subject=row.subject,
                location=row.location,
                sensitivity=Sensitivity(row.sensitivity),
                show_as=ShowAs(row.show_as),
                cancelled=row.cancelled,
            ),
            recurrence=recurrence,
            changed=changed,
            deleted=deleted,
        )

    def _zone(self, row: _Row) -> Zone:
        key = row.time_zone, row.zone
        found = self._zones.get(key)
        if found is None:
            packed = json.loads(row.zone) if row.zone else {}
            found = unpack_zone(packed["s"]) if "s" in packed else Zone(row.time_zone)
            self._zones[key] = found
        return found


class _Copy(NamedTuple):
    """One time of an entry in one operator's calendar, and what tells whose meeting it is."""

    row: _Row
    details: Details | None
    entry: Entry
    time: Time

    @property
    def owner(self) -> int:
        """Give the key of the operator."""
        return self.entry.operators[0]


class _Meetings:
    """Puts the copies of one meeting together, known by UID and start.

    Of the copies the organizer's own is shown, else one that stands, else the first. One that is
    withheld joins the meeting only if the copy shown names its operator as one of the people
    there: so nothing is told that is not told already. Else it stands alone, as blocked time.
    """

    def __init__(self, members: Sequence[SeenOperator], rows: Iterable[_Row]) -> None:
        self._addresses = {each.operator.pk: each.operator.email.casefold() for each in members}
        self._order = {each.operator.pk: number for number, each in enumerate(members)}
        self._copies: dict[tuple[str, datetime | date], list[_Copy]] = {}
        first: dict[str, int] = {}
        self.shared = {
            row.uid for row in rows if first.setdefault(row.uid, row.mailbox_id) != row.mailbox_id
        }

    def add(self, row: _Row, details: Details | None, entry: Entry) -> None:
        """Take in an entry of one operator's calendar."""
        for time in entry.times:
            key = row.uid, time.first_day or time.start
            self._copies.setdefault(key, []).append(_Copy(row, details, entry, time))

    def entries(self) -> list[Entry]:
        """Give the meetings; occurrences of a series that are alike come together again."""
        alike: dict[tuple[int, tuple[int, ...]], Entry] = {}
        found: list[Entry] = []
        for group in self._copies.values():
            for operators, copy in self._together(group):
                key = id(copy.entry), operators
                known = alike.get(key)
                if known is None:
                    alike[key] = known = copy.entry._replace(operators=operators, times=[])
                    found.append(known)
                known.times.append(copy.time)
        return found

    def _together(self, group: list[_Copy]) -> list[tuple[tuple[int, ...], _Copy]]:
        if len(group) == 1:
            return [(group[0].entry.operators, group[0])]
        group.sort(key=lambda copy: self._order[copy.owner])
        seen = [copy for copy in group if not copy.entry.is_withheld]
        if not seen:
            return [(copy.entry.operators, copy) for copy in group]
        chosen = min(seen, key=self._preference)
        alone = [copy for copy in group if copy.entry.is_withheld]
        if alone:
            people = set(_people(chosen))
            alone = [copy for copy in alone if self._addresses[copy.owner] not in people]
        joined = tuple(copy.owner for copy in group if copy not in alone)
        return [(joined, chosen), *((copy.entry.operators, copy) for copy in alone)]

    def _preference(self, copy: _Copy) -> tuple[bool, bool]:
        return copy.entry.is_cancelled, _people(copy)[0] != self._addresses[copy.owner]


def _people(copy: _Copy) -> list[str]:
    """Give the addresses of the organizer, "" for none, and of the attendees, in lower case."""
    if copy.details is not None:
        organizer = copy.details.organizer
        attendees = [each.email for each in copy.details.attendees]
        named = [organizer.email if organizer else "", *attendees]
    else:
        packed: dict[str, Any] = json.loads(copy.row.people) if copy.row.people else {}
        named = [(packed.get("o") or ["", ""])[1], *(each[1] for each in packed.get("a", ()))]
    return [each.casefold() for each in named]
