"""What a person sees of a failure: never a traceback, always what is wrong and what helps."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.contrib import messages
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from keepstep.core.errors import KeepstepError, SignInError, UsageError
from keepstep.core.failures import FAILURES, Failure

log = logging.getLogger("keepstep.web")

# Of somebody who is not let in; where nothing else is said the person is refused.
_OF_SIGN_IN = {"sso-unavailable": 503, "sso-expired": 400, "sso-not-set-up": 404}


class FailureMiddleware:
    """Middleware: turns an error that no view took care of into a page that names it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as the rest of the chain does."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Give the page for an error, None for those that Django answers itself."""
        if isinstance(error, UsageError):
            return failure_page(request, FAILURES.get(error.code), str(error), 400)
        if isinstance(error, SignInError):
            status = _OF_SIGN_IN.get(error.code, 403)
            return failure_page(request, FAILURES[error.code], error.detail, status)
        if isinstance(error, KeepstepError):
            return failure_page(request, FAILURES.get(error.code), error.detail, 503)
        if isinstance(error, (DatabaseError, InterfaceError)):
            log.warning("the database failed a page: %s", type(error).__name__)
            return failure_page(request, FAILURES["database-unavailable"], "", 503)
        return None


def failure_page(
    request: HttpRequest, failure: Failure | None, detail: str, status: int
) -> HttpResponse:
    """Give a page that names a failure of the catalogue, what is particular, and the remedy."""
    context = {"failure": failure, "detail": detail}
    return render(request, "failure.html", context, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that there is no such page."""
    return render(request, "not_found.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that we have made a mistake, which is in the log."""
    return render(request, "failure.html", {"failure": FAILURES["internal-error"]}, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form was too old, or not from our own page."""
    return render(request, "stale.html", status=403)


def tell(request: HttpRequest, error: KeepstepError) -> None:
    """Show an error at the top of the next page."""
    messages.error(request, str(error))
