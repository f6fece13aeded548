"""Answers that say what is wrong: RFC 9457, with the code, message and remedy of the catalogue."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import (
    BadRequest,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from keepstep.core.errors import KeepstepError, UsageError
from keepstep.core.failures import FAILURES

log = logging.getLogger("keepstep.api")

CONTENT_TYPE = "application/problem+json"
TYPES = "/api/v1/problems/"
_LONGEST_NAMED = 200
_TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
_BROKEN = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)
_STATUSES = {
    "api-token-missing": 401,
    "api-token-invalid": 401,
    "api-scope-missing": 403,
    "api-role-refused": 403,
    "api-not-found": 404,
    "api-method-not-allowed": 405,
    "api-request-invalid": 422,
    "api-not-possible": 422,
    "api-changed-meanwhile": 412,
    "api-too-many-requests": 429,
    "cursor-unknown": 422,
    "cursor-too-old": 410,
    "webhook-target-forbidden": 422,
    "internal-error": 500,
    "database-unavailable": 503,
}


class Refused(KeepstepError):
    """A request that is not done: a code of the catalogue, and seconds to wait, if it is that."""

    def __init__(self, code: str, detail: str = "", *, wait: float = 0) -> None:
        super().__init__(code, detail)
        self.wait = wait


def not_found() -> Refused:
    """Give the refusal for what is not there or may not be seen: which of the two is not told."""
    return Refused("api-not-found")


def problem(
    code: str,
    detail: str = "",
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, object]] = (),
) -> HttpResponse:
    """Give the answer for a failure of the catalogue."""
    failure = FAILURES.get(code, FAILURES["internal-error"])
    chosen = status or _STATUSES.get(failure.code, 503)
    document: dict[str, Any] = {
        "type": TYPES + failure.code,
        "title": failure.message,
        "status": chosen,
        "detail": detail or failure.cause,
        "code": failure.code,
        "message": failure.message,
        "remedy": failure.remedy,
    }
    if errors:
        document["errors"] = list(errors)
    response = HttpResponse(json.dumps(document), status=chosen, content_type=CONTENT_TYPE)
    for name, value in (headers or {}).items():
        response.headers[name] = value
    if chosen == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="keepstep"'
    return response


def of_error(error: Exception) -> HttpResponse:
    """Give the answer for an error that no operation took care of."""
    if isinstance(error, Refused):
        wait = {"Retry-After": str(math.ceil(error.wait))} if error.wait else {}
        return problem(error.code, error.detail, headers=wait)
    if isinstance(error, UsageError):
        return problem(error.code if error.code in FAILURES else "api-not-possible", str(error))
    if isinstance(error, KeepstepError):
        return problem(error.code, error.detail)
    if isinstance(error, (DatabaseError, InterfaceError)):
        log.warning("the database failed the API: %s", type(error).__name__)
        return problem("database-unavailable")
    if isinstance(error, Http404):
        return problem("api-not-found")
    if isinstance(error, ValidationError):
        return problem("api-request-invalid", errors=[_named(each) for each in error.errors])
    if isinstance(error, _TOO_LARGE):
        return problem("api-request-invalid", "the body is too large", status=413)
    if isinstance(error, _BROKEN):
        return problem("api-request-invalid", "the body can't be read", status=400)
    if isinstance(error, HttpError):
        return problem("api-request-invalid", str(error), status=error.status_code)
    log.error("an operation of the API failed", exc_info=error)
    return problem("internal-error")


def handle_all(api: NinjaAPI) -> None:
    """Have the API answer every error by `of_error`."""

    def answer(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        return of_error(error if isinstance(error, Exception) else error())

    for kind in (Exception, Http404, HttpError, ValidationError):
        api.add_exception_handler(kind, answer)


def _named(error: Mapping[str, Any]) -> dict[str, object]:
    """Give where in the request something is wrong and what; never the value that was sent."""
    place = [str(each) for each in error.get("loc", ())]
    if place[:1] == ["body"]:
        del place[1:2]  # the name that the body has in our code
    return {"place": ".".join(place)[:_LONGEST_NAMED], "message": str(error.get("msg", ""))}
