"""What an administrator may do with one operator: switch, synchronize, verify, decide, erase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from keepstep.core.errors import UsageError
from keepstep.store import erasure, holds, operators
from keepstep.store.models import Operator
from keepstep.sync.service import PAGE, sync_now, verify_now
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.background import Reporter, Work, start
from keepstep.web.operators.page import detail_or_404, show


@administrators
@methods("POST")
def switch(request: HttpRequest, email: str) -> HttpResponse:
    """Switch calendar sync."""
    operator = _operator(email)
    on = request.POST.get("on") == "true"
    operators.switch([operator.email], on=on, by=account_of(request).email)
    messages.success(request, _("Calendar sync is on.") if on else _("Calendar sync is off."))
    return _back(operator)


@administrators
@methods("POST")
def sync(request: HttpRequest, email: str) -> HttpResponse:
    """Synchronize this calendar now; as a full round if asked to."""
    operator, full = _operator(email), request.POST.get("full") == "true"
    return _begin(request, operator, "run", lambda report: _sync(operator, report, full=full))


@administrators
@methods("POST")
def verify(request: HttpRequest, email: str) -> HttpResponse:
    """Compare this calendar with Exchange now, and mend it."""
    operator = _operator(email)
    return _begin(request, operator, "verify", lambda report: _verify(operator, report))


@administrators
@methods("POST")
def hold(request: HttpRequest, email: str) -> HttpResponse:
    """Release held removals, or discard them."""
    operator, now, by = _operator(email), datetime.now(UTC), account_of(request).email
    if request.POST.get("what") == "release":
        count = holds.release(operator, now, by=by)
        words = ngettext("%d appointment was removed.", "%d appointments were removed.", count)
    else:
        count = holds.discard(operator, now, by=by)
        words = ngettext("%d appointment stays.", "%d appointments stay.", count)
    messages.success(request, words % count)
    return _back(operator)


@administrators
@methods("POST")
def erase(request: HttpRequest, email: str) -> HttpResponse:
    """Delete all that is known of an operator, for good; the address must be typed again."""
    operator = _operator(email)
    if request.POST.get("typed", "").strip().casefold() != operator.email.casefold():
        messages.error(request, _("Nothing was erased: type the e-mail address to confirm."))
        return _back(operator)
    try:
        erasure.erase(operator.email, by=account_of(request).email)
    except UsageError as error:
        messages.error(request, str(error))
        return _back(operator)
    erasure.forget_bytes()
    messages.success(request, _("All data of the operator was erased."))
    return HttpResponseRedirect(reverse("operators"))


def _begin(request: HttpRequest, operator: Operator, kind: str, work: Work) -> HttpResponse:
    try:
        task = start(account_of(request), kind, work)
    except UsageError as error:
        messages.error(request, str(error))
        return _back(operator)
    return show(request, operator.email, task=task)


def _sync(operator: Operator, report: Reporter, *, full: bool) -> Mapping[str, Any]:
    result = sync_now([operator.email], full=full, progress=report.progress, trigger=PAGE)
    return asdict(result)


def _verify(operator: Operator, report: Reporter) -> Mapping[str, Any]:
    result, found = verify_now([operator.email], progress=report.progress, trigger=PAGE)
    drift = [{"uid": each.uid, "what": each.what} for each in found.drift]
    return {**asdict(result), "checked": found.checked, "drift": drift}


def _operator(email: str) -> Operator:
    detail_or_404(email)
    return operators.find(email)


def _back(operator: Operator) -> HttpResponse:
    return HttpResponseRedirect(reverse("operator", args=[operator.email]))
