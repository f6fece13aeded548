"""All that is known of one operator: how the mailbox stands, and what lately became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from keepstep.core.administration import Circumstances, for_administrator
from keepstep.core.appointment import Sensitivity
from keepstep.core.decisions import RowState
from keepstep.core.delivery import Way
from keepstep.core.failures import FAILURES
from keepstep.store import holds
from keepstep.store.models import (
    Appointment,
    History,
    Mailbox,
    Operator,
    Quarantine,
    Run,
    Subscription,
)
from keepstep.store.operators import ShownFailure, ShownOperator, find, show_some
from keepstep.store.settings import load

# Failures of an operator are looked for in so many of the last runs.
RUNS_LOOKED_AT = 1000
MOST_SHOWN = 20
MOST_QUARANTINED = 200


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """How Keepstep's work on the mailbox stands. All instants are UTC.

    `next_attempt` is None for: with the next run of the job. `paused_until` is a pause that
    Exchange named. `failures` is how many rounds in a row failed, since `failing_since`.
    `folder_known` says that the calendar folder was found.
    """

    address: str
    last_success: datetime | None
    next_attempt: datetime | None
    paused_until: datetime | None
    failing_since: datetime | None
    failures: int
    in_full_round: bool
    full_round_wanted: bool
    folder_known: bool
    cutoff: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """How changes of the mailbox come to be known. All instants are UTC.

    `heard_at` is the last notification or sign of life of its subscription. `refused` says why
    Exchange tells nothing of it, `retry_at` when it is asked again.
    """

    way: Way
    delay: float | None
    subscribed_at: datetime | None
    heard_at: datetime | None
    covered_until: datetime | None
    refused: ShownFailure | None
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class NamedIn:
    """A run that named the operator among its failures: when it began (UTC), and the failure."""

    job: str
    started: datetime
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What one page of a round changed, at `at` (UTC): how many appointments by what was done."""

    at: datetime
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class SetAside:
    """An item that can't be read, since when (UTC); code, plain words and remedy."""

    item_id: str
    code: str
    message: str
    remedy: str
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows the calendar has: ahead, over, cancelled (of both), private, held."""

    upcoming: int
    past: int
    cancelled: int
    private: int
    held: int


@dataclass(frozen=True, slots=True)
class OperatorDetail:
    """An operator's page. `for_exchange` is what Exchange's administrator can do, or "".

    Nothing of it tells what is private.

    `named_in`, `changes` and `quarantined` are the newest first; `quarantined` has at most
    `MOST_QUARANTINED` of `quarantined_count`.
    """

    operator: ShownOperator
    key: int
    created_at: datetime
    mailbox: MailboxFacts
    delivery: DeliveryFacts
    for_exchange: str
    named_in: tuple[NamedIn, ...]
    changes: tuple[Changed, ...]
    quarantined: tuple[SetAside, ...]
    quarantined_count: int
    hold: holds.Hold | None
    counts: Counts


def detail(email: str, now: datetime) -> OperatorDetail:
    """Give all that is known of an operator at `now` (aware). Raises UsageError as `find` does."""
    operator = find(email)
    mailbox = operator.mailbox
    (shown,) = show_some([operator], now)
    quarantine = Quarantine.objects.filter(mailbox=mailbox)
    held = holds.listing(operator, with_private=False)
    return OperatorDetail(
        operator=shown,
        key=operator.pk,
        created_at=operator.created_at,
        mailbox=_facts(mailbox),
        delivery=_delivery(mailbox, shown),
        for_exchange=_for_exchange(shown),
        named_in=_named_in(operator),
        changes=_changes(mailbox),
        quarantined=tuple(map(_set_aside, quarantine.order_by("-since")[:MOST_QUARANTINED])),
        quarantined_count=quarantine.count(),
        hold=held[0] if held else None,
        counts=_counts(mailbox, now),
    )


def _facts(mailbox: Mailbox) -> MailboxFacts:
    return MailboxFacts(
        address=mailbox.address,
        last_success=mailbox.last_success,
        next_attempt=mailbox.next_attempt,
        paused_until=mailbox.paused_until,
        failing_since=mailbox.failing_since,
        failures=mailbox.failures,
        in_full_round=mailbox.in_full_round,
        full_round_wanted=mailbox.full_round_wanted,
        folder_known=bool(mailbox.folder_id),
        cutoff=mailbox.cutoff,
    )


def _delivery(mailbox: Mailbox, shown: ShownOperator) -> DeliveryFacts:
    row = Subscription.objects.filter(mailbox=mailbox).first()
    refused = None
    if row is not None and row.code:
        known = FAILURES.get(row.code, FAILURES["internal-error"])
        refused = ShownFailure(row.code, known.message, known.remedy, None)
    return DeliveryFacts(
        way=shown.way,
        delay=mailbox.delay,
        subscribed_at=row.subscribed_at if row else None,
        heard_at=row.heard_at if row else None,
        covered_until=mailbox.covered_until,
        refused=refused,
        retry_at=row.retry_at if row else None,
    )


def _for_exchange(shown: ShownOperator) -> str:
    if shown.failure is None:
        return ""
    settings = load(with_secrets=False)
    about = Circumstances(settings.username, settings.auth.value, shown.email)
    return for_administrator(shown.failure.code, about)


def _named_in(operator: Operator) -> tuple[NamedIn, ...]:
    # The text is looked for in the database, so that runs without this operator are not read.
    lately = Run.objects.order_by("-pk").values_list("pk", flat=True)[:RUNS_LOOKED_AT]
    runs = Run.objects.filter(pk__in=list(lately), failures__icontains=operator.email)
    found = [
        _named(run, each)
        for run in runs.order_by("-pk")[:MOST_SHOWN]
        for each in run.failures
        if each.get("operator", "").lower() == operator.email.lower()
    ]
    return tuple(found[:MOST_SHOWN])


def _named(run: Run, failure: dict[str, str]) -> NamedIn:
    return NamedIn(
        run.job,
        run.started,
        failure.get("code", ""),
        failure.get("message", ""),
        failure.get("remedy", ""),
    )


def _changes(mailbox: Mailbox) -> tuple[Changed, ...]:
    rows = History.objects.filter(mailbox=mailbox).values_list("at", "what")
    counted = rows.annotate(count=Count("pk")).order_by("-at", "what")
    pages: dict[datetime, dict[str, int]] = {}
    for at, what, count in counted[: MOST_SHOWN * 10]:
        if at not in pages and len(pages) == MOST_SHOWN:
            break
        pages.setdefault(at, {})[what] = count
    return tuple(Changed(at, counts) for at, counts in pages.items())


def _set_aside(row: Quarantine) -> SetAside:
    known = FAILURES.get(row.code, FAILURES["item-unreadable"])
    return SetAside(row.item_id, row.code, known.message, known.remedy, row.detail, row.since)


def _counts(mailbox: Mailbox, now: datetime) -> Counts:
    rows = Appointment.objects.filter(mailbox=mailbox).exclude(state=RowState.REMOVED)
    ahead = Q(span_end=None) | Q(span_end__gt=now)
    counted = rows.aggregate(
        upcoming=Count("pk", filter=ahead),
        past=Count("pk", filter=~ahead),
        cancelled=Count("pk", filter=Q(cancelled=True)),
        private=Count("pk", filter=~Q(sensitivity=Sensitivity.NORMAL)),
        held=Count("pk", filter=Q(state=RowState.HELD)),
    )
    return Counts(**counted)
