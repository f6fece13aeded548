"""Single sign-on: the sign-in service, whom it lets in, and a test of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.errors import SignInError
from keepstep.core.failures import FAILURES
from keepstep.store.settings import load
from keepstep.store.single_sign_on import is_set_up
from keepstep.web.access import administrators, methods
from keepstep.web.application_settings import fields
from keepstep.web.application_settings.views import show_settings
from keepstep.web.single_sign_on.discovery import callback_url, examine
from keepstep.web.single_sign_on.http import under_way

NAMES = (*fields.SIGN_ON, *fields.WHO, *fields.ROLES)


@administrators
@methods("GET", "POST")
def page(request: HttpRequest) -> HttpResponse:
    """Show the sign-in service and what its claims mean; save them."""
    settings = load(with_secrets=False)
    context = {
        "callback": callback_url(request, settings),
        "ready": is_set_up(settings),
        "service_fields": fields.SIGN_ON,
        "who": fields.WHO,
        "role_fields": fields.ROLES,
    }
    return show_settings(
        request, NAMES, "settings-single-sign-on", "settings/single_sign_on.html", context
    )


@administrators
@methods("POST")
def test(request: HttpRequest) -> HttpResponse:
    """Ask the sign-in service for what a sign-in needs; say whether that can be used."""
    try:
        settings = load()
        if not is_set_up(settings):
            raise SignInError("sso-not-set-up")
        with under_way(settings):
            examine()
    except SignInError as error:
        context = {"failure": FAILURES[error.code], "detail": error.detail}
        return render(request, "failure.html", context, status=422)
    messages.success(
        request, _("The sign-in service answers. Now sign in by it once, in a private window.")
    )
    return HttpResponseRedirect(reverse("settings-single-sign-on"))
