"""What single sign-on does not believe: forged or replayed answers, a broken or hostile service."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.test import Client
from django.utils import translation

from keepstep.core.failures import FAILURES
from keepstep.store import settings
from keepstep.store.models import Account, Identity
from tests.web.sign_in_service import (
    CLIENT,
    KEY,
    SECRET,
    UNKNOWN_KEY,
    Claims,
    Service,
    dripping,
    endless,
    get,
    parameters,
    said,
    saying,
    sign_in_service,
    signed,
)
from tests.web.site import ADMINISTRATOR

SSO = "/sign-in/sso"
CALLBACK = f"{SSO}/callback"
HERE = "http://testserver"
DISCOVERY = "/.well-known/openid-configuration"
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


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


def back_from(service: Service, client: Client) -> str:
    """Go to the service and sign in there; give the address to which one is sent back."""
    return service.approve(client.get(SSO)["Location"], "anna").removeprefix(HERE)


def refused(client: Client, address: str, code: str) -> str:
    """Open an address that must let nobody in, and say so plainly; give the page."""
    answer = client.get(address)
    page = answer.content.decode()
    assert f"<code>{code}</code>" in page, page[-600:]
    with translation.override("en"):
        assert FAILURES[code].message.replace("'", "&#x27;") in page
    assert answer.status_code in (400, 403, 503)
    assert "Traceback" not in page
    assert SECRET not in page
    assert client.get("/account").status_code == 302
    assert not Identity.objects.exists()
    return page


# The way back


def test_an_answer_that_nobody_asked_for_is_not_taken(service: Service) -> None:
    client = Client()
    for made_up in ("", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied"):
        refused(client, CALLBACK + made_up, "sso-expired")
    back_from(service, client)
    refused(client, f"{CALLBACK}?code=x&state=x", "sso-expired")
    assert not [each for each in service.asked if each[1] == "/oauth2/token"]


def test_an_answer_is_of_use_in_the_browser_that_asked_for_it_alone(service: Service) -> None:
    mine, other = Client(), Client()
    address = back_from(service, mine)
    back_from(service, other)
    refused(other, address, "sso-expired")


def test_an_answer_is_taken_once(service: Service) -> None:
    client = Client()
    address = back_from(service, client)
    assert client.get(address).status_code == 302
    client.post("/sign-out")
    Identity.objects.all().delete()
    refused(client, address, "sso-expired")


def test_an_answer_that_failed_is_not_taken_again(service: Service) -> None:
    client = Client()
    address = back_from(service, client)
    service.answers["/oauth2/token"] = said({"error": "server_error"}, 500)
    refused(client, address, "sso-unavailable")
    service.answers.clear()
    refused(client, address, "sso-expired")


def test_an_answer_that_comes_too_late_is_not_taken(service: Service) -> None:
    client = Client()
    address = back_from(service, client)
    session = client.session
    states = session["socialaccount_states"]
    for name, (state, at, provider) in states.items():
        states[name] = (state, at - 601, provider)
    session["socialaccount_states"] = states
    session.save()
    refused(client, address, "sso-expired")


def test_who_breaks_it_off_is_told_so_and_may_begin_anew(service: Service) -> None:
    client = Client()
    asked = client.get(SSO)["Location"]
    address = service.deny(asked).removeprefix(HERE)
    # It belongs to such an answer (RFC 6749, 4.1.2.1); this service leaves it out.
    address += f"&state={parameters(asked)['state']}"
    page = refused(client, address, "sso-refused")
    assert "access_denied" in page
    assert client.get(back_from(service, client)).status_code == 302


@pytest.mark.parametrize("error", ["%3Cb%3Ex", "x" * 4000, "%00", "&error=a%20b"])
def test_no_text_of_a_stranger_is_shown(service: Service, error: str) -> None:
    client = Client()
    state = parameters(client.get(SSO)["Location"])["state"]
    page = refused(client, f"{CALLBACK}?state={state}&error={error}", "sso-refused")
    assert "<b>x" not in page
    assert "&lt;b" not in page
    assert "x" * 51 not in page


# The id token


def with_claims(**changed: Any) -> Callable[[Claims], str]:
    return saying(**changed)


def forged(**how: Any) -> Callable[[Claims], str]:
    return lambda claims: signed(claims, **how)


def shared_secret(claims: Claims) -> str:
    """Signed by the public key, as if it were a secret that both know."""
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","kid":"ours","typ":"JWT"}')
    body = jwt.utils.base64url_encode(jwt.api_jws.json.dumps(claims).encode())
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    text = header + b"." + body
    return (text + b"." + jwt.utils.base64url_encode(signer.sign(text, PUBLIC))).decode()


NOW = int(time.time())
SPOILT: dict[str, Callable[[Claims], Any]] = {
    "for another sign-in": with_claims(nonce="x" * 32),
    "for no sign-in": with_claims(nonce=None),
    "a nonce that is none": with_claims(nonce=["x"]),
    "for another application": with_claims(aud="other"),
    "for several applications, none of which is named": with_claims(aud=[CLIENT, "other"]),
    "given to another application": with_claims(aud=[CLIENT, "other"], azp="other"),
    "of another issuer": with_claims(iss="https://issuer.example.com"),
    "of no issuer": with_claims(iss=None),
    "run out": with_claims(exp=NOW - 3600),
    "without an end": with_claims(exp=None),
    "of the future": with_claims(iat=NOW + 3600),
    "not to be used yet": with_claims(nbf=NOW + 3600),
    "without a subject": with_claims(sub=None),
    "of an empty subject": with_claims(sub=""),
    "of a subject too long": with_claims(sub="x" * 256),
    "signed by a stranger": forged(key=UNKNOWN_KEY),
    "signed by a key that is not published": forged(kid="other"),
    "signed by nobody": forged(key=None, algorithm="none"),
    "signed by the public key": shared_secret,
    "damaged": lambda claims: "x".join(signed(claims).rsplit(".", 1)),
    "no token": lambda claims: "nothing",
    "a number": lambda claims: 7,
    "missing": lambda claims: None,
}


@pytest.mark.parametrize("how", SPOILT)
def test_an_id_token_that_proves_nothing_lets_nobody_in(service: Service, how: str) -> None:
    service.spoil = SPOILT[how]
    client = Client()
    refused(client, back_from(service, client), "sso-not-proven")


@pytest.mark.parametrize(
    "how",
    [
        saying(),
        saying(aud=[CLIENT]),
        saying(aud=[CLIENT, "other"], azp=CLIENT),
        lambda claims: signed({**claims, "exp": int(time.time()) - 20}),
        lambda claims: signed(claims, algorithm="PS256"),
        lambda claims: signed(claims, algorithm="RS512"),
    ],
)
def test_an_id_token_that_is_as_it_should_be_lets_in(
    service: Service, how: Callable[[Claims], str]
) -> None:
    service.spoil = how
    client = Client()
    assert client.get(back_from(service, client)).status_code == 302
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    "keys",
    [
        {"keys": []},
        {"keys": "none"},
        {"keys": [{"kty": "RSA", "kid": "ours", "n": 1, "e": []}]},
        {"keys": [{"kty": "oct", "kid": "ours", "k": "AAAA"}]},
        {"keys": [None]},
        {},
    ],
)
def test_keys_that_are_of_no_use_let_nobody_in(service: Service, keys: dict[str, Any]) -> None:
    service.spoil = saying()
    service.answers["/jwks"] = said(keys)
    client = Client()
    refused(client, back_from(service, client), "sso-not-proven")


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
        (dripping(5), "timed-out"),
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
