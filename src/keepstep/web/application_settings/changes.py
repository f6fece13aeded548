"""Who changed what, and when."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepstep.store import audit
from keepstep.web.access import administrators, methods

AT_ONCE = 50


@administrators
@methods("GET")
def page(request: HttpRequest) -> HttpResponse:
    """Show changes, the newest first; `before` is the number that they come before."""
    given = request.GET.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    entries = audit.listing(before, AT_ONCE)
    older = entries[-1].number if len(entries) == AT_ONCE else None
    context = {"entries": entries, "older": older, "page": "settings-changes"}
    return render(request, "settings/changes.html", context)
