"""Which appointments come in: the past, private ones, and the conditions that leave some out."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from keepstep.web.access import administrators, methods
from keepstep.web.application_settings import fields
from keepstep.web.application_settings.views import show_settings


@administrators
@methods("GET", "POST")
def page(request: HttpRequest) -> HttpResponse:
    """Show the conditions; save them."""
    return show_settings(
        request, fields.APPOINTMENTS, "settings-appointments", "settings/appointments.html", {}
    )
