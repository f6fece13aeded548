"""Test connection: the doctor, step by step, live. And the search for the Exchange URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from keepstep.core.errors import UsageError
from keepstep.store.operators import find as find_operator
from keepstep.sync.checkup import check_up
from keepstep.sync.discovery import find_url
from keepstep.sync.doctor import Step, is_well
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.background import Reporter, start


@administrators
@methods("GET", "POST")
def page(request: HttpRequest) -> HttpResponse:
    """Show the page; begin a test when asked to, with the mailbox of an operator if one is named.

    What was entered on other pages and not saved plays no part.
    """
    operator = request.POST.get("operator", "").strip()
    context: dict[str, Any] = {"operator": operator, "page": "connection"}
    status = 200
    if request.method == "POST":
        try:
            if operator:
                find_operator(operator)
            task = start(account_of(request), "doctor", lambda report: _examine(operator, report))
        except UsageError as error:
            messages.error(request, str(error))
            status = 422
        else:
            context["task"] = task
    return render(request, "settings/connection.html", context, status=status)


@administrators
@methods("POST")
def find(request: HttpRequest) -> HttpResponse:
    """Search for the Exchange URL by an e-mail address; nothing is stored."""
    email, server = (request.POST.get(name, "").strip() for name in ("email", "server"))
    try:
        task = start(account_of(request), "discovery", lambda _: _search(email, server))
    except UsageError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("connection"))
    context = {"found": task, "email": email, "server": server, "page": "connection"}
    return render(request, "settings/connection.html", context)


def _examine(operator: str, report: Reporter) -> Mapping[str, Any]:
    steps = check_up(operator or None, lambda step: report.line(_plain(step)))
    return {"ok": is_well(steps)}


def _search(email: str, server: str) -> Mapping[str, Any]:
    found = find_url(email, accepted=(), server=server)
    asked = [{"url": each.url, "result": each.result, "code": each.code} for each in found.asked]
    return {"urls": found.urls, "asked": asked, "unconfirmed": found.unconfirmed}


def _plain(step: Step) -> dict[str, str | None]:
    return {
        "step": step.step,
        "status": step.status.value,
        "code": step.code,
        "message": step.message,
        "remedy": step.remedy,
    }
