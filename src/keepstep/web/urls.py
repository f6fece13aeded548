"""The addresses that Keepstep answers."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from keepstep.web.health import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="health")),
    path("health", health, name="health"),
]
