"""The one view by which requests come to the API: versions, errors, ETags and what is counted."""

from __future__ import annotations

from hashlib import sha256
from time import monotonic

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve
from django.utils.http import parse_etags

from keepstep.api import metrics
from keepstep.api.problems import CONTENT_TYPE, of_error, problem

URLS = "keepstep.api.urls"


def answer(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Answer a request for what is at `rest`, below /api/v1/. Raises nothing."""
    began = monotonic()
    headless = request.method == "HEAD"
    if headless:
        request.method = "GET"
    try:
        match = resolve(f"/{rest}", urlconf=URLS)
    except Http404:
        name, response = "", problem("api-not-found")
    else:
        name, response = match.url_name or "", _call(match, request)
    response = _as_problem(response)
    if request.method == "GET" and response.status_code == 200:
        response = _unless_known(request, response)
    if headless:
        request.method = "HEAD"
    metrics.note_request(name, response.status_code, monotonic() - began)
    return response


def _call(match: ResolverMatch, request: HttpRequest) -> HttpResponse:
    try:
        response = match.func(request, *match.args, **match.kwargs)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is one of ours
        return of_error(error)
    assert isinstance(response, HttpResponse)
    return response


def _as_problem(response: HttpResponse) -> HttpResponse:
    """Give refusals that the libraries word themselves in ours."""
    if response.status_code < 400 or response.headers["Content-Type"] == CONTENT_TYPE:
        return response
    if response.status_code == 405:
        allowed = {"Allow": ", ".join(sorted(response.headers.get("Allow", "").split(", ")))}
        return problem("api-method-not-allowed", headers=allowed)
    return problem("api-request-invalid", status=response.status_code)


def etag_of(content: bytes) -> str:
    """Give the ETag of an answer's content."""
    return f'"{sha256(content).hexdigest()[:32]}"'


def _unless_known(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    etag = response.headers.get("ETag") or etag_of(response.content)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in {each.removeprefix("W/") for each in known}:
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response
