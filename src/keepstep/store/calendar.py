"""The sales calendar as it is shown: an operator's appointments in a window of days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from keepstep.core.appointment import Address, Appointment, Attendee, Details, Occurrence
from keepstep.core.decisions import RowState
from keepstep.core.errors import UsageError
from keepstep.core.record import shown_occurrences
from keepstep.store import models
from keepstep.store.models import Operator
from keepstep.store.operators import find
from keepstep.store.rows import unpack

DAYS_AHEAD = 31
# All-day appointments keep the date of the zone they were made in: no zone is further off.
FURTHEST = timedelta(hours=26)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Window:
    """Days in the operator's zone, `last` exclusive, and the instants (UTC) they begin at."""

    first: date
    last: date
    start: datetime
    end: datetime


def window(time_zone: str, first: date, last: date) -> Window:
    """Give the window of days; a day without its midnight begins when the clock skipped it."""
    return Window(first, last, _midnight(first, time_zone), _midnight(last, time_zone))


def today(operator: Operator, now: datetime) -> date:
    """Give the date of `now` (aware) where the operator is."""
    return now.astimezone(ZoneInfo(operator.time_zone)).date()


def entries(
    operator_email: str, first: date, last: date, *, include_cancelled: bool = False
) -> list[dict[str, Any]]:
    """Give what the calendar shows from `first` to `last` (exclusive), in order of start.

    The days are the operator's. Each entry has the fields of `appointments --json`; times are
    text: instants in UTC, dates for an all-day one. Raises UsageError for an unknown operator.
    """
    operator = find(operator_email)
    return _entries(operator, window(operator.time_zone, first, last), include_cancelled)


def team(access_group: str) -> list[Operator]:
    """Give the operators of an access group. Raises UsageError where there are none."""
    members = list(Operator.objects.filter(access_group=access_group).order_by("email"))
    if not members or not access_group:  # those without a group are no team
        raise UsageError(f"no operator has the access group {access_group!r}.")
    return members


def team_entries(
    members: Sequence[Operator],
    time_zone: str,
    first: date,
    last: date,
    *,
    include_cancelled: bool = False,
) -> list[dict[str, Any]]:
    """Give a team's calendar: each meeting once, with all its `operators`, in order of start.

    A meeting is known by UID and start. Of its copies the organizer's own is shown, else one that
    stands, else the first; a copy whose details are withheld only where there is no other. The
    days are those of `time_zone`, an IANA name.
    """
    days = window(time_zone, first, last)
    meetings: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for member in members:
        for entry in _entries(member, days, include_cancelled):
            meetings.setdefault((entry["uid"], entry["start"]), []).append(entry)
    found = []
    for copies in meetings.values():
        shown = min(copies, key=_preference)
        found.append(shown | {"operators": [copy["operator"] for copy in copies]})
    found.sort(key=_order)
    return found


def _preference(entry: dict[str, Any]) -> tuple[bool, bool, bool]:
    organizer = entry["organizer"] or {"email": ""}
    withheld = entry["sensitivity"] != "normal" and entry["organizer"] is None
    foreign = organizer["email"].casefold() != entry["operator"].casefold()
    return withheld, entry["status"] == "cancelled", foreign


