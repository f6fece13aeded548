"""Held mass removals: what vanished from Exchange all at once waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from keepstep.core.appointment import Sensitivity
from keepstep.core.decisions import KnownRow, Mark, RowState, What
from keepstep.core.reconcile import removal
from keepstep.core.rules import Rule
from keepstep.core.skip import PRIVATE_SUBJECT
from keepstep.store import audit
from keepstep.store.apply import write_decisions
from keepstep.store.models import Appointment, Mailbox, Operator
from keepstep.store.rows import known_row


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One appointment whose removal is held."""

    uid: str
    subject: str
    start: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """An operator's held removals: since when (UTC), and of which appointments."""

    operator: str
    since: datetime
    items: tuple[HeldItem, ...]


def listing(operator: Operator | None = None, *, with_private: bool = True) -> list[Hold]:
    """Give the holds of all operators, or of one, by e-mail address.

    Without the private, these have no subject but that they are private: so for the pages, where
    only the operator may see it.
    """
    rows = _held(operator).select_related("mailbox__operator")
    by_operator: dict[str, list[Appointment]] = {}
    for row in rows.order_by("mailbox__operator__email", "start"):
        by_operator.setdefault(row.mailbox.operator.email, []).append(row)
    return [
        Hold(
            email,
            min(row.state_since for row in held),
            tuple(_held_item(row, with_private=with_private) for row in held),
        )
        for email, held in by_operator.items()
    ]


def _held_item(row: Appointment, *, with_private: bool) -> HeldItem:
    hidden = not with_private and row.sensitivity != Sensitivity.NORMAL
    return HeldItem(row.uid, PRIVATE_SUBJECT if hidden else row.subject, row.start)


def release(operator: Operator | None, at: datetime, *, by: str = audit.COMMAND_LINE) -> int:
    """Let the held removals go, at once; give how many appointments were removed.

    `by` is who decided it, for the audit.
    """
    return _decide(operator, at, by, release=True)


def discard(operator: Operator | None, at: datetime, *, by: str = audit.COMMAND_LINE) -> int:
    """Keep what was held, marked as no longer in Exchange; give how many appointments stay."""
    return _decide(operator, at, by, release=False)


def _decide(operator: Operator | None, at: datetime, by: str, *, release: bool) -> int:
    decided = 0
    mailbox_ids = _held(operator).values_list("mailbox_id", flat=True).distinct()
    for mailbox_id in list(mailbox_ids):
        with transaction.atomic():
            # Taking the mailbox first: a round under way may know these rows otherwise.
            Mailbox.objects.filter(pk=mailbox_id).update(fence=F("fence") + 1)
            mailbox = Mailbox.objects.select_related("operator").get(pk=mailbox_id)
            rows = [known_row(each) for each in _held(None).filter(mailbox_id=mailbox_id)]
            boundary = mailbox.last_success or at
            write_decisions(_marks(rows, boundary, release=release), mailbox_id, at)
            action = "hold.release" if release else "hold.discard"
            audit.record(by, action, mailbox.operator.email, {"held": (len(rows), 0)})
            decided += len(rows)
    return decided


def _marks(rows: Sequence[KnownRow], boundary: datetime, *, release: bool) -> list[Mark]:
    if release:
        return [removal(row, Rule.HOLD_RELEASED, boundary) for row in rows]
    return [Mark(row, RowState.KEPT, What.LEFT, Rule.HOLD_DISCARDED) for row in rows]


def _held(operator: Operator | None) -> QuerySet[Appointment]:
    rows = Appointment.objects.filter(state=RowState.HELD)
    return rows if operator is None else rows.filter(mailbox__operator=operator)
