"""The API put together: its operations by subject, its errors, its document."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI

from keepstep import __version__
from keepstep.api import (
    appointments,
    attention,
    changes,
    imports,
    jobs,
    me,
    operators,
    runs,
    settings,
    webhooks,
)
from keepstep.api.document import document
from keepstep.api.problems import handle_all, not_found
from keepstep.api.schemas import KnownProblem
from keepstep.core.failures import FAILURES

api = NinjaAPI(
    title="Keepstep",
    version=__version__,
    description="The sales calendar for other systems. See docs/api.md.",
    urls_namespace="api-v1",
    docs_url=None,
    openapi_url=None,
)
handle_all(api)
for each in (
    me,
    imports,
    operators,
    appointments,
    changes,
    settings,
    jobs,
    runs,
    attention,
    webhooks,
):
    api.add_router("", each.router)


@api.get("/openapi.json", include_in_schema=False, url_name="openapi")
def openapi(request: HttpRequest) -> HttpResponse:
    """Describe the API; for everybody."""
    return JsonResponse(document(api))


@api.get(
    "/problems/{code}",
    response=KnownProblem,
    tags=["problems"],
    openapi_extra={"x-roles": ["everybody"]},
)
def known_problem(request: HttpRequest, code: str) -> object:
    """Say what a problem's code means, why it comes, and what helps; for everybody."""
    failure = FAILURES.get(code)
    if failure is None:
        raise not_found()
    return failure
