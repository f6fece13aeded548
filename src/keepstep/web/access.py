"""Who may open which page: the one mechanism. A page that names nobody can't be opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from keepstep.core.roles import Role
from keepstep.store.models import Account

View = TypeVar("View", bound=Callable[..., Any])

EVERYBODY = frozenset(Role)
_ALLOWED = "keepstep_allowed"
_PUBLIC = "keepstep_public"


def allow(*roles: Role) -> Callable[[View], View]:
    """Decorate a view: only those who have signed in with one of these roles may open it."""

    def mark(view: View) -> View:
        setattr(view, _ALLOWED, frozenset(roles))
        return view

    return mark


def public(view: View) -> View:
    """Decorate a view: it answers without sign-in, too."""
    setattr(view, _PUBLIC, True)
    return view


def allowed(view: Callable[..., Any]) -> frozenset[Role] | None:
    """Give the roles that may open a view; None: everybody, signed in or not. Default: nobody."""
    if getattr(view, _PUBLIC, False):
        return None
    return cast(frozenset[Role], getattr(view, _ALLOWED, frozenset()))


administrators = allow(Role.ADMINISTRATOR)
signed_in = allow(*Role)


def account_of(request: HttpRequest) -> Account:
    """Give who has signed in; only for pages that are not public."""
    assert isinstance(request.user, Account)
    return request.user


class AccessMiddleware:
    """Middleware: lets nobody open a page that is not for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as the rest of the chain does; the decision is taken once the view is known."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Give the answer for somebody who may not open the view, None for one who may."""
        roles = allowed(view)
        if roles is None:
            return None
        if not isinstance(request.user, Account):
            return to_sign_in(request)
        if request.user.role in roles:
            return None
        return refused(request)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page, and from there back to the page that was asked for."""
    address = reverse("sign-in")
    if request.method == "GET" and not _is_partial(request):
        address += "?" + urlencode({"next": request.get_full_path()})
    if _is_partial(request):
        return cast(HttpResponse, HttpResponseClientRedirect(address))
    if request.headers.get("Accept", "").startswith("application/json"):
        return HttpResponse(status=401, content_type="application/json", content=b"{}")
    return HttpResponseRedirect(address)


def refused(request: HttpRequest) -> HttpResponse:
    """Say that this is not for them."""
    return render(request, "refused.html", status=403)


def _is_partial(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def methods(*names: str) -> Callable[[View], View]:
    """Decorate a view: other methods than these are answered with 405. Keeps the roles."""

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method not in names and not (request.method == "HEAD" and "GET" in names):
                response = render(request, "refused.html", status=405)
                response.headers["Allow"] = ", ".join(names)
                return response
            return view(request, *args, **kwargs)

        return cast(View, limited)

    return decorate
