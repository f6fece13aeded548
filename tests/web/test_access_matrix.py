"""Who may open what: every address by every role. A new page is found, and can't be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from urllib.parse import quote
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter

from keepstep.core.roles import Role
from keepstep.store.models import Account
from keepstep.web.headers import HEADERS

EVERYBODY = {"health", "sign-in", "sign-out", "ask-reset", "set-up", "enter", "invitation", "reset"}
# Signed in or not: only a token opens it, see tests/api/test_matrix.py.
EVERYBODY |= {"api"}
EVERYBODY |= {"ical"}
EVERYBODY |= {"sso", "sso-callback"}
EVERYBODY |= {"live", "ready", "metrics", "metrics-mailboxes"}
SIGNED_IN = {"home", "task", "account", "account-password"}
SIGNED_IN |= {"account-tokens", "account-token-revoke"}
CALENDAR = {
    "calendar",
    "calendar-events",
    "calendar-standing",
    "calendar-search",
    "calendar-print",
    "calendar-subscribe",
    "calendar-subscribe-make",
    "calendar-subscribe-revoke",
    "calendar-export",
    "calendar-export-file",
    "appointment",
}
HEALTH = {"overview", "overview-now"}
NO_CONTENT = {405}
KINDS = ("str", "int", "uuid", "path")
UNKNOWN = UUID(int=0)
VALUES = {"email": "nobody@example.com", "name": "Nothing", "token": "nothing", "form": "csv"}


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every address with its name; parameters are filled with values that exist nowhere."""
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, route)
        elif isinstance(each, URLPattern):
            assert each.name, f"{route} has no name"
            yield each.name, _filled(route, each)


def _filled(route: str, pattern: URLPattern) -> str:
    for name, converter in pattern.pattern.converters.items():
        value = VALUES.get(name, "1")
        if isinstance(converter, IntConverter):
            value = "1"
        elif isinstance(converter, UUIDConverter):
            value = str(UNKNOWN)
        for written in (*(f"<{kind}:{name}>" for kind in KINDS), f"<{name}>"):
            route = route.replace(written, quote(value))
    assert "<" not in route, route
    return "/" + route


PAGES = sorted(patterns(get_resolver()))


def may(name: str, role: Role | None) -> bool:
    """Say who is meant to open a page: what nobody named is the administrators' alone."""
    if name in EVERYBODY:
        return True
    if role is None:
        return False
    if name in SIGNED_IN or role is Role.ADMINISTRATOR:
        return True
    if role is Role.OPERATOR:
        return name in CALENDAR
    return name in HEALTH


@pytest.fixture
def accounts(
    administrator: Account, operator: Account, auditor: Account
) -> dict[Role | None, Account | None]:
    """Somebody of each role, and nobody."""
    return {
        None: None,
        Role.ADMINISTRATOR: administrator,
        Role.OPERATOR: operator,
        Role.AUDITOR: auditor,
    }


def test_every_page_opens_for_those_it_is_meant_for_and_for_nobody_else(
    client_of: Callable[[Account | None], Client], accounts: dict[Role | None, Account | None]
) -> None:
    wrong = []
    for (name, address), (role, account) in product(PAGES, accounts.items()):
        for method in ("get", "post"):
            answer = getattr(client_of(account), method)(address)
            to_sign_in = answer.headers.get("Location", "").startswith("/sign-in")
            let_in = answer.status_code != 403 and not (to_sign_in and name != "sign-out")
            if let_in != may(name, role):
                wrong.append((method, address, role, answer.status_code))
    assert wrong == []
    assert len(PAGES) > 50


def test_every_answer_carries_the_headers_and_every_cookie_is_kept_from_scripts(
    client_of: Callable[[Account | None], Client], accounts: dict[Role | None, Account | None]
) -> None:
    addresses = [address for _, address in PAGES]
    addresses += ["/nothing", f"{settings.STATIC_URL}css/keepstep.css", f"{settings.STATIC_URL}no"]
    for address, account in product(addresses, accounts.values()):
        answer = client_of(account).get(address)
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (address, name)
        for cookie in answer.cookies.values():
            assert cookie["httponly"], (address, cookie.key)
            assert cookie["samesite"] == "Lax", (address, cookie.key)
    assert "script-src 'self'" in HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_no_form_is_taken_that_is_not_from_our_own_page(
    accounts: dict[Role | None, Account | None],
) -> None:
    strict = Client(enforce_csrf_checks=True)
    account = accounts[Role.ADMINISTRATOR]
    assert account is not None
    strict.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    for name, address in PAGES:
        answer = strict.post(address)
        assert answer.status_code == (404 if name == "api" else 403), (name, answer.status_code)


def test_over_https_cookies_are_sent_back_over_https_alone(
    accounts: dict[Role | None, Account | None],
) -> None:
    answer = Client().get("/sign-in", secure=True)
    assert answer.cookies
    assert all(cookie["secure"] for cookie in answer.cookies.values())
    assert "max-age" in answer.headers["Strict-Transport-Security"]
