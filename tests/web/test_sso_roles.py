"""Single sign-on: newcomers, roles and access groups, as a real service says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from keepstep.store import operators, settings
from keepstep.store.models import Account, AuditEntry, Identity
from tests.web.sign_in_service import Service, said, saying, sign_in_service
from tests.web.signing_on import (
    HERE,
    NEW,
    SSO,
    known,
    sign_in,
)
from tests.web.site import ADMINISTRATOR, OPERATOR

ROLES = {
    "sso_role_claim": "roles",
    "sso_administrators": "admins",
    "sso_operators": "sales;field",
    "sso_auditors": "audit",
}


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


def role_of(email: str) -> str:
    return Account.objects.get(email=email).role


# Newcomers


def test_a_newcomer_with_a_role_gets_an_account_where_that_is_wanted(
    service: Service, administrator: Account
) -> None:
    settings.change({"sso_create": "on", **ROLES})
    assert sign_in(service, known(service, "n", NEW, roles=["audit"]))[1] == ""
    assert role_of(NEW) == "auditor"
    made = AuditEntry.objects.get(action="account.create", subject=NEW)
    assert made.by == "single sign-on"
    assert not Account.objects.get(email=NEW).has_usable_password()


def test_a_newcomer_without_a_role_is_an_operator_if_one_of_the_address_is_known(
    service: Service, administrator: Account
) -> None:
    settings.change({"sso_create": "on"})
    assert sign_in(service, known(service, "n", NEW))[1] == "sso-unknown-person"
    operators.add(NEW, {})
    assert sign_in(service, "n")[1] == ""
    assert role_of(NEW) == "operator"


# Roles and access groups


def test_the_role_is_what_the_service_says_at_each_sign_in(
    service: Service, administrator: Account, auditor: Account
) -> None:
    settings.change(ROLES)
    known(service, "audrey", auditor.email, roles=["audit", "staff"])
    first, wrong = sign_in(service, "audrey")
    assert (wrong, role_of(auditor.email)) == ("", "auditor")
    known(service, "audrey", auditor.email, roles=["audit", "admins"])
    second, wrong = sign_in(service, "audrey")
    assert (wrong, role_of(auditor.email)) == ("", "administrator")
    assert first.get("/account").status_code == 302
    assert second.get("/settings/").status_code == 200
    changed = AuditEntry.objects.get(action="account.role")
    assert (changed.by, changed.changes) == (
        "single sign-on",
        {"role": ["auditor", "administrator"]},
    )


def test_who_lost_the_role_is_refused_and_out_of_all_sessions(
    service: Service, administrator: Account, auditor: Account
) -> None:
    settings.change(ROLES)
    known(service, "audrey", auditor.email, roles=["audit"])
    before, _ = sign_in(service, "audrey")
    known(service, "audrey", auditor.email, roles=["staff"])
    assert sign_in(service, "audrey")[1] == "sso-no-role"
    assert before.get("/account").status_code == 302


def test_nobody_becomes_an_operator_whose_calendar_is_not_known(
    service: Service, administrator: Account, auditor: Account
) -> None:
    settings.change(ROLES)
    known(service, "audrey", auditor.email, roles=["sales"])
    assert sign_in(service, "audrey")[1] == "sso-no-role"
    assert role_of(auditor.email) == "auditor"
    assert not Identity.objects.exists()


def test_the_last_administrator_is_not_lost_by_what_the_service_says(
    service: Service, administrator: Account
) -> None:
    settings.change(ROLES)
    known(service, "anna", ADMINISTRATOR, roles=["audit"])
    assert sign_in(service, "anna")[1] == "sso-no-role"
    assert role_of(ADMINISTRATOR) == "administrator"


def test_roles_are_found_within_objects(service: Service, administrator: Account) -> None:
    settings.change({**ROLES, "sso_role_claim": "realm_access.roles"})
    known(service, "anna", ADMINISTRATOR, realm_access={"roles": ["admins"]})
    assert sign_in(service, "anna")[1] == ""


def test_groups_that_entra_leaves_out_of_the_token_are_named_as_the_reason(
    service: Service, administrator: Account
) -> None:
    settings.change({**ROLES, "sso_role_claim": "groups"})
    known(service, "anna", ADMINISTRATOR, _claim_names={"groups": "src1"})
    client = Client()
    back = service.approve(client.get(SSO)["Location"], "anna")
    page = client.get(back.removeprefix(HERE)).content.decode()
    assert "groups: too many for a token" in page


def test_the_access_group_is_the_one_that_the_service_says(
    service: Service, operator: Account
) -> None:
    settings.change({"sso_group_claim": "team"})
    known(service, "anna", OPERATOR, team="East")
    assert sign_in(service, "anna")[1] == ""
    assert operators.find(OPERATOR).access_group == "East"
    edited = AuditEntry.objects.filter(action="operator.edit").latest("pk")
    assert (edited.by, edited.changes) == ("single sign-on", {"access_group": ["West", "East"]})
    known(service, "anna", OPERATOR)
    assert sign_in(service, "anna")[1] == ""
    assert operators.find(OPERATOR).access_group == "East"


def test_what_the_id_token_lacks_is_asked_for(service: Service, administrator: Account) -> None:
    settings.change(ROLES)
    known(service, "anna", ADMINISTRATOR, roles=["admins"])
    service.spoil = saying(roles=None, email=None, email_verified=None)
    assert sign_in(service, "anna")[1] == ""
    asked = next(each for each in service.asked if each[1] == "/userinfo")
    assert asked[2]["authorization"].startswith("Bearer ")


def test_what_is_told_of_somebody_else_is_not_believed(
    service: Service, administrator: Account
) -> None:
    known(service, "eve", NEW)
    service.spoil = saying(email=None)
    service.answers["/userinfo"] = said(
        {"sub": "anna", "email": ADMINISTRATOR, "email_verified": True}
    )
    assert sign_in(service, "eve")[1] == "sso-not-proven"
