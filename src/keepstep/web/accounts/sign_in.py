"""Signing in and out, and what locks somebody out who guesses."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from keepstep.core.errors import SignInError
from keepstep.store.links import has_administrator
from keepstep.store.settings import load
from keepstep.store.single_sign_on import is_set_up
from keepstep.web.access import methods, public
from keepstep.web.accounts.destination import destination
from keepstep.web.single_sign_on.discovery import service_name


class SignInForm(AuthenticationForm):
    """E-mail address and password."""

    error_messages = {
        "invalid_login": _("This e-mail address and password do not belong together."),
        "inactive": _("This account is switched off: ask an administrator."),
    }

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        username, password = self.fields["username"], self.fields["password"]
        username.label = _("E-mail address")
        username.widget.attrs.update(
            {"type": "email", "autocomplete": "username", "autofocus": True}
        )
        username.widget.input_type = "email"
        password.label = _("Password")


@public
@methods("GET", "POST")
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the ways to sign in; let in whoever gives address and password, if that is one."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(destination(request))
    settings = load(with_secrets=False)
    if request.method == "POST" and not settings.sso_passwords:
        raise SignInError("passwords-off")
    form = SignInForm(request, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return HttpResponseRedirect(destination(request))
    wanted = request.POST.get("next") or request.GET.get("next", "")
    context = {
        "form": form,
        "next": wanted,
        "next_query": urlencode({"next": wanted}) if wanted else "",
        "nobody_yet": not has_administrator(),
        "service": service_name(settings) if is_set_up(settings) else "",
        "passwords": settings.sso_passwords,
    }
    return render(request, "accounts/sign_in.html", context, status=422 if form.is_bound else 200)


@public
@methods("POST")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect(reverse("sign-in"))


def locked_out(request: HttpRequest, response: Any = None, credentials: Any = None) -> HttpResponse:
    """Say that there were too many wrong attempts, and how long to wait."""
    return render(request, "accounts/locked_out.html", status=429)
