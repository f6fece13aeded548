"""What follows from what a sign-in service says of somebody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepstep.core.claims import Reading, claim_at, email_of, group_of, is_left_out, role_of
from keepstep.core.roles import Role

ROLES = {
    Role.ADMINISTRATOR: ("admins",),
    Role.OPERATOR: ("sales", "field sales"),
    Role.AUDITOR: ("audit",),
}
ANNA = "anna@example.com"

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("claims", "trusted", "verified"),
    [
        ({"email_verified": True}, False, True),
        ({"email_verified": "true"}, False, True),
        ({"email_verified": False}, True, False),
        ({"email_verified": "false"}, True, False),
        ({"email_verified": "yes"}, True, False),
        ({}, False, False),
        ({}, True, True),
        ({"xms_edov": True}, False, True),
        ({"xms_edov": "1"}, False, True),
        ({"xms_edov": False}, True, False),
        ({"xms_edov": True, "email_verified": False}, True, False),
    ],
)
def test_an_address_is_verified_where_the_service_says_so_or_is_trusted_to_have_done_so(
    claims: dict[str, object], trusted: bool, verified: bool
) -> None:
    said = {"email": ANNA, **claims}
    assert email_of(said, Reading(trust_email=trusted)) == (ANNA, verified)


def test_that_an_address_is_verified_says_nothing_of_another_claim() -> None:
    said = {"upn": ANNA, "email": "other@example.com", "email_verified": True}
    assert email_of(said, Reading(email_claim="upn")) == (ANNA, False)
    assert email_of(said, Reading(email_claim="upn", trust_email=True)) == (ANNA, True)


@pytest.mark.parametrize("said", [None, "", " ", [], [ANNA, "b@example.com"], 1, {"a": ANNA}])
def test_what_is_not_one_address_is_none(said: object) -> None:
    assert email_of({"email": said, "email_verified": True}, Reading()) == ("", False)


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("admins", Role.ADMINISTRATOR),
        (["audit", "admins", "sales"], Role.ADMINISTRATOR),
        (["audit", "field sales"], Role.OPERATOR),
        (["audit"], Role.AUDITOR),
        (["Admins"], None),
        ("admins sales", None),
        ([["admins"]], None),
        ({"admins": True}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_highest_role_of_those_given_counts(said: object, role: Role | None) -> None:
    assert role_of({"roles": said}, Reading(role_claim="roles", roles=ROLES)) == role


def test_a_claim_is_found_by_its_whole_name_before_its_dots_lead_into_objects() -> None:
    nested = {"realm_access": {"roles": ["inner"]}}
    assert claim_at(nested, "realm_access.roles") == ["inner"]
    assert claim_at({**nested, "realm_access.roles": "outer"}, "realm_access.roles") == "outer"
    assert claim_at({"https://example.com/roles": ["url"]}, "https://example.com/roles") == ["url"]
    assert claim_at({"realm_access": "text"}, "realm_access.roles") is None


@pytest.mark.parametrize(
    ("said", "group"),
    [
        ("West", "West"),
        (["West"], "West"),
        (["New"], "New"),
        ([], ""),
        (None, None),
        (["staff", "West"], "West"),
        (["staff", "other"], None),
        (["East", "West"], None),
        (["West", "West", "staff"], "West"),
    ],
)
def test_an_access_group_is_taken_where_it_is_clear_and_else_left(
    said: object, group: str | None
) -> None:
    claims = {} if said is None else {"groups": said}
    assert group_of(claims, Reading(group_claim="groups"), {"East", "West"}) == group


def test_without_a_claim_named_nothing_is_decided_of_the_access_group() -> None:
    assert group_of({"": "West", "groups": "West"}, Reading(), {"West"}) is None


def test_what_entra_leaves_out_of_a_token_is_noticed() -> None:
    assert is_left_out({"_claim_names": {"groups": "src1"}}, "groups")
    assert not is_left_out({"_claim_names": {"groups": "src1"}}, "roles")
    assert not is_left_out({"_claim_names": "groups"}, "groups")


@given(said=anything, verified=anything)
def test_whatever_is_said_is_read_without_fail_and_never_gives_too_much(
    said: object, verified: object
) -> None:
    claims = {"email": said, "email_verified": verified, "roles": said, "groups": said}
    reading = Reading(role_claim="roles", roles=ROLES, group_claim="groups")
    email, is_sure = email_of(claims, reading)
    assert not is_sure or (email and verified in (True, "true", "1", 1))
    assert role_of(claims, reading) is None
    group_of(claims, reading, set())
