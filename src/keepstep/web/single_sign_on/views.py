"""The two addresses of single sign-on: to the sign-in service, and back from it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from keepstep.core.errors import SignInError
from keepstep.store.settings import load
from keepstep.store.single_sign_on import is_set_up
from keepstep.web.access import methods, public
from keepstep.web.accounts.destination import destination
from keepstep.web.single_sign_on.http import under_way

log = logging.getLogger("keepstep.web")

# What the administrator should know; for the others anybody could fill the log.
_TROUBLES = ("sso-unavailable", "sso-not-proven")


@public
@methods("GET")
def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in service. A link, no form: a form may not lead elsewhere (headers)."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(destination(request))
    # Not at the top: allauth is loaded by the server when it begins, and by nobody else.
    from keepstep.web.single_sign_on import provider

    return _answered(request, lambda: provider.begin(request, destination(request)))


@public
@methods("GET")
def callback(request: HttpRequest) -> HttpResponse:
    """Let in whom the sign-in service has sent back."""
    from keepstep.web.single_sign_on import provider

    return _answered(request, lambda: provider.complete(request))


def _answered(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        settings = load()
        if not is_set_up(settings):
            raise SignInError("sso-not-set-up")
        with under_way(settings):
            return answer()
    except SignInError as error:
        level = logging.WARNING if error.code in _TROUBLES else logging.DEBUG
        log.log(level, "single sign-on: %s", error, extra={"code": error.code})
        raise
