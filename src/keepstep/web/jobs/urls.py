"""The addresses of: Jobs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from keepstep.web.access import signed_in


@signed_in
def begun(request: HttpRequest) -> HttpResponse:
    """Show the frame alone, until the page is there."""
    return render(request, "base.html")


urlpatterns = [path("", begun, name="jobs")]
