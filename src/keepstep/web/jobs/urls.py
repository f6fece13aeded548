"""The addresses of the jobs."""

from __future__ import annotations

from django.urls import path

from keepstep.web.jobs import runs, views

urlpatterns = [
    path("", views.listing, name="jobs"),
    path("new", views.new, name="jobs-new"),
    path("next-runs", views.next_runs, name="jobs-next-runs"),
    path("runs", runs.listing, name="runs"),
    path("runs/<int:number>", runs.one, name="run"),
    path("job/<str:name>", views.one, name="job"),
    path("job/<str:name>/switch", views.switch, name="job-switch"),
    path("job/<str:name>/reset", views.reset, name="job-reset"),
    path("job/<str:name>/delete", views.delete, name="job-delete"),
    path("job/<str:name>/run", views.run, name="job-run"),
]
