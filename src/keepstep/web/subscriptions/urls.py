"""The addresses of subscribing to calendars; the feed itself is beside them, under /ical/."""

from __future__ import annotations

from django.urls import path

from keepstep.web.subscriptions import views

urlpatterns = [
    path("", views.page, name="calendar-subscribe"),
    path("make", views.make, name="calendar-subscribe-make"),
    path("revoke", views.revoke, name="calendar-subscribe-revoke"),
]
