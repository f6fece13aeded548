"""One's own API tokens: made, shown once, revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.core.scopes import Scope, scopes_of
from keepstep.store import tokens
from keepstep.store.models import Account
from keepstep.web.access import account_of, methods, signed_in

SCOPES = {
    Scope.READ_CALENDAR: gettext_lazy("Read appointments and follow their changes"),
    Scope.READ_OPERATORS: gettext_lazy("Read operators, and what fails or waits"),
    Scope.WRITE_OPERATORS: gettext_lazy("Change operators, decide holds, import"),
    Scope.READ_SETTINGS: gettext_lazy("Read the settings, and who changed what"),
    Scope.WRITE_SETTINGS: gettext_lazy("Change the settings"),
    Scope.READ_JOBS: gettext_lazy("Read jobs and runs"),
    Scope.WRITE_JOBS: gettext_lazy("Change and run jobs"),
}
STATES = {
    "active": (gettext_lazy("active"), "good"),
    "expired": (gettext_lazy("expired"), "muted"),
    "revoked": (gettext_lazy("revoked"), "muted"),
    "off": (gettext_lazy("switched off"), "muted"),
}
_NEVER = "0"


class TokenForm(forms.Form):
    """What a new token is called, what it is for, and how long it lasts."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=tokens.LONGEST_NAME,
        help_text=gettext_lazy("The program that uses it, so that you know it again."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may be used for"), widget=forms.CheckboxSelectMultiple
    )
    days = forms.ChoiceField(
        label=gettext_lazy("It lasts"),
        choices=[
            ("30", gettext_lazy("30 days")),
            ("90", gettext_lazy("90 days")),
            ("365", gettext_lazy("a year")),
            (_NEVER, gettext_lazy("until it is revoked")),
        ],
        initial="90",
    )

    def __init__(self, role: Role, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        allowed = scopes_of(role)
        field.choices = [(each.value, words) for each, words in SCOPES.items() if each in allowed]


@signed_in
@methods("GET", "POST")
def listing(request: HttpRequest) -> HttpResponse:
    """Show one's tokens; make one, which this answer alone shows."""
    account = account_of(request)
    form = TokenForm(Role(account.role), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(account, form.cleaned_data)
        except UsageError as error:
            form.add_error(None, str(error))
        else:
            return _page(request, account, TokenForm(Role(account.role)), made=made)
    return _page(request, account, form, status=422 if request.method == "POST" else 200)


@signed_in
@methods("POST")
def revoke(request: HttpRequest, number: int) -> HttpResponse:
    """Have a token serve no more."""
    account = account_of(request)
    try:
        tokens.revoke(number, datetime.now(UTC), account, by=account.email)
    except UsageError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The token was revoked."))
    return HttpResponseRedirect(reverse("account-tokens"))


def _make(account: Account, values: dict[str, Any]) -> str:
    days = None if values["days"] == _NEVER else int(values["days"])
    now = datetime.now(UTC)
    return tokens.make(account, values["name"], values["scopes"], now, days=days, by=account.email)


def _page(
    request: HttpRequest, account: Account, form: TokenForm, *, made: str = "", status: int = 200
) -> HttpResponse:
    found = tokens.listing(datetime.now(UTC), account)
    rows = [(each, *STATES[each.state]) for each in found]
    context = {"form": form, "rows": rows, "made": made}
    return render(request, "accounts/tokens.html", context, status=status)
