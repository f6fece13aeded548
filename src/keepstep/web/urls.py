"""The addresses that Keepstep answers, by subject."""

from __future__ import annotations

from django.urls import include, path

from keepstep.web import api, failures, home, metrics
from keepstep.web.background import progress
from keepstep.web.health import health, live, ready
from keepstep.web.subscriptions.feed import feed

urlpatterns = [
    path("", home.home, name="home"),
    path("health", health, name="health"),
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("health/metrics", metrics.whole, name="metrics"),
    path("health/metrics/mailboxes", metrics.mailboxes, name="metrics-mailboxes"),
    path("health/", include("keepstep.web.overview.urls")),
    path("calendar/subscribe/", include("keepstep.web.subscriptions.urls")),
    path("calendar/", include("keepstep.web.calendar.urls")),
    path("ical/<str:token>.ics", feed, name="ical"),
    path("operators/", include("keepstep.web.operators.urls")),
    path("jobs/", include("keepstep.web.jobs.urls")),
    path("settings/", include("keepstep.web.application_settings.urls")),
    path("people/", include("keepstep.web.people.urls")),
    path("api/v1/<path:rest>", api.v1, name="api"),
    path("tasks/<uuid:task>", progress, name="task"),
    path("", include("keepstep.web.accounts.urls")),
]

handler404 = failures.not_found
handler500 = failures.server_error
