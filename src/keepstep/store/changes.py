"""The changes seen lately, for those who watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from keepstep.core.decisions import What
from keepstep.store.models import Appointment, History

MOST = 200
_OF_INTEREST = (What.CREATED, What.UPDATED, What.CANCELLED, What.REVIVED, What.REMOVED)


@dataclass(frozen=True, slots=True)
class SeenChange:
    """One change of the calendar: its number, when (UTC), whose, what; how the entry stands now.

    `start` (UTC) is that of a series' first occurrence; None where nothing is stored.
    """

    number: int
    at: datetime
    operator: str
    what: What
    subject: str
    start: datetime | None
    all_day: bool
    is_series: bool


def last_number() -> int:
    """Give the number of the newest change, 0 if there is none."""
    return History.objects.aggregate(last=Max("id"))["last"] or 0


def since(number: int) -> list[SeenChange]:
    """Give the changes after this number, oldest first (at most 200)."""
    found = History.objects.filter(id__gt=number, what__in=[each.value for each in _OF_INTEREST])
    return [_seen(each) for each in found.select_related("mailbox__operator").order_by("id")[:MOST]]


def _seen(change: History) -> SeenChange:
    rows = Appointment.objects.filter(mailbox=change.mailbox, uid=change.uid, part=0)
    row = rows.order_by("-updated_at").first()
    return SeenChange(
        number=change.pk,
        at=change.at,
        operator=change.mailbox.operator.email,
        what=What(change.what),
        subject=row.subject if row else "",
        start=row.start if row else None,
        all_day=bool(row and row.all_day),
        is_series=bool(row and row.series),
    )
