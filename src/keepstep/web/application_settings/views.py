"""Forms over the settings: Exchange, e-mail, limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.errors import UsageError
from keepstep.store.settings import load, needed
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.application_settings import fields
from keepstep.web.application_settings.forms import SettingsForm


@administrators
@methods("GET", "POST")
def exchange(request: HttpRequest) -> HttpResponse:
    """Show Microsoft Exchange: the address, the account, whom to tell of failures."""
    names = (*fields.EXCHANGE, *fields.ACCOUNT)
    context = {"oauth": [each for each in fields.ACCOUNT if each.startswith("oauth")]}
    return show_settings(request, names, "settings", "settings/exchange.html", context)


@administrators
@methods("GET", "POST")
def mail(request: HttpRequest) -> HttpResponse:
    """Show the mail server, and where links in e-mails lead."""
    context = {"recipients": load(with_secrets=False).notify_sync_failure_to}
    return show_settings(request, fields.MAIL, "settings-mail", "settings/mail.html", context)


@administrators
@methods("GET", "POST")
def limits(request: HttpRequest) -> HttpResponse:
    """Show the way to Exchange, its limits, and how long things are kept."""
    names = (*fields.LIMITS, *fields.RETENTION, *fields.OTHERS)
    return show_settings(request, names, "settings-limits", "settings/limits.html", {})


@administrators
@methods("POST")
def check(request: HttpRequest, name: str) -> HttpResponse:
    """Give one field again, with what is wrong with its value; nothing is stored."""
    if name not in fields.FIELDS:
        raise Http404
    form = SettingsForm([name], request.POST)
    form.is_valid()
    return render(request, "settings/one_field.html", {"field": form[name]})


def show_settings(
    request: HttpRequest,
    names: Sequence[str],
    page: str,
    template: str,
    context: dict[str, Any],
) -> HttpResponse:
    """Show a form over these settings; save it when it is sent. `page` is its address's name."""
    form = SettingsForm(names, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                notes = form.save(account_of(request).email)
            except UsageError:
                pass
            else:
                _tell(request, notes)
                return HttpResponseRedirect(reverse(page))
    settings = load(with_secrets=False)
    context |= {"form": form, "page": page, "missing": _missing(), "auth": settings.auth.value}
    return render(request, template, context, status=status)


def _tell(request: HttpRequest, notes: Sequence[str]) -> None:
    messages.success(request, _("Saved. The server uses it within a few seconds."))
    for note in notes:
        messages.info(request, note)


def _missing() -> list[Any]:
    """Give the labels of what is not set, without which Exchange can't be read."""
    settings = load()
    missing = [each for each in needed(settings.auth) if not getattr(settings, each)]
    return [fields.FIELDS[each].label for each in missing]
