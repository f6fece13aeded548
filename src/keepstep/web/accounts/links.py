"""One-time addresses: the first administrator, an invitation, a new password, a sign-in.

Opening the address only shows a form: programs that look at links in e-mails use nothing up.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_texts
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.store import accounts
from keepstep.store.links import Purpose, account_by, check_set_up
from keepstep.store.models import Account
from keepstep.web.access import methods, public
from keepstep.web.accounts.passwords import check_passwords

_BACKEND = "django.contrib.auth.backends.ModelBackend"


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same again"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = " ".join(
            str(each) for each in password_validators_help_texts()
        )

    def clean(self) -> dict[str, Any]:
        """Check that both are equal."""
        cleaned = super().clean() or {}
        if cleaned.get("password") != cleaned.get("again"):
            self.add_error("again", _("The two passwords are not the same."))
        return cleaned


class FirstAdministratorForm(NewPasswordForm):
    """The first administrator: address and password."""

    email = forms.EmailField(
        label=_("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    field_order = ("email", "password", "again")


@public
@methods("GET", "POST")
@sensitive_post_parameters()
@transaction.atomic
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first administrator, and let them in."""
    if not check_set_up(token):
        return _expired(request)
    form = FirstAdministratorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            account = accounts.create(
                values["email"], Role.ADMINISTRATOR, values["password"], by=values["email"]
            )
        except UsageError as error:
            form.add_error(None, str(error))
        else:
            return _let_in(request, account)
    return _form(request, form, _("Welcome to Keepstep"), _("Make the first administrator"))


@public
@methods("GET", "POST")
@sensitive_post_parameters()
@transaction.atomic
def new_password(request: HttpRequest, token: str, purpose: Purpose) -> HttpResponse:
    """Let somebody invited, or who forgot the password, set one, and let them in."""
    check_passwords()
    account = account_by(token, purpose)
    if account is None:
        return _expired(request)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            accounts.set_password(account, form.cleaned_data["password"])
        except UsageError as error:
            form.add_error("password", str(error))
        else:
            return _let_in(request, account)
    invited = purpose is Purpose.INVITATION
    title = _("Welcome to Keepstep") if invited else _("A new password")
    return _form(request, form, title, _("Set the password"), account)


@public
@methods("GET", "POST")
@transaction.atomic
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Let somebody in who holds a one-time sign-in address."""
    account = account_by(token, Purpose.SIGN_IN)
    if account is None:
        return _expired(request)
    if request.method == "POST":
        return _let_in(request, account)
    return _form(request, forms.Form(), _("Welcome to Keepstep"), _("Sign in"), account)


def _let_in(request: HttpRequest, account: Account) -> HttpResponse:
    login(request, account, backend=_BACKEND)
    return HttpResponseRedirect(reverse("home"))


def _form(
    request: HttpRequest,
    form: forms.Form,
    title: Any,
    button: Any,
    account: Account | None = None,
) -> HttpResponse:
    context = {"form": form, "title": title, "button": button, "invited": account}
    status = 422 if form.is_bound and request.method == "POST" else 200
    return render(request, "accounts/link.html", context, status=status)


def _expired(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/expired.html", status=410)
