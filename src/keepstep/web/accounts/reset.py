"""Asking for a new password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepstep.web.access import public


@public
def ask(request: HttpRequest) -> HttpResponse:
    """Show the frame alone, until the page is there."""
    return render(request, "plain.html")
