"""One appointment with all that may be seen of it, and whose calendars it is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from keepstep.core.appointment import Appointment as AppointmentRead
from keepstep.core.appointment import Occurrence
from keepstep.core.decisions import RowState
from keepstep.core.record import Shown, shown_occurrences
from keepstep.core.roles import Sight, is_withheld
from keepstep.store.models import Appointment, Operator
from keepstep.store.rows import unpack
from keepstep.store.seen import SeenOperator

# Addresses name a start by whole seconds.
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Found:
    """An appointment, or one occurrence of a series, in one operator's calendar.

    `row` is the number of its row. Nobody may be shown it before `is_withheld` is asked.
    """

    row: int
    operator: Operator
    occurrence: Occurrence
    is_kept: bool

    def is_withheld(self, sight: Sight) -> bool:
        """Say whether its details are kept from one who sees so much of the calendar."""
        details = self.occurrence.details, self.occurrence.appointment.details
        return is_withheld(sight, *(each.sensitivity for each in details))


def find(row_number: int, original: datetime | None) -> Found | None:
    """Give what a row shows: the occurrence of this original start, of a series the first without.

    An occurrence that has gone over to another row of its series, as those do that are over when
    the series changes, is found there. None: there is no such one, or it was removed.
    """
    row = _rows().filter(pk=row_number).first()
    if row is None:
        return None
    found = _in_row(row, original)
    if found is not None or original is None:
        return found
    for other in _rows().filter(mailbox=row.mailbox_id, uid=row.uid).exclude(pk=row.pk):
        found = _in_row(other, original)
        if found is not None:
            return found
    return None


def shared_with(found: Found, others: Sequence[SeenOperator]) -> list[Operator]:
    """Give which of these operators have the same meeting (UID and start) in their calendars.

    A copy that is withheld counts only if the meeting itself names its operator.
    """
    occurrence = found.occurrence
    details = occurrence.details
    people = {each.email.casefold() for each in details.attendees}
    people.add(details.organizer.email.casefold() if details.organizer else "")
    by_mailbox = {each.operator.mailbox.pk: each for each in others}
    rows = _rows().filter(mailbox__in=by_mailbox, uid=occurrence.appointment.uid)
    shared: dict[int, Operator] = {}
    for row in rows:
        copy = _in_row(row, occurrence.recurrence_id)
        if copy is None or copy.occurrence.start != occurrence.start:
            continue
        other = by_mailbox[row.mailbox_id]
        if not copy.is_withheld(other.sight) or other.operator.email.casefold() in people:
            shared[other.operator.pk] = other.operator
    return sorted(shared.values(), key=lambda each: each.email)


def _rows() -> QuerySet[Appointment]:
    rows = Appointment.objects.exclude(state=RowState.REMOVED.value)
    return rows.select_related("mailbox__operator")


def _in_row(row: Appointment, original: datetime | None) -> Found | None:
    appointment, shown = unpack(row)
    occurrence = _occurrence(appointment, shown, original)
    if occurrence is None:
        return None
    return Found(row.pk, row.mailbox.operator, occurrence, row.state == RowState.KEPT)


def _occurrence(
    appointment: AppointmentRead, shown: Shown, original: datetime | None
) -> Occurrence | None:
    if appointment.recurrence is None and original is not None:
        return None
    starts = [original or appointment.start]
    starts += [
        each.start
        for each in appointment.changed
        if original is not None and original <= each.original_start < original + _SECOND
    ]
    for start in starts:
        for each in shown_occurrences(appointment, shown, start, start + _SECOND):
            named = each.recurrence_id
            if original is None or (named and original <= named < original + _SECOND):
                return each
    return None
