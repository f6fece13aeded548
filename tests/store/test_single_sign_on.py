"""Letting people in whom a service vouches for, on each kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from keepstep.core.errors import SignInError
from keepstep.core.roles import Role
from keepstep.store import accounts, erasure, operators
from keepstep.store.models import Account, AuditEntry, Identity
from keepstep.store.settings import ApplicationSettings
from keepstep.store.single_sign_on import Vouched, admit, unlink
from tests.engine import NOW

pytestmark = pytest.mark.usefixtures("any_database")

ANNA, BERT = "anna@example.com", "bert@example.com"
ISSUER = "https://sign-in.example.com"
SETTINGS = ApplicationSettings(sso_issuer=ISSUER, sso_client_id="keepstep")


def vouched(subject: str, email: str, **claims: object) -> Vouched:
    return Vouched(ISSUER, subject, {"email": email, "email_verified": True, **claims})


def test_somebody_is_linked_once_found_again_and_forgotten_with_the_account() -> None:
    operators.add(ANNA, {"access_group": "West"})
    account = accounts.create(ANNA, Role.OPERATOR)
    accounts.create(BERT, Role.ADMINISTRATOR)
    settings = ApplicationSettings(
        sso_issuer=ISSUER, sso_client_id="keepstep", sso_group_claim="groups"
    )
    assert admit(vouched("1", ANNA.upper(), groups=["East"]), settings, NOW) == account
    assert operators.find(ANNA).access_group == "East"
    assert admit(vouched("1", "renamed@example.com"), settings, NOW) == account
    assert Identity.objects.count() == 1
    with pytest.raises(SignInError, match="sso-account-taken"):
        admit(vouched("2", ANNA), settings, NOW)
    erasure.erase(ANNA)
    assert not Identity.objects.exists()
    assert ANNA not in str(list(AuditEntry.objects.values()))


def test_letters_that_a_database_takes_for_the_same_are_not() -> None:
    accounts.create("kim@example.com", Role.ADMINISTRATOR)
    for address in ("\u212aim@example.com", "k\u0131m@example.com", "k\u0130m@example.com"):
        with pytest.raises(SignInError, match="sso-unknown-person"):
            admit(vouched("eve", address), SETTINGS, NOW)


def test_what_is_refused_changes_nothing() -> None:
    accounts.create(ANNA, Role.ADMINISTRATOR)
    settings = ApplicationSettings(
        sso_issuer=ISSUER,
        sso_client_id="keepstep",
        sso_role_claim="roles",
        sso_operators=("sales",),
        sso_create=True,
    )
    before = AuditEntry.objects.count()
    for person in (vouched("1", ANNA, roles="sales"), vouched("2", BERT, roles="sales")):
        with pytest.raises(SignInError):
            admit(person, settings, NOW)
    assert Account.objects.get().role == Role.ADMINISTRATOR
    assert AuditEntry.objects.count() == before
    assert not Identity.objects.exists()


def test_an_account_has_one_identity_at_each_service() -> None:
    account = accounts.create(ANNA, Role.ADMINISTRATOR)
    admit(vouched("1", ANNA), SETTINGS, NOW)
    other = Vouched("https://other.example.com", "1", {"email": ANNA, "email_verified": True})
    assert admit(other, SETTINGS, NOW) == account
    assert unlink(account) == 2
    assert unlink(account) == 0
    assert AuditEntry.objects.filter(action="account.unlink").count() == 1


def test_two_first_sign_ins_at_once_make_one_account_and_one_link() -> None:
    operators.add(ANNA, {})
    settings = ApplicationSettings(sso_issuer=ISSUER, sso_client_id="keepstep", sso_create=True)
    together = Barrier(4)

    def let_in() -> int:
        together.wait(10)
        try:
            return admit(vouched("1", ANNA), settings, NOW).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        found = {each.result() for each in [pool.submit(let_in) for _ in range(4)]}
    assert len(found) == 1
    assert (Account.objects.count(), Identity.objects.count()) == (1, 1)
