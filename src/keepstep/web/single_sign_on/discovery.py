"""What is known of the sign-in service: its name, its own description, what it needs to know."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse

from keepstep.core.errors import SignInError
from keepstep.store.settings import ApplicationSettings
from keepstep.web.single_sign_on.http import Session, check_address, present

_WELL_KNOWN = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_METHODS = "token_endpoint_auth_methods_supported"


def configuration() -> dict[str, Any]:
    """Ask the service what it is. Raises SignInError sso-unavailable where that can't be used.

    Of ways to prove who the application is there is at least one in the answer.
    """
    settings = present().settings
    config = Session().get(settings.sso_issuer.rstrip("/") + _WELL_KNOWN).json()
    if not _is_issuer(config.get("issuer"), settings.sso_issuer):
        raise SignInError("sso-unavailable", "it names another issuer than sso_issuer")
    for name in _ENDPOINTS:
        check_address(config.get(name))
    if not settings.sso_client_secret:
        config[_METHODS] = ["client_secret_post"]
    elif not isinstance(config.get(_METHODS), list):
        # The default where a service says nothing (OpenID Connect Discovery 1.0, 3).
        config[_METHODS] = ["client_secret_basic"]
    return config


def examine() -> int:
    """Ask the service for what a sign-in needs; give how many keys it has. Raises SignInError."""
    keys = Session().get(configuration()["jwks_uri"]).json().get("keys")
    if not isinstance(keys, list) or not keys:
        raise SignInError("sso-unavailable", "it publishes no keys")
    return len(keys)


def service_name(settings: ApplicationSettings) -> str:
    """Give what people call the service: the setting, or the host of its address."""
    return settings.sso_name or urlsplit(settings.sso_issuer).hostname or settings.sso_issuer


def callback_url(request: HttpRequest, settings: ApplicationSettings) -> str:
    """Give the address to be registered at the service, by the setting `site_url` if it is set."""
    site = settings.site_url.rstrip("/")
    path = reverse("sso-callback")
    return f"{site}{path}" if site else request.build_absolute_uri(path)


def _is_issuer(named: object, issuer: str) -> bool:
    """Say whether a service names itself as the setting does; a slash at the end is no matter."""
    return isinstance(named, str) and named.rstrip("/") == issuer.rstrip("/")
