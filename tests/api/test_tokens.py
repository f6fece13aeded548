"""API tokens: shown once, kept as a digest, bounded by scope, role and time; page and command."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from keepstep.core.errors import UsageError
from keepstep.core.rate import Bucket, take
from keepstep.core.roles import Role
from keepstep.core.scopes import Scope
from keepstep.store import accounts, audit, erasure, tokens
from keepstep.store.models import Account, ApiToken
from tests.api.calling import Caller, caller_for
from tests.system.product import Keepstep

CallerOf = Callable[..., Caller]
NOW = datetime.now(UTC)


def state_of(token: str) -> tuple[int, str]:
    answer = Caller(token)("GET", "/me")
    return answer.status, "" if answer.status == 200 else answer.json["code"]


def test_the_token_is_stored_nowhere_but_as_its_digest(people: dict[Role, Account]) -> None:
    caller = caller_for(people[Role.ADMINISTRATOR])
    assert state_of(caller.token) == (200, "")
    connection.close()
    file = Path(str(connection.settings_dict["NAME"]))
    stored = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    assert caller.token.encode() not in stored
    assert ApiToken.objects.get().digest.encode() in stored


def test_who_it_is_for_and_what_for_is_told(call: CallerOf) -> None:
    told = call(Role.OPERATOR, Scope.READ_CALENDAR).get("/me")
    assert (told["account"], told["role"]) == ("anna@example.com", "operator")
    assert (told["token"], told["scopes"]) == ("test", ["read-calendar"])


def test_a_token_ends_with_its_time_its_revocation_and_its_account(
    people: dict[Role, Account],
) -> None:
    administrator, anna = people[Role.ADMINISTRATOR], people[Role.OPERATOR]
    early = NOW - timedelta(days=3)
    expired = tokens.make(administrator, "a", ["read-jobs"], early, days=2)
    assert state_of(expired) == (401, "api-token-invalid")

    lasting = tokens.make(administrator, "b", ["read-jobs"], early, days=None)
    assert state_of(lasting) == (200, "")
    tokens.revoke(ApiToken.objects.get(name="b").pk, NOW)
    assert state_of(lasting) == (401, "api-token-invalid")

    hers = caller_for(anna).token
    accounts.switch(anna, on=False)
    assert state_of(hers) == (401, "api-token-invalid")
    accounts.switch(anna, on=True)
    assert state_of(hers) == (200, "")
    erasure.erase("anna@example.com")
    assert state_of(hers) == (401, "api-token-invalid")


@pytest.mark.parametrize("token", ["", "nonsense", "keepstep_nonsense", "keepstep_ü"])
def test_what_is_no_token_of_ours_opens_nothing(people: dict[Role, Account], token: str) -> None:
    code = "api-token-invalid" if token else "api-token-missing"
    caller = Caller()
    answer = caller("GET", "/me", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert (answer.status, answer.json["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    basic = caller("GET", "/me", HTTP_AUTHORIZATION="Basic YTpi")
    assert basic.json["code"] == "api-token-missing"


def test_a_role_that_is_taken_away_takes_the_tokens_scopes_along(
    people: dict[Role, Account],
) -> None:
    auditor = people[Role.AUDITOR]
    accounts.change_role(auditor, Role.ADMINISTRATOR)
    caller = caller_for(auditor)
    assert caller("GET", "/settings").status == 200
    accounts.change_role(auditor, Role.AUDITOR)
    assert caller("GET", "/settings").json["code"] == "api-role-refused"
    assert caller.get("/me")["scopes"] == ["read-operators"]


@pytest.mark.parametrize(
    ("role", "scopes", "days", "why"),
    [
        (Role.OPERATOR, ["write-settings"], 1, "has no scope write-settings"),
        (Role.AUDITOR, ["read-calendar"], 1, "has no scope read-calendar"),
        (Role.OPERATOR, ["read-calender"], 1, "did you mean read-calendar"),
        (Role.OPERATOR, [], 1, "name a scope: read-calendar, read-operators"),
        (Role.OPERATOR, ["read-calendar"], 0, "1 to 3650 days"),
    ],
)
def test_a_token_that_can_not_be_is_refused_with_the_reason(
    people: dict[Role, Account], role: Role, scopes: list[str], days: int, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        tokens.make(people[role], "x", scopes, NOW, days=days)
    assert not ApiToken.objects.exists()


def test_the_last_use_is_noted_once_a_minute(people: dict[Role, Account]) -> None:
    token = caller_for(people[Role.AUDITOR]).token

    def last_use(at: datetime) -> datetime | None:
        assert tokens.recognise(token, at)
        return ApiToken.objects.get().last_used_at

    assert last_use(NOW) == NOW
    assert last_use(NOW + timedelta(seconds=59)) == NOW
    later = NOW + timedelta(seconds=61)
    assert last_use(later) == later


def test_a_bucket_fills_again_as_time_goes_by() -> None:
    bucket: Bucket | None = None
    for _ in range(60):
        taken = take(bucket, 60, now=5)
        assert not taken.wait
        bucket = taken.bucket
    assert take(bucket, 60, now=5).wait == pytest.approx(1)
    assert take(bucket, 60, now=5.5).wait == pytest.approx(0.5)
    assert not take(bucket, 60, now=6).wait
    assert take(bucket, 60, now=4).wait == pytest.approx(1)


def test_a_person_makes_a_token_on_the_page_sees_it_once_and_revokes_it(
    people: dict[Role, Account],
) -> None:
    client = Client()
    client.force_login(people[Role.OPERATOR], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/account/tokens").content.decode()
    assert "read-calendar" in page
    assert "write-settings" not in page
    wanted = {"name": "CRM", "scopes": ["read-calendar"], "days": "30"}
    made = client.post("/account/tokens", wanted).content.decode()
    token = made.partition('id="made" value="')[2].partition('"')[0]
    assert state_of(token) == (200, "")
    again = client.get("/account/tokens").content.decode()
    assert token not in again
    assert token[:13] in again
    number = ApiToken.objects.get().pk
    client.post(f"/account/tokens/{number}/revoke")
    assert state_of(token) == (401, "api-token-invalid")
    assert [each.action for each in audit.listing(limit=2)] == ["token.revoke", "token.create"]
    refused = client.post("/account/tokens", {**wanted, "scopes": ["write-settings"]})
    assert refused.status_code == 422


def test_nobody_revokes_the_token_of_another(people: dict[Role, Account]) -> None:
    theirs = caller_for(people[Role.ADMINISTRATOR]).token
    client = Client()
    client.force_login(people[Role.OPERATOR], backend="django.contrib.auth.backends.ModelBackend")
    client.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke")
    assert state_of(theirs) == (200, "")


def test_the_command_makes_lists_and_revokes_tokens(home: Path) -> None:
    product = Keepstep(home)
    product.do("createadmin", "--email", "admin@example.com")
    made = product.do(
        *("tokens", "create", "admin@example.com", "Report"),
        *("--scope", "read-calendar", "--scope", "read-jobs", "--days", "7"),
    )
    token = next(each for each in made.output.splitlines() if each.startswith("keepstep_"))
    printed = product.do("tokens", "list", "--json").output
    (listed,) = json.loads(printed)
    assert (listed["name"], listed["state"]) == ("Report", "active")
    assert listed["scopes"] == ["read-calendar", "read-jobs"]
    assert token not in printed
    product.do("tokens", "revoke", str(listed["number"]))
    (revoked,) = json.loads(product.do("tokens", "list", "admin@example.com", "--json").output)
    assert revoked["state"] == "revoked"
