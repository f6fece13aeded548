"""What single sign-on does not believe: forged or replayed answers, a broken or hostile service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.test import Client

from keepstep.store import settings
from keepstep.store.models import Account, Identity
from tests.web.sign_in_service import (
    CLIENT,
    KEY,
    UNKNOWN_KEY,
    Claims,
    Service,
    parameters,
    said,
    saying,
    sign_in_service,
    signed,
)
from tests.web.signing_on import (
    CALLBACK,
    HERE,
    SSO,
    back_from,
    refused,
)
from tests.web.site import ADMINISTRATOR

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
