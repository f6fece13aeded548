"""Meetings as a file for reports, as far as the one who asks may see them."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.exports.files import Format
from keepstep.exports.report import Kind, Report
from keepstep.store.models import Account
from keepstep.web.access import account_of, allow, methods
from keepstep.web.calendar import asked, whose
from keepstep.web.calendar.whose import Whose

# What a page may make while somebody waits; the command line knows no such bounds.
MOST_MEETINGS = 20_000
LONGEST = timedelta(days=3 * 366)
USUAL = timedelta(days=89)
MADE_AT_ONCE = 2
_IN_MEMORY = 1024 * 1024
_PIECE = 64 * 1024
places = threading.BoundedSemaphore(MADE_AT_ONCE)

may_look = allow(Role.ADMINISTRATOR, Role.OPERATOR)


class ExportForm(forms.Form):
    """What is asked for; `last` is the last day."""

    who = forms.ChoiceField(label=gettext_lazy("Whose calendar?"))
    kind = forms.ChoiceField(
        label=gettext_lazy("What"),
        choices=[
            (Kind.MEETINGS.value, gettext_lazy("Meetings: a line for each")),
            (Kind.CONTACTS.value, gettext_lazy("Who met whom: a line for each person met")),
        ],
    )
    first = forms.DateField(
        label=gettext_lazy("First day"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    last = forms.DateField(
        label=gettext_lazy("Last day"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    form = forms.ChoiceField(
        label=gettext_lazy("File"),
        choices=[
            (Format.XLSX.value, gettext_lazy("Excel (XLSX)")),
            (Format.CSV.value, "CSV"),
            (Format.PARQUET.value, gettext_lazy("Parquet, for data tools")),
        ],
    )
    cancelled = forms.BooleanField(label=gettext_lazy("Cancelled meetings, too"), required=False)

    def __init__(self, account: Account, chosen: Whose, *args: Any) -> None:
        super().__init__(*args)
        field = self.fields["who"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = _choices(account, chosen)

    def clean(self) -> dict[str, Any]:
        """Check that the days are in order, and not too many."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = found.get("first"), found.get("last")
        if first is not None and last is not None:
            if last < first:
                self.add_error("last", _("The last day is before the first."))
            elif last - first > LONGEST:
                self.add_error("last", _("Ask for three years at most."))
            elif asked.read_date(first.isoformat()) is None:
                self.add_error("first", _("There is no calendar of such a day."))
        return found


def _choices(account: Account, chosen: Whose) -> list[tuple[str, str]]:
    choices = {chosen.who: chosen.words}
    if account.operator is not None:
        choices.setdefault(whose.ME, _("My calendar"))
    for group in whose.teams(account):
        choices.setdefault(whose.TEAM + group, group)
    if account.role == Role.ADMINISTRATOR:
        choices[whose.ALL] = _("All operators")
    return list(choices.items())


@may_look
@methods("GET")
def page(request: HttpRequest) -> HttpResponse:
    """Show what can be asked for, of the calendar that the address names."""
    account = account_of(request)
    chosen = whose.resolve(account, request.GET.get("who", ""))
    if chosen is None:
        return render(request, "not_found.html", status=404)
    today = asked.today(datetime.now(UTC), chosen.time_zone)
    usual = {"who": chosen.who, "first": today - USUAL, "last": today, "kind": Kind.MEETINGS.value}
    form = ExportForm(account, chosen)
    form.initial = usual | {"form": Format.XLSX.value}
    return _page(request, chosen, form)


@may_look
@methods("GET")
def file(request: HttpRequest) -> HttpResponseBase:
    """Answer with the file, or with the page and what is wrong."""
    account = account_of(request)
    chosen = whose.resolve(account, request.GET.get("who", ""), most=None)
    if chosen is None:
        return render(request, "not_found.html", status=404)
    form = ExportForm(account, chosen, request.GET)
    if not form.is_valid():
        return _page(request, chosen, form, status=422)
    if not places.acquire(blocking=False):
        form.add_error(None, _("Others are exporting now: try again in a minute."))
        return _page(request, chosen, form, status=503)
    try:
        return _download(chosen, form)
    except UsageError:
        form.add_error(None, _too_many())
        return _page(request, chosen, form, status=422)
    finally:
        places.release()


def _too_many() -> str:
    words = _(
        "These are more than %(most)d meetings. Ask for fewer days or people, or use the command"
        " keepstep export, which writes any number."
    )
    return words % {"most": MOST_MEETINGS}


def _download(chosen: Whose, form: ExportForm) -> StreamingHttpResponse:
    values = form.cleaned_data
    last: date = values["last"] + timedelta(days=1)
    report = Report(Kind(values["kind"]), values["first"], last, values["cancelled"], MOST_MEETINGS)
    made = Format(values["form"])
    target = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    try:
        report.write(chosen.members, made, target)
        size = target.tell()
        target.seek(0)
    except BaseException:
        target.close()
        raise
    response = StreamingHttpResponse(_pieces(target), content_type=made.content_type)
    response.headers["Content-Length"] = str(size)
    name = report.file_name(chosen.words, made)
    response.headers["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or "attachment"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def _pieces(target: IO[bytes]) -> AsyncIterator[bytes]:
    """Give the file piece by piece: an ordinary iterator Django would read whole beforehand."""
    with target:
        while piece := target.read(_PIECE):
            yield piece


def _page(request: HttpRequest, chosen: Whose, form: ExportForm, status: int = 200) -> HttpResponse:
    context = {"whose": chosen, "form": form}
    return render(request, "calendar/export.html", context, status=status)
