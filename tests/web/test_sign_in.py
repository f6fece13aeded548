"""Signing in: who gets in, who is held off, and when sessions end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db.models import F
from django.http.response import HttpResponseBase
from django.test import Client, override_settings

from keepstep.core.roles import Role
from keepstep.store import accounts
from keepstep.store.links import Purpose, link_of, set_up_link
from keepstep.store.models import Account, Session
from tests.web.site import ADMINISTRATOR, AUDITOR, OPERATOR, PASSWORD

SIGN_IN = "/sign-in"
SITE = "http://testserver"
OTHER_PASSWORD = "quite another long pass phrase"
COOL_OFF = timedelta(minutes=15)
HASHED: list[str] = []

ClientOf = Callable[[Account | None], Client]


class Counted(PBKDF2PasswordHasher):
    """As the product hashes, but quickly; notes each time."""

    algorithm = "counted"
    iterations = 1

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        HASHED.append(salt)
        return super().encode(password, salt, iterations)


@pytest.fixture(autouse=True)
def _quick_hashes() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=[f"{__name__}.Counted"]):
        yield


@pytest.fixture
def someone(administrator: Account) -> Account:
    """An administrator with a password."""
    accounts.set_password(administrator, PASSWORD)
    return administrator


def attempt(email: str, password: str, machine: str = "192.0.2.1", **more: Any) -> HttpResponseBase:
    client = Client(REMOTE_ADDR=machine, **more)
    return client.post(SIGN_IN, {"username": email, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def test_address_in_any_case_and_password_let_in(someone: Account) -> None:
    answer = attempt(f" {ADMINISTRATOR.upper()} ", PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/people/?page=2", "/people/?page=2"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_signing_in_leads_to_pages_of_ours_alone(
    someone: Account, wanted: str, led_to: str
) -> None:
    fields = {"username": ADMINISTRATOR, "password": PASSWORD, "next": wanted}
    assert Client().post(SIGN_IN, fields)["Location"] == led_to


def test_the_session_gets_another_key_at_sign_in(someone: Account) -> None:
    client = Client()
    session = client.session
    session["begun"] = "before"
    session.save()
    before = client.cookies["keepstep_session"].value
    client.post(SIGN_IN, {"username": ADMINISTRATOR, "password": PASSWORD})
    assert client.cookies["keepstep_session"].value != before
    assert list(Session.objects.values_list("account", flat=True)) == [someone.pk]


# Guessing


def test_the_sixth_attempt_is_held_off_even_with_the_right_password(someone: Account) -> None:
    answers = [attempt(ADMINISTRATOR, f"wrong {number}").status_code for number in range(5)]
    assert answers == [422, 422, 422, 422, 429]
    assert attempt(ADMINISTRATOR, PASSWORD).status_code == 429


def test_another_spelling_of_the_address_is_no_way_around(someone: Account) -> None:
    for number in range(5):
        attempt("".join((ADMINISTRATOR[:number].upper(), ADMINISTRATOR[number:], " ")), "wrong")
    assert attempt(ADMINISTRATOR, PASSWORD).status_code == 429


def test_another_browser_or_ipv6_address_of_the_same_network_is_no_way_around(
    someone: Account,
) -> None:
    for number in range(5):
        attempt(ADMINISTRATOR, "wrong", f"2001:db8::{number}:1", HTTP_USER_AGENT=f"v{number}")
    assert attempt(ADMINISTRATOR, PASSWORD, "2001:db8::ffff").status_code == 429
    assert attempt(ADMINISTRATOR, PASSWORD, "2001:db8:0:1::1").status_code == 302


def test_who_guesses_holds_nobody_off_elsewhere(someone: Account) -> None:
    for _ in range(6):
        attempt(ADMINISTRATOR, "wrong", "192.0.2.66")
    assert attempt(ADMINISTRATOR, PASSWORD, "192.0.2.1").status_code == 302


def test_the_hold_ends_after_a_quarter_of_an_hour_whatever_is_tried_meanwhile(
    someone: Account,
) -> None:
    for _ in range(5):
        attempt(ADMINISTRATOR, "wrong")
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - COOL_OFF / 2)
    assert attempt(ADMINISTRATOR, "wrong").status_code == 429
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - COOL_OFF / 2)
    assert attempt(ADMINISTRATOR, PASSWORD).status_code == 302


def test_a_scan_of_many_addresses_from_one_machine_is_held_off(someone: Account) -> None:
    for number in range(100):
        attempt(f"somebody.{number}@example.com", "wrong")
    assert attempt(ADMINISTRATOR, PASSWORD).status_code == 429
    assert attempt(ADMINISTRATOR, PASSWORD, "192.0.2.2").status_code == 302


def test_no_password_tried_is_written_down(someone: Account) -> None:
    attempt(ADMINISTRATOR, "my other password")
    noted = AccessAttempt.objects.values().get()
    assert "my other password" not in str(noted)


@pytest.mark.parametrize("email", [ADMINISTRATOR, AUDITOR, OPERATOR, "nobody@example.com"])
def test_whether_an_address_is_known_shows_neither_in_the_answer_nor_in_its_cost(
    someone: Account, auditor: Account, operator: Account, email: str
) -> None:
    """Of the known ones one has a password, one was invited only, one is switched off."""
    accounts.switch(operator, on=False)
    HASHED.clear()
    answer = attempt(email, "wrong")
    assert len(HASHED) == 1
    assert answer.status_code == 422
    assert b"do not belong together" in b"".join(answer)  # type: ignore[arg-type]


# Sessions and what ends them


def test_a_changed_password_ends_the_other_sessions_but_not_ones_own(
    someone: Account, client_of: ClientOf
) -> None:
    mine, other = client_of(someone), client_of(someone)
    fields = {"old": PASSWORD, "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert mine.post("/account/password", fields).status_code == 302
    assert (is_in(mine), is_in(other)) == (True, False)


def test_who_is_switched_off_is_out_at_once_and_for_good(
    someone: Account, auditor: Account, client_of: ClientOf
) -> None:
    client = client_of(auditor)
    accounts.switch(auditor, on=False)
    assert not is_in(client)
    accounts.switch(auditor, on=True)
    assert not is_in(client)


def test_another_role_ends_the_sessions(
    someone: Account, auditor: Account, client_of: ClientOf
) -> None:
    client = client_of(auditor)
    accounts.change_role(auditor, Role.ADMINISTRATOR)
    assert not is_in(client)


def test_signing_out_ends_the_session_on_the_server_too(
    someone: Account, client_of: ClientOf
) -> None:
    client = client_of(someone)
    key = client.cookies["keepstep_session"].value
    client.post("/sign-out")
    client.cookies["keepstep_session"] = key
    assert not is_in(client)


# One-time addresses


@pytest.mark.parametrize("purpose", [Purpose.INVITATION, Purpose.RESET, Purpose.SIGN_IN])
def test_a_one_time_address_is_used_up_by_use_and_not_by_a_look(
    administrator: Account, purpose: Purpose
) -> None:
    address = link_of(administrator, purpose, SITE)
    fields = {"password": PASSWORD, "again": PASSWORD}
    assert Client().get(address).status_code == 200
    first = Client()
    assert first.post(address, fields).status_code == 302
    assert is_in(first)
    assert Client().get(address).status_code == 410
    second = Client()
    assert second.post(address, fields).status_code == 410
    assert not is_in(second)


def test_a_one_time_address_serves_its_own_purpose_alone(administrator: Account) -> None:
    invitation = link_of(administrator, Purpose.INVITATION, SITE)
    for other in ("enter", "reset", "setup"):
        assert Client().get(invitation.replace("invitation", other)).status_code == 410


@pytest.mark.parametrize("token", ["x", "x:y:z", "%00", "a" * 3000, "WzEsIjEiXQ:1xVdyD:AAAA"])
def test_a_made_up_token_lets_nobody_in(administrator: Account, token: str) -> None:
    for way in ("enter", "reset", "invitation", "setup"):
        assert Client().get(f"/{way}/{token}").status_code == 410


def test_switching_off_and_another_role_make_a_link_void(
    administrator: Account, auditor: Account
) -> None:
    address = link_of(auditor, Purpose.INVITATION, SITE)
    accounts.switch(auditor, on=False)
    assert Client().get(address).status_code == 410
    accounts.switch(auditor, on=True)
    accounts.change_role(auditor, Role.ADMINISTRATOR)
    assert Client().get(address).status_code == 410


def test_the_set_up_address_makes_one_administrator_and_no_second(database: None) -> None:
    address = set_up_link(SITE)
    fields = {"email": ADMINISTRATOR, "password": PASSWORD, "again": PASSWORD}
    client = Client()
    assert client.post(address, fields | {"password": "short", "again": "short"}).status_code == 422
    assert client.post(address, fields).status_code == 302
    assert is_in(client)
    assert Client().post(address, fields | {"email": AUDITOR}).status_code == 410
    assert [(each.email, each.role) for each in accounts.listing()] == [
        (ADMINISTRATOR, "administrator")
    ]
