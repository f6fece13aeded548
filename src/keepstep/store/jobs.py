"""Job schedulers: what is shipped, what an administrator changed of it, and the last runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.db import transaction
from tzlocal import get_localzone

from keepstep.core.errors import UsageError
from keepstep.core.job_schedule import Schedule, next_runs, parse_schedule
from keepstep.store import audit
from keepstep.store.fields import did_you_mean, sentence, shown
from keepstep.store.models import Job, Operator, Run
from keepstep.store.operators import access_groups

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """A job as it stands. `context` is "system" or an access group."""

    name: str
    enabled: bool
    schedule: Schedule
    context: str = SYSTEM


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job as a person sees it: how it stands, whether changed, its next and its last run.

    `next_run` (UTC) is None for a job that is off, `last_run` for one that never ran.
    """

    definition: JobDefinition
    changed: bool
    next_run: datetime | None
    last_run: Run | None


@dataclass(frozen=True, slots=True)
class Shipped:
    """A job as it is shipped: schedule as text, always in the context "system".

    One that `follows` another is on when that one is, until it is switched itself.
    """

    enabled: bool
    schedule: str
    follows: str = ""


SHIPPED: dict[str, Shipped] = {
    "CalendarSynchronization": Shipped(enabled=False, schedule="1"),
    "CalendarVerification": Shipped(
        enabled=False, schedule="30 2 * * *", follows="CalendarSynchronization"
    ),
}


def definitions() -> list[JobDefinition]:
    """Give every job as it stands, in the order in which they are shipped."""
    changes = {each.name: each for each in Job.objects.filter(name__in=list(SHIPPED))}
    return [_definition(name, changes) for name in SHIPPED]


def definition(name: str) -> JobDefinition:
    """Give one job as it stands. Raises UsageError for a name that no job has."""
    known = _known(name)
    return next(each for each in definitions() if each.name == known)


def listing(now: datetime) -> list[ShownJob]:
    """Give every job as a person sees it at `now` (aware)."""
    return [_shown(each, now) for each in definitions()]


def switch(name: str, *, on: bool, by: str = audit.COMMAND_LINE) -> None:
    """Enable or disable a job; `by` is who did it, for the audit."""
    _store(_known(name), {"enabled": on}, "job.enable" if on else "job.disable", by)


def change(name: str, values: Mapping[str, str], *, by: str = audit.COMMAND_LINE) -> None:
    """Change `schedule` or `context` of a job, all or none. Raises UsageError."""
    known = _known(name)
    refused: list[str] = []
    checked: dict[str, object] = {}
    for field, text in values.items():
        try:
            checked[field] = _read(field, text)
        except ValueError as error:
            refused.append(str(error))
    if refused:
        raise UsageError(sentence(refused))
    _store(known, checked, "job.change", by)


def reset(name: str, *, by: str = audit.COMMAND_LINE) -> None:
    """Let a job be again as it is shipped."""
    known = _known(name)
    with transaction.atomic():
        before = _fields(known)
        Job.objects.filter(name=known).delete()
        _record(known, "job.reset", before, by)


def server_zone() -> tzinfo:
    """Give the time zone of this machine, in which cron lines are read; UTC if it has none."""
    try:
        return get_localzone()
    except (LookupError, OSError, ValueError):
        return UTC


def _known(name: str) -> str:
    names = {each.casefold(): each for each in SHIPPED}
    found = names.get(name.strip().casefold())
    if found is None:
        near = did_you_mean(name.casefold(), names)
        hint = f"did you mean {names[near]}?" if near else f"there are {', '.join(SHIPPED)}"
        raise UsageError(f"no job is called {shown(name)}; {hint}")
    return found


def _definition(name: str, changes: Mapping[str, Job]) -> JobDefinition:
    shipped, changed = SHIPPED[name], changes.get(name)
    enabled, schedule, context = shipped.enabled, shipped.schedule, SYSTEM
    if shipped.follows:
        enabled = _definition(shipped.follows, changes).enabled
    if changed is not None:
        enabled = enabled if changed.enabled is None else changed.enabled
        schedule = changed.schedule or schedule
        context = changed.context or context
    return JobDefinition(name, enabled, parse_schedule(schedule, server_zone()), context)


def _shown(definition: JobDefinition, now: datetime) -> ShownJob:
    return ShownJob(
        definition,
        Job.objects.filter(name=definition.name).exists(),
        next_runs(definition.schedule, now, 1)[0] if definition.enabled else None,
        Run.objects.filter(job=definition.name).order_by("-started").first(),
    )


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
        before = _fields(name)
        Job.objects.update_or_create(name=name, defaults=dict(values))
        _record(name, action, before, by)


def _fields(name: str) -> dict[str, object]:
    """Give a job's fields as the audit keeps them."""
    job = definition(name)
    return {"enabled": job.enabled, "schedule": str(job.schedule), "context": job.context}


def _record(name: str, action: str, before: Mapping[str, object], by: str) -> None:
    changes = audit.differences(before, _fields(name))
    if changes:
        audit.record(by, action, name, changes)
