"""How the whole fares: what the health page shows. Nobody's appointment is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    F,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from keepstep.core.decisions import RowState
from keepstep.core.delivery import Way, way_now
from keepstep.core.failures import FAILURES, Failure
from keepstep.core.freshness import Freshness, nearest_rank, of_hundred
from keepstep.core.schedule import Status, status
from keepstep.store import jobs, orders, subscriptions, workers
from keepstep.store.models import Appointment, Mail, Mailbox, Operator, Quarantine, Run, Sample
from keepstep.store.orders import Lane
from keepstep.store.settings import ApplicationSettings, load, needed
from keepstep.store.workers import ShownWorker

BETWEEN_SAMPLES = timedelta(minutes=5)
RATE_OVER = timedelta(minutes=15)
NAMED = 50


@dataclass(frozen=True, slots=True)
class FailingGroup:
    """The operators whose calendars fail alike: the first of them by name, and how many."""

    failure: Failure
    operators: tuple[str, ...]
    count: int
    since: datetime | None

    @property
    def more(self) -> int:
        """Give how many are not named."""
        return self.count - len(self.operators)


@dataclass(frozen=True, slots=True)
class Attention:
    """An operator with things that wait for a person: how many."""

    operator: str
    count: int


@dataclass(frozen=True, slots=True)
class Hour:
    """What changed in an hour that begins at `start` (UTC)."""

    start: datetime
    changes: int


@dataclass(frozen=True, slots=True)
class Point:
    """How far behind the mailboxes were at an instant (UTC), in seconds."""

    at: datetime
    most: float
    slowest: float


@dataclass(frozen=True, slots=True)
class WayOut:
    """A way of delivery that does not serve for this server, why, and since when (UTC)."""

    way: Way
    failure: Failure
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole at an instant: counts by status, how far behind, what fails, what waits.

    `ways` counts the mailboxes in step by the way in which changes come to be known; `delay` is
    within how many seconds the last change of 99 of 100 of those told of was stored.
    """

    at: datetime
    statuses: dict[str, int]
    freshness: Freshness
    rounds_per_minute: float
    failing: tuple[FailingGroup, ...]
    held: tuple[Attention, ...]
    quarantined: tuple[Attention, ...]
    mails_waiting: int
    appointments: int
    ways: dict[str, int]
    delay: float | None
    troubles: tuple[WayOut, ...]
    workers: tuple[ShownWorker, ...]
    lanes: tuple[Lane, ...]


def overview(now: datetime) -> Overview:
    """Give how the whole stands at `now` (UTC)."""
    frequency = timedelta(minutes=load(with_secrets=False).notification_frequency)
    statuses = Counter({each.value: 0 for each in Status})
    ways = Counter({each.value: 0 for each in Way})
    delays: list[float] = []
    subscribed = subscriptions.ways()
    for each in _mailboxes():
        enabled, success, failing_since = each.enabled, each.last_success, each.failing_since
        stands = status(
            enabled=enabled,
            last_success=success,
            failing_since=failing_since,
            now=now,
            notification_frequency=frequency,
        )
        statuses[stands.value] += 1
        if enabled and success is not None:
            way = way_now(subscribed.get(each.pk, ""), each.covered_until, now)
            ways[way.value] += 1
            if way is not Way.POLLING and each.delay is not None:
                delays.append(each.delay)
    return Overview(
        now,
        dict(statuses),
        behind(now),
        _rounds_per_minute(now),
        _failing(),
        _waiting(Appointment.objects.filter(state=RowState.HELD)),
        _waiting(Quarantine.objects.all()),
        Mail.objects.filter(sent=None, given_up=None).count(),
        Appointment.objects.exclude(state=RowState.REMOVED).count(),
        dict(ways),
        of_hundred(delays),
        _troubles(),
        tuple(workers.listing(now)),
        orders.lanes(),
    )


def _troubles() -> tuple[WayOut, ...]:
    return tuple(
        WayOut(
            each.way, FAILURES.get(each.code, FAILURES["internal-error"]), each.detail, each.since
        )
        for each in subscriptions.troubles()
    )


def note_sample(now: datetime) -> bool:
    """Note how far behind the mailboxes are, if that was not done lately; say whether it was."""
    last = Sample.objects.order_by("-at").values_list("at", flat=True).first()
    if last is not None and now - last < BETWEEN_SAMPLES:
        return False
    found = behind(now)
    enabled = Mailbox.objects.filter(operator__calendar_sync=True)
    failing = enabled.filter(failing_since__isnull=False).count()
    try:
        with transaction.atomic():
            Sample.objects.create(
                at=now,
                mailboxes=found.mailboxes,
                failing=failing,
                slowest=found.slowest,
                most=found.most,
            )
    except IntegrityError:
        return False  # another process noted the same instant
    return True


