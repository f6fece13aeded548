"""The addresses of the calendar."""

from __future__ import annotations

from django.urls import path

from keepstep.web.calendar import appointment, events, export, views

urlpatterns = [
    path("", views.page, name="calendar"),
    path("events", events.events, name="calendar-events"),
    path("standing", views.standing, name="calendar-standing"),
    path("search", views.search, name="calendar-search"),
    path("export", export.page, name="calendar-export"),
    path("export/file", export.file, name="calendar-export-file"),
    path("print", views.printed, name="calendar-print"),
    path("appointment/<int:row>", appointment.appointment, name="appointment"),
]
