"""Single sign-on by a service that is broken, slow or hostile, and on the way to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from django.test import Client

from keepstep.store import settings
from keepstep.store.models import Account
from tests.unit.ews.certificates import Authority
from tests.web.sign_in_service import (
    SECRET,
    Service,
    dripping,
    endless,
    get,
    said,
    sign_in_service,
)
from tests.web.signing_on import (
    SSO,
    back_from,
    refused,
)
from tests.web.site import ADMINISTRATOR

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with sign_in_service() as service:
        yield service


@pytest.fixture
def service(running: Service, administrator: Account) -> Service:
    """The service, which knows the administrator as `anna`."""
    running.spoil = None
    running.answers.clear()
    running.person("anna", email=ADMINISTRATOR, email_verified=True)
    running.asked.clear()
    settings.change(running.settings())
    return running


# A service that is broken, slow or hostile


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (said({"error": "invalid_client"}, 401), "sso-refused", "invalid_client"),
        (said({"error": "<b>", "x": 1}, 400), "sso-refused", ""),
        (said(b"<html>", 400), "sso-refused", ""),
        (said({"token_type": "Bearer"}), "sso-refused", ""),
        (said({"error": "x"}, 500), "sso-unavailable", "HTTP 500"),
        (said({"access_token": "x", "expires_in": "never"}), "sso-not-proven", "no id token"),
    ],
)
def test_what_the_service_says_in_place_of_a_token_is_told(
    service: Service, error: Any, code: str, detail: str
) -> None:
    client = Client()
    address = back_from(service, client)
    service.answers["/oauth2/token"] = error
    page = refused(client, address, code)
    assert detail in page
    assert "&lt;b&gt;" not in page


def described(service: Service, **changed: Any) -> Any:
    described = {**get(service.url + DISCOVERY), **changed}
    return said({name: value for name, value in described.items() if value is not None})


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://issuer.example.com"},
        {"issuer": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://issuer.example.com/authorize"},
        {"authorization_endpoint": None},
        {"token_endpoint": "ftp://localhost/token"},
        {"token_endpoint": ["https://localhost/"]},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"jwks_uri": "https://[::1"},
    ],
)
def test_a_service_that_describes_itself_wrongly_is_not_used(
    service: Service, changed: dict[str, Any]
) -> None:
    service.answers[DISCOVERY] = described(service, **changed)
    refused(Client(), SSO, "sso-unavailable")


def test_the_address_of_cloud_metadata_is_never_asked(service: Service) -> None:
    client = Client()
    address = back_from(service, client)
    service.answers[DISCOVERY] = described(service, jwks_uri="https://169.254.169.254/latest")
    page = refused(client, address, "sso-unavailable")
    assert "address-forbidden" in page


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (said(b"<html>sign in</html>", kind="text/html"), "answer-unreadable"),
        (said(b"[]"), "answer-unreadable"),
        (said(b"[" * 200_000), "answer-unreadable"),
        (said(b"\xff\xfe"), "answer-unreadable"),
        (said({}, 404), "HTTP 404"),
        (endless, "answer-too-large"),
        (dripping(Event()), "timed-out"),
    ],
)
def test_an_answer_that_is_no_description_is_an_end_within_bounds(
    service: Service, answer: Any, detail: str
) -> None:
    settings.change({"timeout_seconds": "1"})
    service.answers[DISCOVERY] = answer
    begun = time.monotonic()
    page = refused(Client(), SSO, "sso-unavailable")
    assert detail in page
    assert time.monotonic() - begun < 3


def test_a_redirect_is_not_followed_and_takes_no_secret_along(service: Service) -> None:
    client = Client()
    address = back_from(service, client)
    with sign_in_service() as elsewhere:
        service.answers["/oauth2/token"] = lambda: (
            307,
            {"Location": f"{elsewhere.url}/oauth2/token", "Content-Length": "0"},
            [],
        )
        page = refused(client, address, "sso-unavailable")
        assert "HTTP 307" in page
        assert elsewhere.asked == []


def test_a_service_that_is_down_is_told_and_the_sign_in_page_stays(service: Service) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        issuer = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings.change({"sso_issuer": issuer})
        page = refused(Client(), SSO, "sso-unavailable")
    assert "connection-refused" in page
    assert Client().get("/sign-in").status_code == 200


def test_a_certificate_that_is_not_trusted_is_an_end_until_its_authority_is(
    administrator: Account, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with sign_in_service(tls=authority.server("localhost"), authority=authority.file) as service:
        service.person("anna", email=ADMINISTRATOR, email_verified=True)
        settings.change(service.settings())
        assert "certificate-not-trusted" in refused(Client(), SSO, "sso-unavailable")
        settings.change({"ca_file": str(authority.file)})
        client = Client()
        assert client.get(back_from(service, client)).status_code == 302


def test_the_service_is_asked_through_the_proxy(service: Service) -> None:
    with forwarding() as (proxy, heard):
        settings.change({"http_proxy": proxy})
        client = Client()
        assert client.get(back_from(service, client)).status_code == 302
    assert heard == [f"GET {DISCOVERY}", f"GET {DISCOVERY}", "POST /oauth2/token", "GET /jwks"]


@contextmanager
def forwarding() -> Iterator[tuple[str, list[str]]]:
    """Run an HTTP proxy; gives its address, and what it was asked for."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            heard.append(f"{self.command} {urlsplit(self.path).path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))) or None
            kept = {name: value for name, value in self.headers.items() if name != "Host"}
            with urlopen(Request(self.path, body, kept, method=self.command)) as answer:
                said = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

        def do_GET(self) -> None:
            self.forward()

        def do_POST(self) -> None:
            self.forward()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()


def test_the_secret_of_the_application_is_shown_and_logged_nowhere(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    service.answers["/oauth2/token"] = said({"error": "invalid_client"}, 401)
    refused(client, back_from(service, client), "sso-refused")
    assert SECRET not in caplog.text
    shown = {each.name: each.value for each in settings.show()}
    assert shown["sso_client_secret"] == "set"


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        ("http://issuer.example.com", "must begin with https://"),
        ("https://login.microsoftonline.com/common/v2.0", "must name one tenant"),
        ("https://login.microsoftonline.com/organizations/v2.0", "must name one tenant"),
        ("https://169.254.169.254/", "must not lead to cloud metadata"),
        ("issuer", "must begin with https://"),
    ],
)
def test_an_issuer_that_must_not_be_used_is_refused(issuer: str, why: str) -> None:
    assert why in settings.problems({"sso_issuer": issuer})["sso_issuer"]


def test_the_address_of_the_description_is_as_good_as_the_issuer(database: None) -> None:
    issuer = "https://keycloak.example.com/realms/sales"
    settings.change({"sso_issuer": f"{issuer}/.well-known/openid-configuration"})
    assert settings.load().sso_issuer == issuer
