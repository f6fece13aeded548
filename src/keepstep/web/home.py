"""The front door: everybody is led to the page that is theirs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from keepstep.core.roles import Role
from keepstep.web.access import account_of, signed_in


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Lead an operator to the calendar, everybody else to the health page."""
    page = "calendar" if account_of(request).role == Role.OPERATOR else "overview"
    return HttpResponseRedirect(reverse(page))
