"""The jobs: how each stands, and what an administrator may do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.errors import UsageError
from keepstep.store import jobs, runs
from keepstep.store.jobs import JobDefinition, ShownJob
from keepstep.sync.service import PAGE, run_job_now
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.background import Reporter, start
from keepstep.web.jobs.forms import JobForm, NewJobForm

SHOWN_RUNS = 10


@administrators
@methods("GET")
def listing(request: HttpRequest) -> HttpResponse:
    """Show all jobs with their next and their last run, and the latest runs."""
    context = {"jobs": jobs.listing(datetime.now(UTC)), "runs": runs.latest(limit=SHOWN_RUNS)}
    return render(request, "jobs/list.html", context | _zone())


@administrators
@methods("GET", "POST")
def new(request: HttpRequest) -> HttpResponse:
    """Add a job."""
    form = NewJobForm(request.POST or None, initial={"schedule": "1", "context": jobs.SYSTEM})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            added = jobs.add(
                values["name"],
                values["kind"],
                {"schedule": values["schedule"], "context": values["context"]},
                enabled=values["enabled"],
                by=account_of(request).email,
            )
        except UsageError as error:
            _refuse(form, error)
        else:
            messages.success(request, _("The job was added."))
            return HttpResponseRedirect(reverse("job", args=[added.name]))
    context = {"form": form, "ahead": _ahead(form["schedule"].value() or "1")} | _zone()
    return render(request, "jobs/new.html", context, status=_status(request))


@administrators
@methods("GET", "POST")
def one(request: HttpRequest, name: str) -> HttpResponse:
    """Show a job; change its schedule or context."""
    shown = _find(name)
    job = shown.definition
    initial = {"schedule": str(job.schedule), "context": job.context}
    form = JobForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        changed = {key: form.cleaned_data[key] for key in form.changed_data}
        try:
            jobs.change(job.name, changed, by=account_of(request).email)
        except UsageError as error:
            _refuse(form, error)
        else:
            messages.success(request, _("Saved. It takes effect within a few seconds."))
            return HttpResponseRedirect(reverse("job", args=[job.name]))
    return _page(request, shown, form, status=_status(request))


@administrators
@methods("POST")
def switch(request: HttpRequest, name: str) -> HttpResponse:
    """Enable or disable a job."""
    on = request.POST.get("on") == "true"
    words = _("The job was enabled.") if on else _("The job was disabled.")
    return _do(request, name, words, lambda job, by: jobs.switch(job, on=on, by=by))


@administrators
@methods("POST")
def reset(request: HttpRequest, name: str) -> HttpResponse:
    """Let a shipped job be as it is shipped."""
    words = _("The job is again as it is shipped.")
    return _do(request, name, words, lambda job, by: jobs.reset(job, by=by))


@administrators
@methods("POST")
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Delete a job that was added."""
    job = _find(name).definition
    try:
        jobs.delete(job.name, by=account_of(request).email)
    except UsageError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("job", args=[job.name]))
    messages.success(request, _("The job was deleted."))
    return HttpResponseRedirect(reverse("jobs"))


@administrators
@methods("POST")
def run(request: HttpRequest, name: str) -> HttpResponse:
    """Run a job now, shown as it goes on."""
    shown = _find(name)
    job = shown.definition
    form = JobForm(initial={"schedule": str(job.schedule), "context": job.context})
    try:
        task = start(account_of(request), "run", lambda report: _run(job, report))
    except UsageError as error:
        messages.error(request, str(error))
        return _page(request, shown, form)
    return _page(request, shown, form, task=task)


@administrators
@methods("GET")
def next_runs(request: HttpRequest) -> HttpResponse:
    """Show when a schedule would run next, while it is typed."""
    schedule = request.GET.get("schedule", "")
    return render(request, "jobs/next_runs.html", {"ahead": _ahead(schedule)} | _zone())


def _run(job: JobDefinition, report: Reporter) -> Mapping[str, Any]:
    return asdict(run_job_now(job, report.progress, trigger=PAGE))


def _find(name: str) -> ShownJob:
    for each in jobs.listing(datetime.now(UTC)):
        if each.definition.name == name:
            return each
    raise Http404


def _do(
    request: HttpRequest, name: str, words: str, act: Callable[[str, str], None]
) -> HttpResponse:
    job = _find(name).definition
    try:
        act(job.name, account_of(request).email)
    except UsageError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    back = reverse("jobs") if request.POST.get("back") == "list" else reverse("job", args=[name])
    return HttpResponseRedirect(back)


def _page(
    request: HttpRequest,
    shown: ShownJob,
    form: JobForm,
    *,
    task: object = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "job": shown.definition,
        "shown": shown,
        "form": form,
        "task": task,
        "ahead": _ahead(form["schedule"].value() or ""),
        "runs": runs.latest(shown.definition.name, limit=SHOWN_RUNS),
    }
    return render(request, "jobs/one.html", context | _zone(), status=status)


def _ahead(schedule: str) -> dict[str, Any]:
    try:
        return {"runs": jobs.runs_ahead(schedule, datetime.now(UTC))}
    except UsageError as error:
        return {"problem": str(error)}


def _zone() -> dict[str, Any]:
    return {"zone": str(jobs.server_zone())}


def _refuse(form: forms.Form, error: UsageError) -> None:
    words = str(error)
    field = next((each for each in form.fields if words.casefold().startswith(each)), None)
    form.add_error(field, words)


def _status(request: HttpRequest) -> int:
    return 422 if request.method == "POST" else 200
