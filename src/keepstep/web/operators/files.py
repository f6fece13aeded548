"""Files to take away: the operators, and an empty file to fill."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from keepstep.store.operator_files import Format, MadeFile, operators_file, template
from keepstep.store.operator_search import every
from keepstep.web.access import administrators, methods
from keepstep.web.operators.asked import Asked


@administrators
@methods("GET")
def export(request: HttpRequest) -> HttpResponse:
    """Give all operators that the search finds, as a file that can be imported again."""
    found = every(Asked.read(request.GET).search, datetime.now(UTC))
    return download(operators_file(found, _format(request.GET.get("form", Format.CSV.value))))


@administrators
@methods("GET")
def empty(request: HttpRequest, form: str) -> HttpResponse:
    """Give an empty file with the columns of an import."""
    return download(template(_format(form)))


def download(made: MadeFile) -> HttpResponse:
    """Answer with a file that the browser saves."""
    response = HttpResponse(made.content, content_type=made.content_type)
    disposition = content_disposition_header(as_attachment=True, filename=made.name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    return response


def _format(text: str) -> Format:
    if text not in set(Format):
        raise Http404
    return Format(text)
