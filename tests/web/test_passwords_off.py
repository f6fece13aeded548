"""Passwords switched off: only where single sign-on was proven, and never for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.notices.messages import words_for_link
from keepstep.store import account_mails, accounts, settings
from keepstep.store.links import Purpose, link_of
from keepstep.store.models import Account
from tests.web.sign_in_service import Service, sign_in_service
from tests.web.site import ADMINISTRATOR, AUDITOR, PASSWORD

ClientOf = Callable[[Account | None], Client]
HERE = "http://testserver"
OFF = {"sso_passwords": "off"}
ON = {"sso_passwords": "on"}
NEW = "new@example.com"


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with sign_in_service() as service:
        service.person("anna", email=ADMINISTRATOR, email_verified=True)
        service.person("audrey", email=AUDITOR, email_verified=True)
        yield service


@pytest.fixture
def service(running: Service, administrator: Account) -> Service:
    """The service, in use by Keepstep; an administrator has a password as well."""
    settings.change(running.settings())
    accounts.set_password(administrator, PASSWORD)
    return running


@pytest.fixture
def off(service: Service) -> Service:
    """The service, by which alone people sign in."""
    sign_in(service, "anna")
    settings.change(OFF)
    return service


def sign_in(service: Service, subject: str) -> Client:
    client = Client()
    back = service.approve(client.get("/sign-in/sso")["Location"], subject)
    assert client.get(back.removeprefix(HERE)).status_code == 302
    return client


def passwords_stay_on(why: str, **more: str) -> None:
    with pytest.raises(UsageError, match=why):
        settings.change({**more, **OFF})
    assert settings.load().sso_passwords


def says_passwords_off(client: Client, method: str, address: str, **fields: str) -> None:
    answer = getattr(client, method)(address, fields)
    assert answer.status_code == 403, address
    page = answer.content.decode()
    assert page.partition("<p><code>")[2].partition("</code>")[0] == "passwords-off", address


# When they can be switched off


def test_passwords_stay_on_without_single_sign_on(administrator: Account) -> None:
    passwords_stay_on("can't be off without single sign-on")


def test_passwords_stay_on_until_an_administrator_has_signed_in_by_it(
    service: Service, auditor: Account
) -> None:
    passwords_stay_on("until an administrator has signed in")
    sign_in(service, "audrey")
    passwords_stay_on("until an administrator has signed in")
    sign_in(service, "anna")
    settings.change(OFF)
    assert not settings.load().sso_passwords


@pytest.mark.parametrize(
    "changed",
    [
        {"sso_issuer": "https://other.example.com"},
        {"sso_client_id": "other"},
        {"sso_role_claim": "roles", "sso_administrators": "admins"},
    ],
)
def test_a_sign_in_proves_only_what_was_set_then(service: Service, changed: dict[str, str]) -> None:
    sign_in(service, "anna")
    passwords_stay_on("until an administrator has signed in", **changed)
    settings.change(changed)
    passwords_stay_on("until an administrator has signed in")


def test_an_administrator_who_is_off_or_is_none_any_more_proves_nothing(
    service: Service, administrator: Account
) -> None:
    sign_in(service, "anna")
    accounts.create(NEW, Role.ADMINISTRATOR)
    accounts.switch(administrator, on=False)
    passwords_stay_on("until an administrator has signed in")
    accounts.switch(administrator, on=True)
    accounts.change_role(administrator, Role.AUDITOR)
    passwords_stay_on("until an administrator has signed in")


def test_while_they_are_off_nothing_can_be_changed_by_which_nobody_would_get_in(
    off: Service,
) -> None:
    for name, value in {"sso_issuer": "", "sso_client_id": "x", "sso_role_claim": "roles"}.items():
        with pytest.raises(UsageError, match="set sso_passwords=on"):
            settings.change({name: value})
    settings.change({"sso_client_secret": "renewed", "sso_name": "The house"})
    settings.change({"sso_role_claim": "roles", **ON})
    assert settings.load().sso_role_claim == "roles"


def test_the_page_says_why_they_stay_on(service: Service, client_of: ClientOf) -> None:
    client = client_of(Account.objects.get(email=ADMINISTRATOR))
    page = client.get("/settings/single-sign-on").content.decode()
    assert f"{HERE}/sign-in/sso/callback" in page
    shown = {each.name: each.value for each in settings.show() if each.name.startswith("sso_")}
    kept = {name: value for name, value in shown.items() if value not in ("off", "set")}
    answer = client.post("/settings/single-sign-on", {**kept, "sso_passwords": ""})
    assert answer.status_code == 422
    assert "until an administrator has signed in" in answer.content.decode()


# What it means


def test_no_password_lets_in_and_the_sign_in_page_asks_for_none(off: Service) -> None:
    page = Client().get("/sign-in").content.decode()
    assert "/sign-in/sso" in page
    assert 'type="password"' not in page
    fields = {"username": ADMINISTRATOR, "password": PASSWORD}
    says_passwords_off(Client(), "post", "/sign-in", **fields)
    says_passwords_off(Client(), "get", "/reset")
    says_passwords_off(Client(), "post", "/reset", email=ADMINISTRATOR)
    signed_in = sign_in(off, "anna")
    assert "New password" not in signed_in.get("/account").content.decode()
    fields = {"old": PASSWORD, "password": PASSWORD + "x", "again": PASSWORD + "x"}
    says_passwords_off(signed_in, "post", "/account/password", **fields)


def test_links_that_set_a_password_have_no_effect_but_one_that_signs_in_has(
    off: Service, auditor: Account
) -> None:
    for purpose in (Purpose.INVITATION, Purpose.RESET):
        says_passwords_off(Client(), "get", link_of(auditor, purpose, HERE))
        fields = {"password": PASSWORD, "again": PASSWORD}
        says_passwords_off(Client(), "post", link_of(auditor, purpose, HERE), **fields)
    client = Client()
    assert client.post(link_of(auditor, Purpose.SIGN_IN, HERE)).status_code == 302
    assert client.get("/account").status_code == 200


def test_who_is_invited_gets_the_address_of_the_sign_in_page(off: Service) -> None:
    client = sign_in(off, "anna")
    client.post("/people/invite", {"emails": NEW, "role": "auditor"})
    account = accounts.find(NEW)
    page = client.get(f"/people/{account.pk}").content.decode()
    assert f'value="{HERE}/sign-in"' in page
    assert "/invitation/" not in page
    says_passwords_off(client, "post", f"/people/{account.pk}/link")
    links = client.post("/people/links").content.decode()
    assert f"{NEW},,{HERE}/sign-in" in links
    link = account_mails.link_for_mail("invitation", NEW, "https://keepstep.example.com")
    assert link == "https://keepstep.example.com/sign-in"
    words = words_for_link("invitation", link)
    assert "password" not in words.text + words.html
    assert account_mails.link_for_mail("reset", ADMINISTRATOR, HERE) == ""


def test_switched_on_again_all_is_as_before(off: Service) -> None:
    settings.change(ON)
    client = Client()
    client.post("/sign-in", {"username": ADMINISTRATOR, "password": PASSWORD})
    assert client.get("/account").status_code == 200
