"""The addresses below /api/v1/."""

from __future__ import annotations

from django.urls import path

from keepstep.api.application import api

urlpatterns = [path("", api.urls)]
