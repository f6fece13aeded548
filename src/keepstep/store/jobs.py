"""Job schedulers: those shipped, those an administrator added, what was changed, the last runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.db import IntegrityError, transaction
from tzlocal import get_localzone

from keepstep.core.errors import UsageError
from keepstep.core.job_schedule import Schedule, next_runs, parse_schedule
from keepstep.store import audit
from keepstep.store.fields import did_you_mean, read_line, sentence, shown
from keepstep.store.models import Job, Operator, Run
from keepstep.store.operators import access_groups

SYSTEM = "system"
SYNCHRONIZATION = "CalendarSynchronization"
VERIFICATION = "CalendarVerification"
KINDS = (SYNCHRONIZATION, VERIFICATION)
SHOWN_RUNS = 5
LONGEST_NAME = 60
MOST_JOBS = 200
# A name stands in addresses of pages and on the command line.
_IN_NAMES = frozenset(" -_.,:()&+'")


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """A job as it stands. `context` is "system" or an access group, `kind` one of `KINDS`.

    `shipped`: it comes with the product, so it can be reset but not deleted.
    """

    name: str
    enabled: bool
    schedule: Schedule
    context: str = SYSTEM
    kind: str = SYNCHRONIZATION
    shipped: bool = True


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job as a person sees it: how it stands, whether changed, its next runs and its last one.

    `changed` says that a shipped one is not as shipped. `next_run` (UTC) is None for a job that
    is off, `last_run` for one that never ran. `next_runs` are the next five (UTC), of a job that
    is off those that it would have.
    """

    definition: JobDefinition
    changed: bool
    next_run: datetime | None
    last_run: Run | None
    next_runs: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Shipped:
    """A job as it is shipped: schedule as text, always in the context "system".

    One that `follows` another is on when that one is, until it is switched itself.
    """

    enabled: bool
    schedule: str
    follows: str = ""


SHIPPED: dict[str, Shipped] = {
    SYNCHRONIZATION: Shipped(enabled=False, schedule="1"),
    VERIFICATION: Shipped(enabled=False, schedule="30 2 * * *", follows=SYNCHRONIZATION),
}


def definitions() -> list[JobDefinition]:
    """Give every job as it stands: the shipped ones in their order, then the added ones by name."""
    stored = {each.name: each for each in Job.objects.all()}
    zone = server_zone()
    shipped = [_shipped(name, stored, zone) for name in SHIPPED]
    added = [each for each in stored.values() if each.kind in KINDS and each.name not in SHIPPED]
    return shipped + [_added(each, zone) for each in sorted(added, key=_by_name)]


def definition(name: str) -> JobDefinition:
    """Give one job as it stands, its name in any case. Raises UsageError where no job has it."""
    return _find(name, definitions())


def listing(now: datetime) -> list[ShownJob]:
    """Give every job as a person sees it at `now` (aware)."""
    stored = set(Job.objects.values_list("name", flat=True))
    return [_shown(each, now, stored) for each in definitions()]


def runs_ahead(schedule: str, now: datetime, count: int = SHOWN_RUNS) -> list[datetime]:
    """Give when a job of this schedule (minutes or a cron line) would run next, in UTC.

    Fewer than `count` where the calendar ends before. Raises UsageError for what is no schedule.
    """
    try:
        return next_runs(parse_schedule(schedule, server_zone()), now, count)
    except ValueError as error:
        raise UsageError(sentence([f"schedule {error}"])) from None


def add(
    name: str,
    kind: str,
    values: Mapping[str, str],
    *,
    enabled: bool = False,
    by: str = audit.COMMAND_LINE,
) -> JobDefinition:
    """Add a job of a kind (see `KINDS`, any case), and give it as it stands.

    `values` may hold `schedule` (else that of the shipped job of the kind) and `context` (else
    "system"). `by` is who did it, for the audit. Raises UsageError; nothing is stored then.
    """
    chosen = _kind(kind)
    refused: list[str] = []
    title = ""
    try:
        title = _name(name)
    except ValueError as error:
        refused.append(f"the name of a job {error}")
    checked = {"schedule": SHIPPED[chosen].schedule, "context": SYSTEM} | _checked(values, refused)
    try:
        with transaction.atomic():
            _check_free(title)
            Job.objects.create(name=title, kind=chosen, enabled=enabled, **checked)
            added = definition(title)
            new = {field: (None, value) for field, value in _fields(added).items()}
            audit.record(by, "job.add", title, {"kind": (None, chosen), **new})
    except IntegrityError:
        raise UsageError(f"there is a job {shown(title)} already.") from None
    return added


def switch(name: str, *, on: bool, by: str = audit.COMMAND_LINE) -> None:
    """Enable or disable a job; `by` is who did it, for the audit."""
    _store(name, {"enabled": on}, "job.enable" if on else "job.disable", by)


def change(name: str, values: Mapping[str, str], *, by: str = audit.COMMAND_LINE) -> None:
    """Change `schedule` or `context` of a job, all or none. Raises UsageError."""
    job = definition(name)
    _store(job.name, _checked(values, []), "job.change", by)


def reset(name: str, *, by: str = audit.COMMAND_LINE) -> None:
    """Let a shipped job be again as it is shipped. Raises UsageError for one that was added."""
    with transaction.atomic():
        before = definition(name)
        if not before.shipped:
            raise UsageError(
                f"{before.name} was added here, there is nothing shipped to go back to:"
                " change it, or keepstep jobs delete it."
            )
        Job.objects.filter(name=before.name).delete()
        _record(before, "job.reset", by)