def behind(now: datetime) -> Freshness:
    """Give how far behind those are that were in step once, at `now` (UTC).

    When each was last known to be in step is said as by `core.delivery.known_in_step`, by the
    database: with many mailboxes reading all of them would keep others from its one writer.
    """
    told = Q(failing_since__isnull=True, covered_until__gt=now)
    at = Case(When(told, then=Value(now)), default=F("last_success"), output_field=DateTimeField())
    once = Mailbox.objects.filter(operator__calendar_sync=True, last_success__isnull=False)
    oldest_first = once.annotate(known=at).order_by("known").values_list("known", flat=True)
    count = once.count()
    if not count:
        return Freshness(0)
    last = count - 1
    slowest, most = oldest_first[0], oldest_first[last - nearest_rank(count)]
    return Freshness(count, *(max(0.0, (now - each).total_seconds()) for each in (slowest, most)))


def day_of_freshness(now: datetime) -> list[Point]:
    """Give how far behind the mailboxes were over the last 24 hours, oldest first."""
    rows = Sample.objects.filter(at__gte=now - timedelta(days=1), most__isnull=False)
    return [Point(each.at, each.most or 0.0, each.slowest or 0.0) for each in rows.order_by("at")]


def day_of_changes(now: datetime) -> list[Hour]:
    """Give what changed in each of the last 24 hours, oldest first."""
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = this_hour - timedelta(hours=23)
    counts: Counter[datetime] = Counter()
    rows = Run.objects.filter(started__gte=first).values_list(
        "started", "created", "updated", "removed"
    )
    for started, created, updated, removed in rows.iterator(chunk_size=2000):
        hour = started.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        counts[hour] += created + updated + removed
    hours = [first + timedelta(hours=number) for number in range(24)]
    return [Hour(each, counts[each]) for each in hours]


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a newcomer has done already, step by step, in the order in which to do it."""

    settings: bool
    connection: bool
    operators: bool
    job: bool
    first_round: bool

    @property
    def complete(self) -> bool:
        """Say whether nothing is left to do."""
        return all((self.settings, self.connection, self.operators, self.job, self.first_round))


def set_up() -> SetUp:
    """Give how far the set-up is. A connection counts once Exchange has let somebody in."""
    settings = load()
    complete = _is_complete(settings)
    in_step = Mailbox.objects.exclude(last_success=None).exists()
    return SetUp(
        complete,
        in_step or (complete and _connection_was_tried()),
        Operator.objects.filter(calendar_sync=True).exists(),
        any(each.enabled for each in jobs.definitions()),
        in_step,
    )


def _is_complete(settings: ApplicationSettings) -> bool:
    wanted = needed(settings.auth)
    return settings.calendar_integration and all(getattr(settings, each) for each in wanted)


def _connection_was_tried() -> bool:
    from keepstep.store.models import Task

    return Task.objects.filter(kind="doctor", result__ok=True).exists()


@dataclass(frozen=True, slots=True)
class _Mailbox:
    pk: int
    enabled: bool
    last_success: datetime | None
    failing_since: datetime | None
    covered_until: datetime | None
    delay: float | None


def _mailboxes() -> list[_Mailbox]:
    columns = ("pk", "operator__calendar_sync", "last_success", "failing_since")
    rows = Mailbox.objects.values_list(*columns, "covered_until", "delay")
    return [_Mailbox(*each) for each in rows]


def _rounds_per_minute(now: datetime) -> float:
    began = now - RATE_OVER
    done = Run.objects.filter(finished__gte=began).aggregate(all=Sum("mailboxes"))["all"] or 0
    return float(done) / (RATE_OVER.total_seconds() / 60)


def _failing() -> tuple[FailingGroup, ...]:
    rows = Mailbox.objects.filter(operator__calendar_sync=True).exclude(failure_code="")
    columns = ("failure_code", "operator__email", "failing_since")
    by_code: dict[str, list[tuple[str, datetime | None]]] = {}
    for code, email, since in rows.order_by("operator__email").values_list(*columns):
        by_code.setdefault(code, []).append((email, since))
    groups = [_group(code, members) for code, members in by_code.items()]
    return tuple(sorted(groups, key=lambda each: (-each.count, each.failure.code)))


def _group(code: str, members: Sequence[tuple[str, datetime | None]]) -> FailingGroup:
    since = min((each for _, each in members if each is not None), default=None)
    return FailingGroup(
        FAILURES.get(code, FAILURES["internal-error"]),
        tuple(email for email, _ in members[:NAMED]),
        len(members),
        since,
    )


def _waiting(rows: QuerySet[Appointment] | QuerySet[Quarantine]) -> tuple[Attention, ...]:
    counted = (
        rows.values("mailbox__operator__email")
        .annotate(count=Count("id"))
        .order_by("-count", "mailbox__operator__email")[:NAMED]
    )
    return tuple(Attention(each["mailbox__operator__email"], each["count"]) for each in counted)
