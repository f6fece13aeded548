"""Adding an operator and editing one."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from keepstep.core.errors import UsageError
from keepstep.store import operators
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.operators.page import detail_or_404


class OperatorForm(forms.Form):
    """The fields of an operator; they are checked by the same rules as in an import."""

    email = forms.CharField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("That of the mailbox in Exchange."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(label=gettext_lazy("Name"), required=False)
    access_group = forms.CharField(
        label=gettext_lazy("Access group"),
        required=False,
        help_text=gettext_lazy(
            "The team: its members see each other's meetings, but private ones."
        ),
        widget=forms.TextInput(attrs={"list": "access-groups", "autocomplete": "off"}),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        initial="UTC",
        help_text=gettext_lazy("An IANA name, for example Europe/Berlin."),
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )
    calendar_sync = forms.BooleanField(label=gettext_lazy("Calendar sync"), required=False)

    def texts(self, names: list[str]) -> dict[str, str]:
        """Give the fields of these names as the rules read them."""
        values = self.cleaned_data
        return {name: _text(values[name]) for name in names}


@administrators
@methods("GET", "POST")
def new(request: HttpRequest) -> HttpResponse:
    """Add an operator."""
    form = OperatorForm(request.POST or None, initial={"calendar_sync": True})
    if request.method == "POST" and form.is_valid():
        names = [each for each in form.fields if each != "email"]
        try:
            added = operators.add(
                form.cleaned_data["email"], form.texts(names), by=account_of(request).email
            )
        except UsageError as error:
            _refuse(form, error)
        else:
            messages.success(request, _("The operator was added."))
            return HttpResponseRedirect(reverse("operator", args=[added.email]))
    return _form(request, form, {"title": _("Add an operator")})


@administrators
@methods("GET", "POST")
def edit(request: HttpRequest, email: str) -> HttpResponse:
    """Change an operator; a new address keeps the appointments."""
    operator = detail_or_404(email).operator
    initial = {name: getattr(operator, name) for name in operators.FIELDS}
    form = OperatorForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            edited = operators.edit(
                operator.email, form.texts(form.changed_data), by=account_of(request).email
            )
        except UsageError as error:
            _refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("operator", args=[edited.email]))
    return _form(request, form, {"title": operator.email, "operator": operator})


def _form(request: HttpRequest, form: OperatorForm, context: dict[str, Any]) -> HttpResponse:
    context |= {
        "form": form,
        "groups": operators.access_groups(),
        "zones": sorted(each for each in available_timezones() if "/" in each),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "operators/form.html", context, status=status)


def _refuse(form: OperatorForm, error: UsageError) -> None:
    words = str(error)
    field = next((each for each in form.fields if words.casefold().startswith(each)), None)
    form.add_error(field if field else None, words)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
