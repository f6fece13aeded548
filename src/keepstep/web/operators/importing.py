"""The Data Import wizard: upload, map the columns, preview, import, mend what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from keepstep.core.errors import UsageError
from keepstep.store import import_drafts, import_mappings
from keepstep.store.import_columns import TARGETS
from keepstep.store.import_drafts import Draft
from keepstep.store.import_files import LARGEST_FILE
from keepstep.store.import_plan import Outcome, Plan, Purpose
from keepstep.store.models import Account
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.background import Reporter, start
from keepstep.web.operators.files import download

SHOWN_ROWS = 100
SAMPLES = 3
OUTCOMES = (
    (Outcome.ADDED, gettext_lazy("to add"), "good"),
    (Outcome.UPDATED, gettext_lazy("to change"), "info"),
    (Outcome.UNCHANGED, gettext_lazy("as they are"), "muted"),
    (Outcome.REFUSED, gettext_lazy("refused"), "bad"),
)
TARGET_WORDS = {
    "email": gettext_lazy("E-mail address"),
    "name": gettext_lazy("Name"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "calendar_sync": gettext_lazy("Calendar sync"),
    "access_group": gettext_lazy("Access group"),
    "time_zone": gettext_lazy("Time zone"),
}


@administrators
@methods("GET", "POST")
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file: the first step."""
    status = 200
    if request.method == "POST":
        try:
            draft = _begin(request)
        except UsageError as error:
            messages.error(request, str(error))
            status = 422
        else:
            return HttpResponseRedirect(reverse("operators-import-columns", args=[draft.id]))
    context = {"mappings": import_mappings.listing(), "step": 1}
    return render(request, "operators/import_upload.html", context, status=status)


@administrators
@methods("GET", "POST")
def columns(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Choose the purpose, and which column is what: the second step."""
    account = account_of(request)
    found = _draft(draft, account)
    status = 200
    if request.method == "POST":
        try:
            found = _choose(request, found, account)
        except UsageError as error:
            messages.error(request, str(error))
            status = 422
        else:
            return HttpResponseRedirect(reverse("operators-import-preview", args=[draft]))
    context = {
        "draft": found,
        "columns": _columns(found),
        "targets": [(each, TARGET_WORDS.get(each, each)) for each in TARGETS],
        "step": 2,
    }
    return render(request, "operators/import_columns.html", context, status=status)


@administrators
@methods("GET")
def preview(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Show what would become of every row: the third step."""
    found = _draft(draft, account_of(request))
    try:
        planned = import_drafts.preview(found)
    except UsageError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("operators-import-columns", args=[draft]))
    return render(request, "operators/import_preview.html", _preview(request, found, planned))


@administrators
@methods("POST")
def load(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Import, shown as it goes on: the last step."""
    account = account_of(request)
    found = _draft(draft, account)
    whole = request.POST.get("whole") == "true"
    try:
        task = start(
            account, "import", lambda report: _load(found.id, account, whole=whole, report=report)
        )
    except UsageError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("operators-import-preview", args=[draft]))
    context = {"draft": found, "task": task, "step": 4}
    return render(request, "operators/import_load.html", context)


@administrators
@methods("GET")
def refused(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Give the refused rows as a file to mend and load again."""
    try:
        return download(import_drafts.mend_file(draft, account_of(request)))
    except UsageError:
        raise Http404 from None


@administrators
@methods("POST")
def discard(request: HttpRequest, draft: UUID) -> HttpResponse:
    """Forget an uploaded file."""
    import_drafts.discard(draft, account_of(request))
    return HttpResponseRedirect(reverse("operators-import"))


@administrators
@methods("POST")
def delete_mapping(request: HttpRequest) -> HttpResponse:
    """Forget a saved mapping of columns."""
    try:
        import_mappings.delete(request.POST.get("name", ""), by=account_of(request).email)
    except UsageError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("operators-import"))


def _begin(request: HttpRequest) -> Draft:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or not file.name:
        raise UsageError(_("Choose a file first."))
    if (file.size or 0) > LARGEST_FILE:
        raise UsageError(_("The file is larger than 20 MB: split it."))
    return import_drafts.begin(
        account_of(request),
        file.name,
        file.read(),
        datetime.now(UTC),
        mapping=request.POST.get("mapping") or None,
    )


def _choose(request: HttpRequest, draft: Draft, account: Account) -> Draft:
    given = [
        request.POST.get(f"column-{place}") or None for place in range(len(draft.table.heading))
    ]
    purpose = request.POST.get("purpose", "")
    chosen = import_drafts.choose(
        draft.id,
        account,
        purpose=Purpose(purpose) if purpose in set(Purpose) else None,
        columns=given,
    )
    name = request.POST.get("save_as", "").strip()
    if name:
        import_drafts.save_mapping(draft.id, account, name, by=account.email)
    return chosen


def _columns(draft: Draft) -> list[dict[str, Any]]:
    """Give each column of the file: its heading, what it is taken for, a few of its cells."""
    rows = draft.table.rows[:SAMPLES]
    return [
        {
            "place": place,
            "heading": heading,
            "target": draft.columns[place] or "",
            "samples": [row.cells[place] for row in rows if place < len(row.cells)],
        }
        for place, heading in enumerate(draft.table.heading)
    ]


def _preview(request: HttpRequest, draft: Draft, planned: Plan) -> dict[str, Any]:
    wanted = request.GET.get("outcome", "")
    rows = [each for each in planned.rows if not wanted or each.outcome == wanted]
    given = request.GET.get("page", "")
    pages = max(1, -(-len(rows) // SHOWN_ROWS))
    page = min(int(given), pages) if given.isascii() and given.isdigit() and int(given) else 1
    return {
        "draft": draft,
        "rows": rows[(page - 1) * SHOWN_ROWS : page * SHOWN_ROWS],
        "outcome": wanted,
        "outcomes": [
            (each.value, words, tone, planned.counts[each]) for each, words, tone in OUTCOMES
        ],
        "words": {each.value: words for each, words, _tone in OUTCOMES},
        "good": planned.counts[Outcome.ADDED] + planned.counts[Outcome.UPDATED],
        "refused": planned.counts[Outcome.REFUSED],
        "page": page,
        "pages": pages,
        "step": 3,
    }


def _load(draft: UUID, account: Account, *, whole: bool, report: Reporter) -> Mapping[str, Any]:
    done = import_drafts.load(
        draft,
        account,
        datetime.now(UTC),
        all_or_nothing=whole,
        by=account.email,
        progress=report.progress,
    )
    counts = done.plan.counts
    return {
        "draft": str(draft),
        "stored": done.stored,
        **{each.value: counts[each] for each in Outcome},
    }


def _draft(draft: UUID, account: Account) -> Draft:
    try:
        return import_drafts.get(draft, account)
    except UsageError:
        raise Http404 from None
