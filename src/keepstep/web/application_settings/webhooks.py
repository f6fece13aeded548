"""Webhooks: added, switched, their failed deliveries looked at and sent again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from keepstep.core.errors import UsageError
from keepstep.core.feed import Event
from keepstep.store import webhooks
from keepstep.web.access import account_of, administrators, methods

EVENTS = (
    (Event.CREATED.value, gettext_lazy("new appointments")),
    (Event.CHANGED.value, gettext_lazy("changed ones")),
    (Event.CANCELLED.value, gettext_lazy("cancelled ones")),
    (Event.REMOVED.value, gettext_lazy("removed ones")),
)


class WebhookForm(forms.Form):
    """Where a webhook leads to, and what it is told of."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Told of"),
        choices=EVENTS,
        initial=[value for value, _words in EVENTS],
        widget=forms.CheckboxSelectMultiple,
    )

    def chosen(self) -> list[str]:
        """Give the events that were chosen; none for all of them."""
        events: list[str] = self.cleaned_data["events"]
        return [] if len(events) == len(EVENTS) else events


@administrators
@methods("GET", "POST")
def page(request: HttpRequest) -> HttpResponse:
    """Show the webhooks; add one, whose secret this answer alone shows."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now, by = datetime.now(UTC), account_of(request).email
        try:
            _number, secret = webhooks.add(form.cleaned_data["url"], form.chosen(), now, by=by)
        except UsageError as error:
            form.add_error("url", str(error))
        else:
            return _page(request, WebhookForm(), secret=secret)
    return _page(request, form, status=422 if request.method == "POST" else 200)


@administrators
@methods("GET", "POST")
def one(request: HttpRequest, number: int) -> HttpResponse:
    """Show a webhook and what it did not take; change it."""
    found = _find(number)
    initial = {"url": found.url, "events": found.events or [each for each, _words in EVENTS]}
    form = WebhookForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        url, by = form.cleaned_data["url"], account_of(request).email
        try:
            webhooks.change(number, url=url, events=form.chosen(), by=by)
        except UsageError as error:
            form.add_error("url", str(error))
        else:
            messages.success(request, _("The webhook was changed."))
            return _back(number)
    return _one(request, number, form, status=422 if request.method == "POST" else 200)


@administrators
@methods("POST")
def switch(request: HttpRequest, number: int) -> HttpResponse:
    """Switch a webhook on or off."""
    on = request.POST.get("on") == "true"
    words = _("The webhook is on.") if on else _("The webhook is off.")
    return _do(request, number, words, lambda by: webhooks.change(number, enabled=on, by=by))


@administrators
@methods("POST")
def secret(request: HttpRequest, number: int) -> HttpResponse:
    """Give a webhook a new secret, which this answer alone shows."""
    found = _find(number)
    made = webhooks.renew_secret(number, by=account_of(request).email)
    initial = {"url": found.url, "events": found.events or [each for each, _words in EVENTS]}
    return _one(request, number, WebhookForm(initial=initial), secret=made)


@administrators
@methods("POST")
def replay(request: HttpRequest, number: int) -> HttpResponse:
    """Have what was given up sent again: one delivery, or all of them."""
    _find(number)
    given = request.POST.get("delivery", "")
    delivery = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    now, by = datetime.now(UTC), account_of(request).email
    count = webhooks.replay(number, now, delivery, by=by)
    words = ngettext("%d delivery is sent again.", "%d deliveries are sent again.", count)
    messages.success(request, words % count)
    return _back(number)


@administrators
@methods("POST")
def delete(request: HttpRequest, number: int) -> HttpResponse:
    """Delete a webhook."""
    _find(number)
    webhooks.delete(number, by=account_of(request).email)
    messages.success(request, _("The webhook was deleted."))
    return HttpResponseRedirect(reverse("settings-webhooks"))


def _find(number: int) -> webhooks.ShownWebhook:
    try:
        return webhooks.find(number)
    except UsageError:
        raise Http404 from None


def _do(request: HttpRequest, number: int, words: str, act: Callable[[str], None]) -> HttpResponse:
    _find(number)
    act(account_of(request).email)
    messages.success(request, words)
    return _back(number)


def _back(number: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("settings-webhook", args=[number]))


def _page(
    request: HttpRequest, form: WebhookForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "page": "settings-webhooks",
        "form": form,
        "hooks": [(each, _told_of(each)) for each in webhooks.listing()],
        "secret": secret,
    }
    return render(request, "settings/webhooks.html", context, status=status)


def _one(
    request: HttpRequest, number: int, form: WebhookForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "page": "settings-webhooks",
        "hook": _find(number),
        "form": form,
        "deliveries": webhooks.deliveries(number),
        "secret": secret,
    }
    return render(request, "settings/webhook.html", context, status=status)


def _told_of(hook: webhooks.ShownWebhook) -> str:
    if not hook.events:
        return _("all changes")
    return ", ".join(str(words) for value, words in EVENTS if value in hook.events)
