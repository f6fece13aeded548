"""Retention: what is older than its set time goes, in small transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from keepstep.core.decisions import RowState, What
from keepstep.core.rules import Rule
from keepstep.store import sign_in_attempts
from keepstep.store.bulk import insert_history
from keepstep.store.models import (
    ApiToken,
    Appointment,
    Delivery,
    History,
    ImportDraft,
    Mail,
    Notice,
    Run,
    Sample,
    Session,
)
from keepstep.store.orders import forget_some
from keepstep.store.settings import ApplicationSettings

AT_ONCE = 500
UPLOADS = timedelta(days=1)
ORDERS = timedelta(days=1)
"""What the queue of a fleet noted of orders that are done."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things are kept. `past_keep` None: past appointments are kept for ever."""

    history: timedelta
    runs: timedelta
    past_keep: timedelta | None = None

    @classmethod
    def of(cls, settings: ApplicationSettings) -> Terms:
        """Give the terms that the settings name."""
        past = settings.past_keep_days
        return cls(
            timedelta(days=settings.history_days),
            timedelta(days=settings.run_days),
            None if past is None else timedelta(days=past),
        )


def purge_some(terms: Terms, now: datetime) -> dict[str, int]:
    """Delete at most `AT_ONCE` rows of each kind, each kind in a transaction of its own.

    Gives how many went, by kind; empty when nothing is left to purge.
    """
    gone = {}
    for kind, rows in _old(terms, now).items():
        with transaction.atomic():
            chosen = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            if chosen:
                if rows.model is Appointment:
                    _tell(chosen, now)
                rows.model._default_manager.filter(pk__in=chosen).delete()
                gone[kind] = len(chosen)
    if orders := forget_some(now - ORDERS, AT_ONCE):
        gone["orders"] = orders
    return gone


def _tell(going: Sequence[int], at: datetime) -> None:
    """Have the history say of appointments that stand until now that they are kept no longer."""
    standing = Appointment.objects.filter(pk__in=going).exclude(state=RowState.REMOVED)
    told = (at, What.REMOVED.value, Rule.NO_LONGER_KEPT.value)
    insert_history([(*row, *told) for row in standing.values_list("mailbox_id", "uid", "item_id")])


def _old(terms: Terms, now: datetime) -> dict[str, QuerySet]:  # type: ignore[type-arg]
    before = now - terms.history
    removed = Q(state=RowState.REMOVED, state_since__lt=before)
    if terms.past_keep is not None:
        settled = ~Q(state__in=[RowState.PENDING, RowState.HELD])
        removed |= Q(span_end__lt=now - terms.past_keep) & settled
    mails = Q(sent__lt=now - terms.runs) | Q(given_up__lt=now - terms.runs)
    return {
        "history": History.objects.filter(at__lt=before),
        "appointments": Appointment.objects.filter(removed),
        "runs": Run.objects.filter(started__lt=now - terms.runs),
        "samples": Sample.objects.filter(at__lt=now - terms.runs),
        "e-mails": Mail.objects.filter(mails),
        "uploads": ImportDraft.objects.filter(created__lt=now - UPLOADS),
        "deliveries": Delivery.objects.filter(dead_at__lt=now - terms.runs),
        "tokens": ApiToken.objects.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before)),
        "notices": Notice.objects.filter(closed__lt=before),
        "sessions": Session.objects.filter(expire_date__lt=now),
        "sign-in attempts": sign_in_attempts.old(now),
    }
