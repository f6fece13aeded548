"""The addresses of signing in."""

from __future__ import annotations

from django.urls import path

from keepstep.store.links import Purpose
from keepstep.web.accounts import links, mine, reset, sign_in, tokens
from keepstep.web.single_sign_on import views as single_sign_on

urlpatterns = [
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-in/sso", single_sign_on.begin, name="sso"),
    path("sign-in/sso/callback", single_sign_on.callback, name="sso-callback"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("setup/<str:token>", links.set_up, name="set-up"),
    path("enter/<str:token>", links.enter, name="enter"),
    path(
        "invitation/<str:token>",
        links.new_password,
        {"purpose": Purpose.INVITATION},
        name="invitation",
    ),
    path("reset/<str:token>", links.new_password, {"purpose": Purpose.RESET}, name="reset"),
    path("reset", reset.ask, name="ask-reset"),
    path("account", mine.mine, name="account"),
    path("account/password", mine.password, name="account-password"),
    path("account/tokens", tokens.listing, name="account-tokens"),
    path("account/tokens/<int:number>/revoke", tokens.revoke, name="account-token-revoke"),
]
