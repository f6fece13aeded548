"""The history of runs."""

from __future__ import annotations

from typing import Annotated, Any

from django.forms.models import model_to_dict
from django.http import HttpRequest
from ninja import Query, Router

from keepstep.api import schemas_running as schemas
from keepstep.api.callers import ADMINISTRATORS, opens
from keepstep.api.paging import CursorText, Limit, Number, number_before, to_cursor
from keepstep.api.problems import not_found
from keepstep.core.scopes import Scope
from keepstep.store import runs
from keepstep.store.models import Run

router = Router(tags=["runs"])
reads = opens(Scope.READ_JOBS, ADMINISTRATORS)


@router.get("/runs", response=schemas.Runs, **reads)
def listing(
    request: HttpRequest,
    limit: Limit,
    cursor: CursorText,
    job: Annotated[str | None, Query(None, max_length=200)] = None,
) -> object:
    """List the runs of all jobs or of one, the newest first."""
    name = None if job is None else job.replace("\0", "")
    found = runs.latest(name, before=number_before(cursor), limit=limit + 1)
    more, found = len(found) > limit, found[:limit]
    items = [run_of(each) for each in found]
    return {"items": items, "next": to_cursor(found[-1].pk) if more else None}


@router.get("/runs/{number}", response=schemas.Run, **reads)
def one(request: HttpRequest, number: Number) -> object:
    """Give a run."""
    found = runs.find_run(number)
    if found is None:
        raise not_found()
    return run_of(found)


def run_of(run: Run) -> dict[str, Any]:
    """Give a run as the API tells it."""
    failures = run.failures if isinstance(run.failures, list) else []
    plain = [{name: str(value) for name, value in each.items()} for each in failures]
    return {**model_to_dict(run), "id": run.pk, "failures": plain}
