"""The addresses that Keepstep answers."""

from __future__ import annotations

from django.urls import path

from keepstep.web.health import health

urlpatterns = [path("health", health, name="health")]
