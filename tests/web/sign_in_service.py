"""A real sign-in service (OpenID Connect) on a socket: the package oidc-provider-mock.

What it answers can be spoilt on the way out, as a service that is broken or hostile would: by
`Service.spoil`, which changes claims of the id token and signs it anew with a key of our own that
is published as well, and by `Service.answers`, which stands in for an answer as a whole.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener, urlopen

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from oidc_provider_mock import User
from oidc_provider_mock import app as oidc_provider
from werkzeug.serving import make_server

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
UNKNOWN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KID = "ours"
CLIENT = "keepstep"
SECRET = "the application's secret"

Claims = dict[str, Any]
Answer = tuple[int, dict[str, str], Iterable[bytes]]


@dataclass
class Service:
    """The service at `url`; `spoil` and `answers` say what is wrong with it.

    `asked` are the requests that came: method, path, headers, body.
    """

    url: str = ""
    spoil: Callable[[Claims], str] | None = None
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    trusted: ssl.SSLContext | None = None

    def person(self, subject: str, **claims: Any) -> None:
        """Let the service know somebody."""
        self._send("PUT", f"{self.url}/users/{subject}", json.dumps(claims).encode())

    def settings(self, **more: str) -> dict[str, str]:
        """Give the settings by which Keepstep uses it."""
        known = {"sso_issuer": self.url, "sso_client_id": CLIENT, "sso_client_secret": SECRET}
        return {**known, **more}

    def approve(self, address: str, subject: str) -> str:
        """Sign in there as somebody would who was led to the address; give whence one is sent."""
        return self._send("POST", address, urlencode({"sub": subject}).encode())

    def deny(self, address: str) -> str:
        """Break the sign-in off."""
        return self._send("POST", address, urlencode({"action": "deny"}).encode())

    def _send(self, method: str, url: str, body: bytes) -> str:
        kind = "application/json" if method == "PUT" else "application/x-www-form-urlencoded"
        request = Request(url, body, {"Content-Type": kind}, method=method)
        opener = build_opener(_NoRedirect, HTTPSHandler(context=self.trusted))
        with opener.open(request, timeout=10) as answer:
            return str(answer.headers.get("Location", ""))


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None

    def http_error_302(self, _req: Any, fp: Any, *_: Any) -> Any:
        return fp

    http_error_303 = http_error_302


@contextmanager
def sign_in_service(
    *people: User, tls: ssl.SSLContext | None = None, authority: Path | None = None
) -> Iterator[Service]:
    """Run a service while the block runs; with `tls` by https, which browsers trust by a file."""
    service = Service(trusted=ssl.create_default_context(cafile=authority))
    app = _Spoilt(oidc_provider(user_claims=people, require_nonce=True), service)
    server = make_server("localhost", 0, app, threaded=True, ssl_context=tls)
    service.url = f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


class _Spoilt:
    """The application of the service, with what is wrong with it."""

    def __init__(self, app: Any, service: Service) -> None:
        self._app = app
        self._service = service

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path, service = environ["PATH_INFO"], self._service
        self._note(environ)
        if path in service.answers:
            status, headers, body = service.answers[path]()
            start(f"{status} Spoilt", list(headers.items()))
            return body
        is_page = environ["REQUEST_METHOD"] == "GET" and path == "/oauth2/authorize"
        if not is_page and (service.spoil is None or path not in ("/oauth2/token", "/jwks")):
            return self._app(environ, start)  # type: ignore[no-any-return]
        said: dict[str, Any] = {}

        def held(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            said["status"], said["headers"] = status, headers

        body = b"".join(self._app(environ, held))
        if is_page:
            # Its look would come from another server.
            changed = re.sub(rb"<link[^>]*>", b"", body)
        else:
            changed = json.dumps(self._changed(path, json.loads(body))).encode()
        kept = [each for each in said["headers"] if each[0] != "Content-Length"]
        start(said["status"], [*kept, ("Content-Length", str(len(changed)))])
        return [changed]

    def _note(self, environ: dict[str, Any]) -> None:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        headers = {
            name[5:].lower(): value for name, value in environ.items() if name[:5] == "HTTP_"
        }
        asked = (environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body)
        self._service.asked.append(asked)

    def _changed(self, path: str, said: dict[str, Any]) -> dict[str, Any]:
        if path == "/jwks":
            ours = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            return {"keys": [*said["keys"], {**ours, "kid": KID, "use": "sig"}]}
        if "id_token" in said:
            claims = jwt.decode(said["id_token"], options={"verify_signature": False})
            assert self._service.spoil is not None
            said["id_token"] = self._service.spoil(claims)
        return said


def signed(claims: Claims, key: Any = KEY, algorithm: str = "RS256", kid: str | None = KID) -> str:
    """Give an id token; by default one that is signed as it should be."""
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)


def saying(**changed: Any) -> Callable[[Claims], str]:
    """Spoil a token by other claims; None takes one away. It is signed as it should be."""

    def spoil(claims: Claims) -> str:
        merged = {**claims, **changed}
        return signed({name: value for name, value in merged.items() if value is not None})

    return spoil


def said(body: Any, status: int = 200, kind: str = "application/json") -> Callable[[], Answer]:
    """Stand in for an answer by this text, or what it is as JSON."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda: (status, {"Content-Type": kind, "Content-Length": str(len(text))}, [text])


def endless() -> Answer:
    """An answer that goes on for ever, quickly."""

    def pieces() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b" " * 65536

    return 200, {"Content-Type": "application/json"}, pieces()


def dripping(until: threading.Event) -> Callable[[], Answer]:
    """An answer that comes a byte at a time until somebody says that it is enough."""

    def pieces() -> Iterator[bytes]:
        while not until.wait(0.1):
            yield b" "

    return lambda: (200, {"Content-Type": "application/json"}, pieces())


def parameters(address: str) -> dict[str, str]:
    """Give the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def get(url: str) -> Any:
    """Give the JSON that is at an address."""
    with urlopen(url, timeout=10) as answer:
        return json.load(answer)
