"""An operator's page: how the calendar stands, what waits, and why a meeting is here or not."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from keepstep.core.errors import UsageError
from keepstep.store import explain as explaining
from keepstep.store.operator_page import OperatorDetail, detail
from keepstep.store.operators import find
from keepstep.web.access import administrators, methods


def detail_or_404(email: str) -> OperatorDetail:
    """Give all that is known of an operator. Raises Http404 where there is none."""
    try:
        return detail(email, datetime.now(UTC))
    except UsageError:
        raise Http404 from None


def show(
    request: HttpRequest, email: str, *, task: UUID | None = None, status: int = 200
) -> HttpResponse:
    """Give the page, with a task that goes on if one was begun."""
    context = {"detail": detail_or_404(email), "task": task}
    return render(request, "operators/page.html", context, status=status)


@administrators
@methods("GET")
def page(request: HttpRequest, email: str) -> HttpResponse:
    """Show the page."""
    return show(request, email)


@administrators
@methods("GET")
def explain(request: HttpRequest, email: str) -> HttpResponse:
    """Say why an appointment is, or is not, in this operator's calendar."""
    shown = detail_or_404(email)
    uid = request.GET.get("uid", "").strip()
    found = None
    if uid:
        try:
            found = explaining.explain(find(email), uid)
        except UsageError as error:
            messages.error(request, str(error))
    words = explaining.STATE_WORDS.get(found.state, found.state) if found else ""
    context = {"detail": shown, "uid": uid, "found": found, "state_words": words}
    return render(request, "operators/explain.html", context)
