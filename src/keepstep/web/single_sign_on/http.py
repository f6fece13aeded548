"""What django-allauth asks a sign-in service with: our own way, in the shape of `requests`.

No redirect is followed, an answer has a size and a time, a whole sign-in has a time, and only so
many go on at once. The address must be https, as the issuer's is (http on this machine alone).
"""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode, urlsplit

from keepstep.core.errors import ExchangeError, SignInError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.web import Limits, Way, fetch
from keepstep.store.setting_rules import is_loopback
from keepstep.store.settings import ApplicationSettings

SECONDS_IN_ALL = 20.0
SECONDS_OF_ONE = 10.0
LARGEST_ANSWER = 1024 * 1024
AT_ONCE = 20

_places = BoundedSemaphore(AT_ONCE)


class _Credentials(Protocol):
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class SignOn:
    """One sign-in under way: the settings that hold for it, and until when it may last."""

    settings: ApplicationSettings
    ends: float

    def way(self) -> Way:
        """Give how the service is reached. Raises SignInError once the time is over."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise SignInError("sso-unavailable", "timed-out")
        seconds = min(SECONDS_OF_ONE, self.settings.timeout_seconds, left)
        limits = Limits(connect_seconds=seconds, total_seconds=seconds, answer_bytes=LARGEST_ANSWER)
        ca_file = self.settings.ca_file
        return Way(limits, Path(ca_file) if ca_file else None, self.settings.http_proxy)


_under_way: ContextVar[SignOn] = ContextVar("keepstep_sign_on")


@contextmanager
def under_way(settings: ApplicationSettings) -> Iterator[None]:
    """Let the block ask the service that the settings name. Raises SignInError for too many."""
    if not _places.acquire(blocking=False):
        raise SignInError("sso-unavailable", "too many people sign in at once")
    token = _under_way.set(SignOn(settings, time.monotonic() + SECONDS_IN_ALL))
    try:
        yield
    finally:
        _under_way.reset(token)
        _places.release()


def present() -> SignOn:
    """Give the sign-in that is under way."""
    return _under_way.get()


def check_address(url: object) -> str:
    """Give an address that the service named. Raises SignInError for one that is not to be used."""
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        issuer = present().settings.sso_issuer
        if host and parts.scheme == "https":
            return url
        if host and parts.scheme == "http" and is_loopback(url) and is_loopback(issuer):
            return url
    raise SignInError("sso-unavailable", "it names an address that is not https")


class Reply:
    """An answer in the shape that allauth reads: its status, and the JSON object that it is."""

    status_code = HTTPStatus.OK
    headers: Mapping[str, str] = {"content-type": "application/json"}
    text = ""
    content = b""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said

    def json(self) -> dict[str, Any]:
        """Give the object."""
        return self._said

    def raise_for_status(self) -> None:
        """Do nothing: what is no success never gets so far."""


class Session:
    """Asks the service. Each request raises SignInError where no JSON object came back."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Ask for what is at an address."""
        return Reply(_object_of(_asked("GET", url, headers or {}, None)))

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: _Credentials | None = None,
    ) -> Reply:
        """Send a form to the token endpoint, as the application."""
        assert (method, params) == ("POST", None)
        told = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        if auth is not None:
            told["Authorization"] = _basic(auth)
        body = urlencode(data or {}).encode()
        return Reply(_object_of(_asked("POST", url, told, body)))


def _basic(auth: _Credentials) -> str:
    """Give the header by which an application says who it is (RFC 6749, 2.3.1: encoded first)."""
    pair = f"{quote_plus(auth.username)}:{quote_plus(auth.password)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _asked(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> RawAnswer:
    told = {"Accept": "application/json", **headers}
    asking = fetch(present().way(), method, check_address(url), headers=told, body=body)
    try:
        return asyncio.run(asking)
    except ExchangeError as error:
        raise SignInError("sso-unavailable", error.code) from error


def _object_of(answer: RawAnswer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise SignInError("sso-refused", error_named(said.get("error") if _is(said) else None))
    if answer.status != HTTPStatus.OK:
        raise SignInError("sso-unavailable", f"HTTP {answer.status}")
    if not _is(said):
        raise SignInError("sso-unavailable", "answer-unreadable")
    return dict(said)


def _is(said: object) -> bool:
    return isinstance(said, dict)


def error_named(error: object) -> str:
    """Give the name of an error as the service told it, "" for what is no such name."""
    name = error if isinstance(error, str) and error.replace("_", "").isalnum() else ""
    return name[:50] if name.isascii() else ""
