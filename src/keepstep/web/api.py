"""Where the API is: for programs, by tokens; a session of the pages opens nothing there."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from keepstep.web.access import public


@csrf_exempt
@public
def v1(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Hand a request on to the API, which is loaded by the first one."""
    from keepstep.api.door import answer

    return answer(request, rest)
