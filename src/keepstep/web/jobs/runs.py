"""The history of runs."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from keepstep.store import runs
from keepstep.web.access import administrators, methods

AT_ONCE = 50


@administrators
@methods("GET")
def listing(request: HttpRequest) -> HttpResponse:
    """Show runs of all jobs or of one, the newest first."""
    job = request.GET.get("job") or None
    given = request.GET.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    found = runs.latest(job, before=before, limit=AT_ONCE)
    older = found[-1].pk if len(found) == AT_ONCE else None
    return render(request, "jobs/runs.html", {"runs": found, "older": older, "of_job": job})


@administrators
@methods("GET")
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Show a run: what it did, and what failed with its remedy."""
    found = runs.find_run(number)
    if found is None:
        raise Http404
    return render(request, "jobs/run.html", {"run": found})
