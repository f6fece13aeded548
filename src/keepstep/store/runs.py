"""The history of runs, and which mailboxes a run is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, Case, F, IntegerField, Q, QuerySet, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Floor, Lower

from keepstep.core.errors import UsageError
from keepstep.core.shares import SHARD_SIZE
from keepstep.store.lookups import among, parameter
from keepstep.store.models import Mailbox, Operator, Run

SYSTEM = "system"
# However many the settings let be kept, and where nothing ever purges.
KEPT_RUNS = 100_000
# Into so many groups mailboxes fall whose safety polls come at different times.
_TURNS = 12


def begin_run(job: str, trigger: str, at: datetime) -> int:
    """Note that a run of the job began at `at` (UTC); give its number."""
    return int(Run.objects.create(job=job, trigger=trigger, started=at).pk)


def end_run(run_id: int, at: datetime, counts: Mapping[str, object]) -> None:
    """Note that the run ended at `at` (UTC), with what it did and what failed."""
    failures = _of_present_operators(counts.get("failures"))
    Run.objects.filter(pk=run_id).update(**{**counts, "finished": at, "failures": failures})
    Run.objects.filter(pk__lte=run_id - KEPT_RUNS).delete()


def add_to_run(run_id: int, at: datetime, counts: Mapping[str, object]) -> None:
    """Add to a run what one of those who share it did; it lasts at least until `at` (UTC)."""
    failures = _of_present_operators(counts.get("failures"))
    numbers = {name: F(name) + value for name, value in counts.items() if isinstance(value, int)}
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id).first()
        if run is not None:
            known = run.failures if isinstance(run.failures, list) else []
            changed = {**numbers, "finished": at, "failures": [*known, *failures]}
            Run.objects.filter(pk=run_id).update(**changed)


def latest(job: str | None = None, *, before: int | None = None, limit: int = 20) -> list[Run]:
    """Give the latest runs, of one job or of all, the newest first.

    `before` gives those with a smaller number: the next page.
    """
    found = Run.objects.all() if job is None else Run.objects.filter(job=job)
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-pk")[:limit])


def find_run(number: int) -> Run | None:
    """Give a run by its number, None if there is none (any more)."""
    return Run.objects.filter(pk=number).first()


def _of_present_operators(failures: object) -> list[dict[str, str]]:
    """Leave out who was erased while the run went on."""
    if not isinstance(failures, list) or not failures:
        return []
    present = set(Operator.objects.values_list("email", flat=True))
    return [each for each in failures if each["operator"] in present]


@dataclass(frozen=True, slots=True)
class Shard:
    """Mailboxes that are handed out together; `long`: those that need a full round."""

    number: int
    long: bool


def due_mailboxes(
    context: str,
    now: datetime,
    *,
    safety_poll: timedelta | None = None,
    shard: Shard | None = None,
) -> list[int]:
    """Give the mailboxes of a context that are to be polled and not in a pause, by id.

    Those that notifications tell of are left out until their last success is `safety_poll` ago
    (None: none is left out). `shard` gives only those that belong to it.
    """
    mailboxes = _due(context, now, safety_poll)
    if shard is not None:
        first = shard.number * SHARD_SIZE
        mailboxes = mailboxes.filter(id__gte=first, id__lt=first + SHARD_SIZE)
        mailboxes = mailboxes.filter(_LONG) if shard.long else mailboxes.exclude(_LONG)
    return list(mailboxes.order_by("id").values_list("id", flat=True))


def lasting(mailbox_ids: Sequence[int]) -> set[int]:
    """Give those of the mailboxes whose next round is a full one, which lasts."""
    found = Mailbox.objects.filter(_LONG, among("id", mailbox_ids))
    return set(found.values_list("id", flat=True))


def due_shards(context: str, now: datetime, *, safety_poll: timedelta | None = None) -> list[Shard]:
    """Give the shards in which mailboxes are due, as `due_mailboxes` says it."""
    number = Cast(Floor(F("id") / SHARD_SIZE), IntegerField())
    long = Case(When(_LONG, then=True), default=False)
    found = _due(context, now, safety_poll).annotate(number=number, long=long)
    rows = found.order_by("number", "long").values_list("number", "long").distinct()
    return [Shard(*each) for each in rows]


# What lasts: a first round, or another full one. The others need not wait for it.
_LONG = Q(last_success__isnull=True) | Q(in_full_round=True) | Q(full_round_wanted=True)


def _due(context: str, now: datetime, safety_poll: timedelta | None) -> QuerySet[Mailbox]:
    mailboxes = Mailbox.objects.filter(operator__calendar_sync=True)
    if context != SYSTEM:
        mailboxes = mailboxes.filter(operator__access_group=context)
    mailboxes = mailboxes.filter(Q(next_attempt__isnull=True) | Q(next_attempt__lte=now))
    if safety_poll is None:
        return mailboxes
    parameters = [parameter(each) for each in (now, *_latest_polls(now, safety_poll))]
    return mailboxes.filter(RawSQL(_NEEDS_POLL, parameters, BooleanField()))  # noqa: S611 - constants


# All but those heard of, in step, and polled not long ago. As text, for it is asked for each shard:
# made of Django's conditions it costs more than all else of handing out.
_NEEDS_POLL = (
    "NOT (store_mailbox.covered_until IS NOT NULL AND store_mailbox.covered_until > %s"
    " AND store_mailbox.failing_since IS NULL AND NOT store_mailbox.full_round_wanted"
    " AND NOT store_mailbox.in_full_round AND NOT store_mailbox.unsettled"
    " AND store_mailbox.last_success IS NOT NULL AND store_mailbox.last_success >"
    f" CASE store_mailbox.id %% {_TURNS}"
    f"{''.join(f' WHEN {turn} THEN %s' for turn in range(_TURNS))} END)"
)


def _latest_polls(now: datetime, safety_poll: timedelta) -> list[datetime]:
    """Give for each turn, the rest of a mailbox's number, up to when (UTC) a success is too old.

    Not all wait for the whole of the safety poll: they'd all come at once again, and again.
    """
    return [now - safety_poll * (1 - turn / (3 * _TURNS)) for turn in range(_TURNS)]


def mailboxes_of(emails: Sequence[str] | None) -> list[int]:
    """Give the mailboxes of these operators, of all with calendar sync on for None, by id.

    Raises UsageError for an unknown operator, and for one whose calendar sync is off.
    """
    operators = Operator.objects.annotate(key=Lower("email"))
    if emails is None:
        chosen = operators.filter(calendar_sync=True)
        return list(chosen.order_by("mailbox__id").values_list("mailbox__id", flat=True))
    found = {
        each.key: each
        for each in operators.filter(key__in=[email.lower() for email in emails]).select_related(
            "mailbox"
        )
    }
    ids = []
    for email in emails:
        operator = found.get(email.lower())
        if operator is None:
            raise UsageError(f"There is no operator {email}. See keepstep operators list.")
        if not operator.calendar_sync:
            raise UsageError(
                f"Calendar sync is off for {email}: keepstep operators enable {email}."
            )
        ids.append(operator.mailbox.pk)
    return list(dict.fromkeys(ids))
