"""What monitoring is told of the whole: numbers only, nobody by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from keepstep.core.decisions import RowState
from keepstep.core.delivery import Way, way_now
from keepstep.store import subscriptions
from keepstep.store.models import Appointment, Mail, Mailbox, Quarantine
from keepstep.store.overview import Overview, overview


@dataclass(frozen=True, slots=True)
class Measures:
    """Numbers at an instant. `failing` counts mailboxes by the code of their failure."""

    whole: Overview
    failing: dict[str, int]
    held: int
    quarantined: int
    mails_waiting: int


@dataclass(frozen=True, slots=True)
class MailboxMeasure:
    """One mailbox, by the number of its operator. `delay` and `behind` are seconds."""

    operator: int
    way: Way
    delay: float | None
    behind: float


def measures(now: datetime) -> Measures:
    """Give the numbers of the whole at `now` (UTC)."""
    failing = Mailbox.objects.filter(operator__calendar_sync=True).exclude(failure_code="")
    return Measures(
        overview(now),
        dict(failing.values_list("failure_code").annotate(count=Count("pk"))),
        Appointment.objects.filter(state=RowState.HELD).count(),
        Quarantine.objects.count(),
        Mail.objects.filter(sent=None, given_up=None).count(),
    )


def of_mailboxes(now: datetime) -> Iterator[MailboxMeasure]:
    """Give the numbers of each mailbox that was in step once and is switched on, at `now`."""
    subscribed = subscriptions.ways()
    rows = Mailbox.objects.filter(operator__calendar_sync=True, last_success__isnull=False)
    columns = ("pk", "operator_id", "last_success", "covered_until", "delay")
    for pk, operator, success, covered, delay in rows.order_by("operator_id").values_list(*columns):
        way = way_now(subscribed.get(pk, ""), covered, now)
        yield MailboxMeasure(operator, way, delay, max(0.0, (now - success).total_seconds()))
