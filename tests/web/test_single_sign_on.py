"""Single sign-on by a real OpenID Connect service: whom it lets in, as what, and whom not."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest
from django.test import Client

from keepstep.store import accounts, audit, erasure, settings, single_sign_on
from keepstep.store.links import Purpose, link_of
from keepstep.store.models import Account, AuditEntry, Identity, Session
from tests.web.sign_in_service import Service, parameters, sign_in_service
from tests.web.signing_on import (
    HERE,
    NEW,
    SSO,
    code_on,
    known,
    sign_in,
)
from tests.web.site import ADMINISTRATOR, OPERATOR

ClientOf = Callable[[Account | None], Client]
SCOPE = {"openid", "email", "profile"}


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with sign_in_service() as service:
        yield service


@pytest.fixture
def service(running: Service, database: None) -> Service:
    """The service, in use by Keepstep."""
    running.spoil = None
    running.answers.clear()
    running.asked.clear()
    settings.change(running.settings())
    return running


# To the service and back


def test_the_way_to_the_service_is_guarded_by_state_nonce_and_pkce(
    service: Service, administrator: Account
) -> None:
    client = Client()
    address = client.get(SSO)["Location"]
    asked = parameters(address)
    assert address.startswith(f"{service.url}/oauth2/authorize?")
    assert asked["redirect_uri"] == f"{HERE}/sign-in/sso/callback"
    assert (asked["response_type"], set(asked["scope"].split())) == ("code", SCOPE)
    assert len(asked["state"]) >= 16
    assert len(asked["nonce"]) >= 32
    assert asked["code_challenge_method"] == "S256"
    client.get(service.approve(address, known(service, "pkce", ADMINISTRATOR)).removeprefix(HERE))
    token = next(each for each in service.asked if each[1] == "/oauth2/token")
    sent = parse_qs(token[3].decode())
    digest = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    pair = base64.b64decode(token[2]["authorization"].removeprefix("Basic ")).decode()
    assert pair == "keepstep:the+application%27s+secret"
    assert b"secret" not in token[3]


def test_nothing_in_the_address_changes_what_the_service_is_asked(service: Service) -> None:
    more = "auth_params=redirect_uri%3Dhttps%3A%2F%2Fevil.example%26nonce%3Dx&scope=admin"
    asked = parameters(
        Client().get(f"{SSO}?{more}&process=connect&next=https://evil.example/")["Location"]
    )
    assert asked["redirect_uri"] == f"{HERE}/sign-in/sso/callback"
    assert (set(asked["scope"].split()), len(asked["nonce"])) == (SCOPE, 32)


def test_people_come_back_to_the_address_that_they_are_meant_to_use(service: Service) -> None:
    settings.change({"site_url": "https://keepstep.example.com/"})
    asked = parameters(Client().get(SSO)["Location"])
    assert asked["redirect_uri"] == "https://keepstep.example.com/sign-in/sso/callback"


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [("/people/?page=2", "/people/?page=2"), ("https://evil.example/", "/"), ("//evil", "/")],
)
def test_signing_in_leads_to_pages_of_ours_alone(
    service: Service, administrator: Account, wanted: str, led_to: str
) -> None:
    client = Client()
    address = client.get(SSO, {"next": wanted})["Location"]
    back = service.approve(address, known(service, "next", ADMINISTRATOR))
    assert client.get(back.removeprefix(HERE))["Location"] == led_to


def test_who_is_in_already_is_not_led_to_the_service(
    service: Service, administrator: Account, client_of: ClientOf
) -> None:
    assert client_of(administrator).get(f"{SSO}?next=/people/")["Location"] == "/people/"
    assert service.asked == []


def test_the_session_is_another_one_that_lasts_as_every_session(
    service: Service, administrator: Account
) -> None:
    client = Client()
    address = client.get(SSO)["Location"]
    before = client.cookies["keepstep_session"].value
    assert int(client.cookies["keepstep_session"]["max-age"]) == 600
    client.get(service.approve(address, known(service, "s", ADMINISTRATOR)).removeprefix(HERE))
    after = client.cookies["keepstep_session"]
    assert after.value != before
    assert int(after["max-age"]) == 14 * 24 * 3600
    assert [each.account for each in Session.objects.all()] == [administrator]


def test_without_single_sign_on_its_addresses_say_so_and_the_sign_in_page_has_no_button(
    running: Service, administrator: Account
) -> None:
    running.asked.clear()
    for path in (SSO, f"{SSO}/callback?code=x&state=y"):
        answer = Client().get(path)
        assert answer.status_code == 404
        assert code_on(answer.content.decode()) == "sso-not-set-up"
    assert "/sign-in/sso" not in Client().get("/sign-in").content.decode()
    assert running.asked == []


# Whose account it is


def test_who_was_invited_is_let_in_by_the_verified_address_and_linked(
    service: Service, administrator: Account
) -> None:
    invitation = link_of(administrator, Purpose.INVITATION, HERE)
    _, wrong = sign_in(service, known(service, "anna", ADMINISTRATOR.upper()))
    assert wrong == ""
    identity = Identity.objects.get()
    assert (identity.account, identity.issuer, identity.subject) == (
        administrator,
        service.url,
        "anna",
    )
    noted = audit.listing(limit=1)[0]
    assert (noted.by, noted.action, noted.subject) == (
        "single sign-on",
        "account.identity",
        ADMINISTRATOR,
    )
    assert Client().get(invitation).status_code == 410


def test_from_then_on_the_identity_counts_and_no_address(
    service: Service, administrator: Account, auditor: Account
) -> None:
    known(service, "anna", ADMINISTRATOR)
    sign_in(service, "anna")
    service.person("anna", email=auditor.email, email_verified=False)
    client, wrong = sign_in(service, "anna")
    assert wrong == ""
    assert ADMINISTRATOR in client.get("/account").content.decode()
    assert AuditEntry.objects.filter(action="account.identity").count() == 1


def test_an_address_that_was_given_to_another_person_gives_no_account_away(
    service: Service, administrator: Account
) -> None:
    sign_in(service, known(service, "anna", ADMINISTRATOR))
    _, wrong = sign_in(service, known(service, "successor", ADMINISTRATOR))
    assert wrong == "sso-account-taken"
    assert single_sign_on.unlink(administrator) == 1
    assert sign_in(service, "successor")[1] == ""
    assert Identity.objects.get().subject == "successor"


@pytest.mark.parametrize("verified", [{"email_verified": False}, {}])
def test_an_address_that_was_not_verified_lets_nobody_in(
    service: Service, administrator: Account, verified: dict[str, bool]
) -> None:
    service.person("anna", email=ADMINISTRATOR, **verified)
    assert sign_in(service, "anna")[1] == "sso-email-unverified"
    assert not Identity.objects.exists()
    settings.change({"sso_trust_email": "on"})
    expected = "sso-email-unverified" if verified else ""
    assert sign_in(service, "anna")[1] == expected


def test_without_an_address_nobody_is_found(service: Service, administrator: Account) -> None:
    service.person("anna", preferred_username=ADMINISTRATOR, email_verified=True)
    assert sign_in(service, "anna")[1] == "sso-email-unverified"
    settings.change({"sso_email_claim": "preferred_username"})
    assert sign_in(service, "anna")[1] == "sso-email-unverified"
    settings.change({"sso_trust_email": "on"})
    assert sign_in(service, "anna")[1] == ""


@pytest.mark.parametrize(
    "address", ["ad\u1d0din@example.com", "admin@example.com\u200b", "admin@e\u212aample.com"]
)
def test_an_address_that_only_looks_alike_is_another_one(
    service: Service, administrator: Account, address: str
) -> None:
    assert sign_in(service, known(service, "eve", address))[1] == "sso-unknown-person"


def test_somebody_unknown_is_not_let_in_and_nothing_is_made(
    service: Service, administrator: Account
) -> None:
    _, wrong = sign_in(service, known(service, "eve", NEW))
    assert wrong == "sso-unknown-person"
    assert Account.objects.count() == 1


def test_an_account_that_is_switched_off_stays_out(
    service: Service, administrator: Account, auditor: Account
) -> None:
    sign_in(service, known(service, "audrey", auditor.email))
    accounts.switch(auditor, on=False)
    assert sign_in(service, "audrey")[1] == "account-off"


def test_an_identity_is_of_its_issuer_alone(service: Service, administrator: Account) -> None:
    sign_in(service, known(service, "anna", ADMINISTRATOR))
    with sign_in_service() as other:
        settings.change(other.settings())
        other.person("anna", email="someone.else@example.com", email_verified=True)
        assert sign_in(other, "anna")[1] == "sso-unknown-person"


# What is left


def test_an_erased_operator_leaves_no_identity_behind(service: Service, operator: Account) -> None:
    sign_in(service, known(service, "anna", OPERATOR))
    erasure.erase(OPERATOR)
    assert not Identity.objects.exists()
    assert not Account.objects.exists()
    assert OPERATOR not in str(list(AuditEntry.objects.values()))


def test_an_account_that_has_signed_in_by_the_service_can_be_deleted_on_the_pages(
    service: Service, administrator: Account, auditor: Account, client_of: ClientOf
) -> None:
    sign_in(service, known(service, "audrey", auditor.email))
    client_of(administrator).post(f"/people/{auditor.pk}/delete")
    assert not Account.objects.filter(pk=auditor.pk).exists()
    assert not Identity.objects.exists()


def test_an_administrator_sees_the_link_and_dissolves_it(
    service: Service, administrator: Account, auditor: Account, client_of: ClientOf
) -> None:
    signed_in, _ = sign_in(service, known(service, "audrey", auditor.email))
    client = client_of(administrator)
    assert service.url in client.get(f"/people/{auditor.pk}").content.decode()
    client.post(f"/people/{auditor.pk}/unlink")
    assert not Identity.objects.exists()
    assert signed_in.get("/account").status_code == 302
    noted = audit.listing(limit=1)[0]
    assert (noted.by, noted.action, noted.subject) == (
        ADMINISTRATOR,
        "account.unlink",
        auditor.email,
    )