def _order(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["start"], entry["end"], entry["uid"]


def _entries(operator: Operator, days: Window, include_cancelled: bool) -> list[dict[str, Any]]:
    entry = _Entries(operator.email)
    found = [
        (each.start, entry.of(each))
        for each in occurrences_in(operator, days)
        if include_cancelled or not each.is_cancelled
    ]
    found.sort(key=lambda pair: (pair[0], pair[1]["end"], pair[1]["uid"]))
    return [entry for _, entry in found]


def occurrences_in(operator: Operator, days: Window) -> Iterator[Occurrence]:
    """Give all that an operator's calendar shows on these days, cancelled ones too, in no order."""
    early, late = days.start - FURTHEST, days.end + FURTHEST
    for row in rows_in(operator, early, late).iterator(chunk_size=_CHUNK):
        appointment, shown = unpack(row)
        for each in shown_occurrences(appointment, shown, early, late):
            if lies_in(each, days):
                yield each


def rows_in(operator: Operator, early: datetime, late: datetime) -> QuerySet[models.Appointment]:
    """Give the rows of an operator's calendar that may show something between the instants."""
    ahead = Q(span_end__isnull=True) | Q(span_end__gte=early)
    rows = models.Appointment.objects.filter(ahead, mailbox__operator=operator, span_start__lt=late)
    return rows.exclude(state=RowState.REMOVED.value)


def lies_in(occurrence: Occurrence, days: Window) -> bool:
    """Say whether an occurrence shows on the days of a window: an all-day one by its dates."""
    if occurrence.all_day and occurrence.first_day and occurrence.last_day:
        return occurrence.first_day < days.last and occurrence.last_day > days.first
    if occurrence.start == occurrence.end:
        return days.start <= occurrence.start < days.end
    return occurrence.start < days.end and occurrence.end > days.start


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


class _Entries:
    """Makes entries of one operator's occurrences.

    What the occurrences of a series have in common is put together once, not for each of them.
    """

    def __init__(self, operator: str) -> None:
        self._operator = operator
        self._appointment: Appointment | None = None
        self._details: Details | None = None
        self._common: dict[str, Any] = {}

    def of(self, occurrence: Occurrence) -> dict[str, Any]:
        """Give the entry of one; those of a series are best given in turn."""
        appointment, details = occurrence.appointment, occurrence.details
        if appointment is not self._appointment or details is not self._details:
            self._appointment, self._details = appointment, details
            self._common = _common(self._operator, occurrence)
        entry = self._common.copy()
        entry.update(_times(occurrence))
        original = occurrence.recurrence_id
        if original is not None:
            same = original is occurrence.start and not entry["all_day"]
            entry["recurrence_id"] = entry["start"] if same else instant(original)
        return entry


def entry_of(operator: Operator, occurrence: Occurrence) -> dict[str, Any]:
    """Give an occurrence in an operator's calendar with the fields of `appointments --json`."""
    return _Entries(operator.email).of(occurrence)


def _common(operator: str, occurrence: Occurrence) -> dict[str, Any]:
    """Give an entry whose times are still to be told."""
    details = occurrence.details
    return {
        "uid": occurrence.appointment.uid,
        "operator": operator,
        "subject": details.subject,
        "location": details.location,
        "body": details.body,
        "start": "",
        "end": "",
        "all_day": False,
        "time_zone": occurrence.appointment.zone.name,
        "organizer": _person(details.organizer) if details.organizer else None,
        "attendees": [_attendee(each) for each in details.attendees],
        "sensitivity": details.sensitivity.value,
        "show_as": details.show_as.value,
        "status": "cancelled" if occurrence.is_cancelled else "confirmed",
        "recurrence_id": None,
        "categories": list(details.categories),
        **_warnings(occurrence),
    }


def _warnings(occurrence: Occurrence) -> dict[str, list[str]]:
    """Give what is in doubt about the appointment; nothing where nothing is."""
    warnings = occurrence.appointment.warnings
    return {"warnings": list(warnings)} if warnings else {}


def _times(occurrence: Occurrence) -> dict[str, Any]:
    if occurrence.all_day and occurrence.first_day and occurrence.last_day:
        days = (occurrence.first_day.isoformat(), occurrence.last_day.isoformat())
        return {"start": days[0], "end": days[1], "all_day": True}
    return {
        "start": instant(occurrence.start),
        "end": instant(occurrence.end),
        "all_day": occurrence.all_day,
    }


def instant(moment: datetime) -> str:
    """Give an instant (aware) as text: RFC 3339 in UTC, by whole seconds."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="seconds")[:_TO_THE_SECOND] + "Z"


_TO_THE_SECOND = len("2026-11-24T09:00:00")


def _person(person: Address) -> dict[str, str]:
    return {"name": person.name, "email": person.email}


def _attendee(attendee: Attendee) -> dict[str, str]:
    return {
        "name": attendee.name,
        "email": attendee.email,
        "role": attendee.role.value,
        "response": attendee.response.value,
    }