def delete(name: str, *, by: str = audit.COMMAND_LINE) -> None:
    """Delete a job that was added; its runs stay in the history. Raises UsageError.

    A run of it that is under way goes on to its end.
    """
    with transaction.atomic():
        gone = definition(name)
        if gone.shipped:
            raise UsageError(
                f"{gone.name} is shipped and can't be deleted: keepstep jobs disable {gone.name}"
            )
        Job.objects.filter(name=gone.name).delete()
        old = {field: (value, None) for field, value in _fields(gone).items()}
        audit.record(by, "job.delete", gone.name, {"kind": (gone.kind, None), **old})


def server_zone() -> tzinfo:
    """Give the time zone of this machine, in which cron lines are read; UTC if it has none."""
    try:
        return get_localzone()
    except (LookupError, OSError, ValueError):
        return UTC


def _find(name: str, known: list[JobDefinition]) -> JobDefinition:
    names = {each.name.casefold(): each for each in known}
    wanted = " ".join(name.split()).casefold()
    if wanted not in names:
        near = did_you_mean(wanted, names)
        listed = ", ".join(each.name for each in known[: len(SHIPPED) + 3])
        hint = f"did you mean {names[near].name}?" if near else f"there are {listed}"
        raise UsageError(f"no job is called {shown(name)}; {hint}")
    return names[wanted]


def _by_name(job: Job) -> tuple[str, str]:
    return job.name.casefold(), job.name


def _shipped(name: str, stored: Mapping[str, Job], zone: tzinfo) -> JobDefinition:
    shipped, changed = SHIPPED[name], stored.get(name)
    enabled, schedule, context = shipped.enabled, shipped.schedule, SYSTEM
    if shipped.follows:
        enabled = _shipped(shipped.follows, stored, zone).enabled
    if changed is not None:
        enabled = enabled if changed.enabled is None else changed.enabled
        schedule = changed.schedule or schedule
        context = changed.context or context
    return JobDefinition(name, enabled, parse_schedule(schedule, zone), context, name)


def _added(job: Job, zone: tzinfo) -> JobDefinition:
    schedule = parse_schedule(job.schedule or SHIPPED[job.kind].schedule, zone)
    context = job.context or SYSTEM
    return JobDefinition(job.name, bool(job.enabled), schedule, context, job.kind, shipped=False)


def _shown(definition: JobDefinition, now: datetime, stored: set[str]) -> ShownJob:
    ahead = tuple(next_runs(definition.schedule, now, SHOWN_RUNS))
    return ShownJob(
        definition,
        definition.shipped and definition.name in stored,
        ahead[0] if definition.enabled else None,
        Run.objects.filter(job=definition.name).order_by("-started").first(),
        ahead,
    )


def _kind(text: str) -> str:
    kinds = {each.casefold(): each for each in KINDS}
    wanted = text.strip().casefold()
    if wanted not in kinds:
        near = did_you_mean(wanted, kinds)
        hint = f"did you mean {kinds[near]}?" if near else f"there are {' and '.join(KINDS)}"
        raise UsageError(f"no kind of job is called {shown(text)}; {hint}")
    return kinds[wanted]


def _name(text: str) -> str:
    name = " ".join(read_line(text).split())
    if not name:
        raise ValueError("must not be empty")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"must have at most {LONGEST_NAME} characters, not {len(name)}")
    if not name[0].isalnum() or not all(each.isalnum() or each in _IN_NAMES for each in name):
        raise ValueError(
            "must begin with a letter or digit, and have none but letters, digits, blanks and"
            f" {''.join(sorted(_IN_NAMES)).strip()}, not {shown(name)}"
        )
    return name


def _check_free(name: str) -> None:
    known = definitions()
    if any(each.name.casefold() == name.casefold() for each in known):
        raise UsageError(f"there is a job {shown(name)} already.")
    if len(known) >= MOST_JOBS:
        raise UsageError(f"there are {len(known)} jobs already: delete one first.")


def _checked(values: Mapping[str, str], refused: list[str]) -> dict[str, str]:
    """Give the fields as they are stored. Raises UsageError with all reasons, those given first."""
    checked = {}
    for field, text in values.items():
        try:
            checked[field] = _read(field, text)
        except ValueError as error:
            refused.append(str(error))
    if refused:
        raise UsageError(sentence(refused))
    return checked


def _read(field: str, text: str) -> str:
    if field == "schedule":
        try:
            return str(parse_schedule(text))
        except ValueError as error:
            raise ValueError(f"schedule {error}") from None
    if field == "context":
        return _context(text.strip())
    near = did_you_mean(field, ("schedule", "context"))
    hint = f"did you mean {near}?" if near else "there are schedule and context"
    raise ValueError(f"a job has no field {shown(field)}; {hint}")


def _context(text: str) -> str:
    if text.casefold() == SYSTEM:
        return SYSTEM
    if text and Operator.objects.filter(access_group=text).exists():
        return text
    groups = access_groups()
    near = did_you_mean(text, groups)
    hint = f"; did you mean {near}?" if near else ""
    raise ValueError(
        f"context must be system or the access group of an operator, not {shown(text)}{hint}"
    )


def _store(name: str, values: Mapping[str, object], action: str, by: str) -> None:
    with transaction.atomic():
        before = definition(name)
        Job.objects.update_or_create(name=before.name, defaults=dict(values))
        _record(before, action, by)


def _fields(job: JobDefinition) -> dict[str, object]:
    """Give a job's fields as the audit keeps them."""
    return {"enabled": job.enabled, "schedule": str(job.schedule), "context": job.context}


def _record(before: JobDefinition, action: str, by: str) -> None:
    changes = audit.differences(_fields(before), _fields(definition(before.name)))
    if changes:
        audit.record(by, action, before.name, changes)
