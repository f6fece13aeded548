"""Which appointments come in: the past, private ones, and the conditions that leave some out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepstep.core.errors import UsageError
from keepstep.core.rules import Rule
from keepstep.core.skip import Policy
from keepstep.store import skip_preview
from keepstep.store.models import Operator
from keepstep.store.operators import find
from keepstep.store.skip_preview import PREVIEWED
from keepstep.sync.dry_round import DryEntry, dry_round_now
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.application_settings import fields
from keepstep.web.application_settings.forms import SettingsForm
from keepstep.web.application_settings.views import show_settings
from keepstep.web.background import start

NAMES = (*fields.APPOINTMENTS, *fields.SKIP)
SHOWN = 100


@administrators
@methods("GET", "POST")
def page(request: HttpRequest) -> HttpResponse:
    """Show the conditions; save them."""
    context = {"first": fields.APPOINTMENTS, "conditions": fields.SKIP}
    return show_settings(
        request, NAMES, "settings-appointments", "settings/appointments.html", context
    )


@administrators
@methods("POST")
def preview(request: HttpRequest) -> HttpResponse:
    """Show what would go if what is entered were saved; nothing is stored.

    With an operator, one dry round as well: what would come in, what would go.
    """
    form = SettingsForm(NAMES, request.POST)
    if not form.is_valid():
        return _preview(request, {"problems": form.errors})
    values = {name: text for name, text in form.texts().items() if name in PREVIEWED}
    email = request.POST.get("operator", "").strip()
    context: dict[str, Any] = {}
    try:
        policy = skip_preview.prospective(values)
        context["found"] = skip_preview.preview(policy.conditions, most=SHOWN)
        if email:
            operator = find(email)
            context["task"] = start(
                account_of(request), "dry-round", lambda _: _dry_round(operator, policy)
            )
    except UsageError as error:
        context["problem"] = str(error)
    return _preview(request, context)


def _preview(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "settings/preview.html", context)


def _dry_round(operator: Operator, policy: Policy) -> Mapping[str, Any]:
    found = dry_round_now(operator, policy)
    return {
        "operator": found.operator,
        "listed": found.listed,
        "changed": found.changed,
        "held": found.held,
        "unread": found.unread,
        "comes_in": _entries(found.comes_in),
        "comes_in_count": len(found.comes_in),
        "goes": _entries(found.goes),
        "goes_count": len(found.goes),
        "stays_out": [
            {"words": rule.words, "count": count} for rule, count in found.stays_out.items()
        ],
    }


def _entries(entries: Sequence[DryEntry]) -> list[dict[str, Any]]:
    return [asdict(each) | {"words": _words(each.rule)} for each in entries[:SHOWN]]


def _words(rule: Rule) -> str:
    return rule.words
