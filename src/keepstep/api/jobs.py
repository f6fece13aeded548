"""The job schedulers, and work that was begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from keepstep.api import schemas_running as schemas
from keepstep.api.callers import ADMINISTRATORS, EVERYBODY, caller_of, opens
from keepstep.api.problems import not_found
from keepstep.api.runs import run_of
from keepstep.core.scopes import Scope
from keepstep.store import jobs
from keepstep.store.jobs import ShownJob
from keepstep.sync.background import Reporter, find, start
from keepstep.sync.service import API, run_job_now

router = Router(tags=["jobs"])
reads = opens(Scope.READ_JOBS, ADMINISTRATORS)
writes = opens(Scope.WRITE_JOBS, ADMINISTRATORS)


@router.get("/jobs", response=schemas.Jobs, **reads)
def listing(request: HttpRequest) -> object:
    """List the jobs, each with its next and its last run."""
    return {"items": [_shown(each) for each in jobs.listing(datetime.now(UTC))]}


@router.post("/jobs", response={201: schemas.Job}, **writes)
def add(request: HttpRequest, new: schemas.NewJob) -> object:
    """Add a job."""
    values = new.dict(include={"schedule", "context"}, exclude_none=True)
    by = caller_of(request).by
    added = jobs.add(new.name, new.kind, values, enabled=new.enabled, by=by)
    return Status(201, _one(added.name))


@router.get("/jobs/{name}", response=schemas.Job, **reads)
def one(request: HttpRequest, name: str) -> object:
    """Give a job."""
    return _one(name)


@router.patch("/jobs/{name}", response=schemas.Job, **writes)
def change(request: HttpRequest, name: str, wanted: schemas.JobChange) -> object:
    """Enable or disable a job; change its schedule or context. All or nothing."""
    _one(name)
    by = caller_of(request).by
    with transaction.atomic():
        values = wanted.dict(include={"schedule", "context"}, exclude_none=True)
        if values:
            jobs.change(name, values, by=by)
        if wanted.enabled is not None:
            jobs.switch(name, on=wanted.enabled, by=by)
    return _one(name)


@router.delete("/jobs/{name}", response={204: None}, **writes)
def delete(request: HttpRequest, name: str) -> object:
    """Delete a job that was added; its runs stay in the history."""
    _one(name)
    jobs.delete(name, by=caller_of(request).by)
    return HttpResponse(status=204)


@router.post("/jobs/{name}/reset", response=schemas.Job, **writes)
def reset(request: HttpRequest, name: str) -> object:
    """Let a shipped job be as it is shipped."""
    _one(name)
    jobs.reset(name, by=caller_of(request).by)
    return _one(name)


@router.post("/jobs/{name}/runs", response={202: schemas.Begun}, **writes)
def run(request: HttpRequest, name: str) -> object:
    """Run a job now."""
    _one(name)
    job = jobs.definition(name)

    def do(report: Reporter) -> Mapping[str, Any]:
        return asdict(run_job_now(job, report.progress, trigger=API))

    return Status(202, {"task": start(caller_of(request).account, "run", do)})


@router.get("/tasks/{task}", response=schemas.Task, **opens(None, EVERYBODY))
def progress(request: HttpRequest, task: UUID) -> object:
    """Tell how far work is that a token of the same account began."""
    found = find(caller_of(request).account, task, datetime.now(UTC))
    if found is None:
        raise not_found()
    return asdict(found)


def _one(name: str) -> dict[str, Any]:
    for each in jobs.listing(datetime.now(UTC)):
        if each.definition.name == name:
            return _shown(each)
    raise not_found()


def _shown(shown: ShownJob) -> dict[str, Any]:
    job = shown.definition
    return {
        "name": job.name,
        "kind": job.kind,
        "enabled": job.enabled,
        "schedule": str(job.schedule),
        "context": job.context,
        "shipped": job.shipped,
        "changed": shown.changed,
        "next_run": shown.next_run,
        "last_run": run_of(shown.last_run) if shown.last_run else None,
    }
