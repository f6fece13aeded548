"""Fetching an OAuth token from Microsoft Entra, AD FS or the like, by msal.

msal decides what is asked; the asking itself goes by our own way, with its limits, its trust in
certificates and its guard against addresses that nothing may lead to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.sign_in_oauth import Token
from keepstep.exchange.ews.web import Way, fetch

_LEAST_SECONDS = 60
_DEFAULT_SECONDS = 3600
# Errors of RFC 6749, 4.1.2.1, that pass; all others are refusals.
_PASSING = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An application as the sign-in service knows it: who it is, and what it wants."""

    authority: str
    tenant: str
    client_id: str
    scope: str
    client_secret: str = field(repr=False)


def acquire(client: OAuthClient, way: Way) -> Token:
    """Fetch a token; blocks. Raises `ExchangeError`: token-refused, token-unavailable, network."""
    import msal  # type: ignore[import-untyped]  # takes long to import, and few need it

    authority = f"{client.authority.rstrip('/')}/{client.tenant.strip('/')}"
    try:
        application = msal.ConfidentialClientApplication(
            client.client_id,
            client_credential=client.client_secret,
            authority=authority,
            http_client=_Http(way),
            instance_discovery=False,
        )
        told = application.acquire_token_for_client(client.scope.split())
    except ExchangeError:
        raise
    except ValueError as error:
        raise ExchangeError("token-refused", "no such tenant or authority") from error
    except Exception as error:  # of answers it has no use for msal raises anything
        raise ExchangeError("token-unavailable", type(error).__name__) from error
    return _token_of(told)


def _token_of(told: Any) -> Token:
    if not isinstance(told, dict):
        raise ExchangeError("token-unavailable", "an answer that can't be read")
    text = told.get("access_token")
    if isinstance(text, str) and text.isascii() and text.isprintable() and " " not in text:
        seconds = told.get("expires_in", _DEFAULT_SECONDS)
        return Token(text, max(_LEAST_SECONDS, seconds if isinstance(seconds, int) else 0))
    error = told.get("error")
    code = "token-unavailable" if error in _PASSING else "token-refused"
    raise ExchangeError(code, _reason(error, told.get("error_codes")))


def _reason(error: object, numbers: object) -> str:
    """Give what can be looked up: the error's name, and Entra's numbers (AADSTS...)."""
    name = error if isinstance(error, str) and error.replace("_", "").isalnum() else "no token"
    several = numbers if isinstance(numbers, list) else []
    found = [f"AADSTS{each}" for each in several[:3] if isinstance(each, int)]
    return ", ".join([name[:50], *found])


@dataclass(frozen=True, slots=True)
class _Reply:
    """An HTTP answer in the shape that msal expects."""

    answer: RawAnswer

    @property
    def status_code(self) -> int:
        return self.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.answer.headers

    @property
    def text(self) -> str:
        return self.answer.body.decode("utf-8", "replace")

    def raise_for_status(self) -> None:
        if self.answer.status >= 400:
            raise ExchangeError("token-unavailable", f"HTTP {self.answer.status}")


class _Http:
    """The HTTP client that msal works with. Runs in a thread, each request in a loop of its own."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Reply:
        return self._ask("GET", url, params, headers, None)

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Reply:
        form = data if isinstance(data, str) else urlencode(data or {})
        told = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self._ask("POST", url, params, told, form.encode())

    def close(self) -> None:
        """Nothing is held open."""

    def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
    ) -> _Reply:
        if urlsplit(url).scheme != "https":
            raise ExchangeError("token-refused", "the sign-in service is not at an https address")
        where = f"{url}?{urlencode(params)}" if params else url
        asking = fetch(self._way, method, where, headers=_texts(headers), body=body)
        return _Reply(asyncio.run(asking))


def _texts(headers: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (headers or {}).items() if value is not None}
