"""The addresses of the health page."""

from __future__ import annotations

from django.urls import path

from keepstep.web.overview import views

urlpatterns = [
    path("overview", views.page, name="overview"),
    path("overview/now", views.now, name="overview-now"),
]
