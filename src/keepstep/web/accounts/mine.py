"""One's own account: language and password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from keepstep.core.errors import UsageError
from keepstep.store import accounts
from keepstep.store.models import Account
from keepstep.web.access import account_of, methods, signed_in
from keepstep.web.accounts.links import NewPasswordForm
from keepstep.web.accounts.passwords import check_passwords, passwords_let_in


class LanguageForm(forms.Form):
    """The language of the pages."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("As the browser asks")), *settings.LANGUAGES],
    )


class ChangePasswordForm(NewPasswordForm):
    """The old password and a new one."""

    old = forms.CharField(
        label=gettext_lazy("Present password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("old", "password", "again")

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._account = account
        if not account.has_usable_password():
            del self.fields["old"]

    def clean_old(self) -> str:
        """Check the old password."""
        old = str(self.cleaned_data["old"])
        if not self._account.check_password(old):
            raise forms.ValidationError(_("This is not your present password."))
        return old


@signed_in
@methods("GET", "POST")
def mine(request: HttpRequest) -> HttpResponse:
    """Show one's own account; change the language."""
    account = account_of(request)
    form = LanguageForm(request.POST or None, initial={"language": account.language})
    if request.method == "POST" and form.is_valid():
        accounts.set_language(account, form.cleaned_data["language"])
        return HttpResponseRedirect(reverse("account"))
    return _page(request, account, form, ChangePasswordForm(account))


@signed_in
@methods("POST")
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; other sessions end by it."""
    check_passwords()
    account = account_of(request)
    form = ChangePasswordForm(account, request.POST)
    if form.is_valid():
        try:
            accounts.set_password(account, form.cleaned_data["password"])
        except UsageError as error:
            form.add_error("password", str(error))
        else:
            update_session_auth_hash(request, account)
            messages.success(request, _("The password was changed."))
            return HttpResponseRedirect(reverse("account"))
    language = LanguageForm(initial={"language": account.language})
    return _page(request, account, language, form, status=422)


def _page(
    request: HttpRequest,
    account: Account,
    language: LanguageForm,
    password_form: ChangePasswordForm,
    status: int = 200,
) -> HttpResponse:
    context = {
        "language_form": language,
        "password_form": password_form,
        "mine": account,
        "passwords": passwords_let_in(),
    }
    return render(request, "accounts/mine.html", context, status=status)
