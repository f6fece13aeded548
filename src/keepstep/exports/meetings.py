"""The meetings of some operators, one operator after the other, as somebody may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from keepstep.core.appointment import Details, Occurrence, Response, Role, Sensitivity
from keepstep.core.roles import is_withheld
from keepstep.exports.columns import Line
from keepstep.store.calendar import Window, occurrences_in, window
from keepstep.store.models import Operator
from keepstep.store.seen import SeenOperator

PRIVATE = "Private appointment"
_MINUTE = timedelta(minutes=1)
_AT = "@"


@dataclass(frozen=True, slots=True)
class Met:
    """One meeting in an operator's calendar. Where it is withheld only its time may be told."""

    operator: Operator
    occurrence: Occurrence
    is_withheld: bool

    @property
    def details(self) -> Details:
        """Give what it says of itself; of one that is withheld nothing may be told."""
        return self.occurrence.details

    @property
    def minutes(self) -> int:
        """Give its length; an all-day one's by its days."""
        first, last = self.occurrence.first_day, self.occurrence.last_day
        if first is not None and last is not None:
            return (last - first) // _MINUTE
        return (self.occurrence.end - self.occurrence.start) // _MINUTE

    @property
    def is_declined(self) -> bool:
        """Say whether the operator declined it."""
        return self.details.response is Response.DECLINED


def met(
    members: Iterable[SeenOperator], first: date, last: date, *, include_cancelled: bool = False
) -> Iterator[Met]:
    """Give the meetings that begin from `first` to `last` (exclusive), by operator and start.

    The days are those of each operator's time zone, so that each meeting belongs to one day.
    Cancelled ones that are withheld are not shown at all. One operator's are held at a time.
    """
    for member in members:
        days = window(member.operator.time_zone, first, last)
        found = [
            Met(member.operator, each, _is_withheld(member, each))
            for each in occurrences_in(member.operator, days)
            if _begins_in(each, days)
        ]
        found.sort(key=lambda each: (each.occurrence.start, each.occurrence.end))
        for meeting in found:
            cancelled = meeting.occurrence.is_cancelled
            if not cancelled or (include_cancelled and not meeting.is_withheld):
                yield meeting


def _is_withheld(member: SeenOperator, occurrence: Occurrence) -> bool:
    details = occurrence.details, occurrence.appointment.details
    return is_withheld(member.sight, *(each.sensitivity for each in details))


def _begins_in(occurrence: Occurrence, days: Window) -> bool:
    if occurrence.first_day is not None:
        return days.first <= occurrence.first_day < days.last
    return days.start <= occurrence.start < days.end


def lines(found: Iterable[Met]) -> Iterator[Line]:
    """Give the lines for the columns `MEETINGS`."""
    for each in found:
        details = Details() if each.is_withheld else each.details
        organizer, occurrence = details.organizer, each.occurrence
        operator = each.operator
        people = [a for a in details.attendees if a.role is not Role.RESOURCE]
        addresses = tuple(a.email or a.name for a in people)
        outside = [a.email for a in people if is_external(a.email, operator.email)]
        if organizer and is_external(organizer.email, operator.email):
            outside.insert(0, organizer.email)
        yield (
            operator.email,
            operator.name,
            operator.access_group,
            PRIVATE if each.is_withheld else details.subject,
            details.location,
            occurrence.start.astimezone(UTC),
            occurrence.end.astimezone(UTC),
            *_local(each),
            operator.time_zone,
            each.minutes,
            occurrence.all_day,
            organizer.email if organizer else "",
            organizer.name if organizer else "",
            len(addresses),
            addresses,
            tuple(dict.fromkeys(outside)),
            details.categories,
            each.details.show_as.value,
            "cancelled" if occurrence.is_cancelled else "confirmed",
            _is_private(occurrence),
            "" if each.is_withheld else occurrence.appointment.uid,
            None if each.is_withheld else occurrence.recurrence_id,
        )


def is_external(email: str, operator_email: str) -> bool:
    """Say whether an address is of another domain than the operator's."""
    domain = email.rpartition(_AT)[2].casefold()
    own = operator_email.rpartition(_AT)[2].casefold()
    return _AT in email and domain != own


def _is_private(occurrence: Occurrence) -> bool:
    both = occurrence.details, occurrence.appointment.details
    return any(each.sensitivity is not Sensitivity.NORMAL for each in both)


def _local(meeting: Met) -> tuple[datetime, datetime]:
    """Give start and end by the operator's clocks; of an all-day one the midnights of its dates."""
    occurrence = meeting.occurrence
    if occurrence.first_day is not None and occurrence.last_day is not None:
        days = occurrence.first_day, occurrence.last_day
        return datetime.combine(days[0], time()), datetime.combine(days[1], time())
    zone = ZoneInfo(meeting.operator.time_zone)
    begins, ends = (
        each.astimezone(zone).replace(tzinfo=None, fold=0)
        for each in (occurrence.start, occurrence.end)
    )
    return begins, ends
