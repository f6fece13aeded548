"""Every path by every role, from the API's own document: a new one can't be forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from keepstep.core.roles import Role
from keepstep.core.scopes import Scope, scopes_of
from keepstep.store.models import Account
from tests.api.calling import Caller, caller_for

CallerOf = Callable[..., Caller]

ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
CALENDAR = frozenset({Role.ADMINISTRATOR, Role.OPERATOR})
OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
ALL = frozenset(Role)

# Who is meant to call what. What is not named here is nobody's: then these tests fail.
MEANT_FOR: dict[str, frozenset[Role]] = {
    "GET /me": ALL,
    "GET /tasks/{task}": ALL,
    "GET /operators": CALENDAR,
    "GET /operators/{number}": CALENDAR,
    "POST /operators": ADMINISTRATOR,
    "PATCH /operators/{number}": ADMINISTRATOR,
    "DELETE /operators/{number}": ADMINISTRATOR,
    "POST /operators/{number}/runs": ADMINISTRATOR,
    "POST /operators/import": ADMINISTRATOR,
    "GET /appointments": CALENDAR,
    "GET /appointments/{identity}": CALENDAR,
    "GET /changes": CALENDAR,
    "GET /changes/latest": CALENDAR,
    "GET /settings": ADMINISTRATOR,
    "PATCH /settings": ADMINISTRATOR,
    "GET /audit": ADMINISTRATOR,
    "GET /jobs": ADMINISTRATOR,
    "POST /jobs": ADMINISTRATOR,
    "GET /jobs/{name}": ADMINISTRATOR,
    "PATCH /jobs/{name}": ADMINISTRATOR,
    "DELETE /jobs/{name}": ADMINISTRATOR,
    "POST /jobs/{name}/reset": ADMINISTRATOR,
    "POST /jobs/{name}/runs": ADMINISTRATOR,
    "GET /runs": ADMINISTRATOR,
    "GET /runs/{number}": ADMINISTRATOR,
    "GET /health": OVERSEERS,
    "GET /failures": OVERSEERS,
    "GET /holds": ADMINISTRATOR,
    "POST /holds/{number}/release": ADMINISTRATOR,
    "POST /holds/{number}/discard": ADMINISTRATOR,
    "GET /quarantine": ADMINISTRATOR,
    "GET /webhooks": ADMINISTRATOR,
    "POST /webhooks": ADMINISTRATOR,
    "PATCH /webhooks/{number}": ADMINISTRATOR,
    "DELETE /webhooks/{number}": ADMINISTRATOR,
    "POST /webhooks/{number}/secret": ADMINISTRATOR,
    "POST /webhooks/{number}/replay": ADMINISTRATOR,
}
PUBLIC = {"GET /problems/{code}"}
WITHOUT_SCOPE = {"GET /me", "GET /tasks/{task}"}
REFUSED = {401, 403}


def operations() -> dict[str, dict[str, Any]]:
    """Every operation of the document, called as in the table above."""
    document = Caller().get("/openapi.json")
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def filled(path: str) -> str:
    """An address of the path with values that exist nowhere."""
    path = path.replace("{task}", "00000000-0000-0000-0000-000000000000")
    return re.sub(r"{\w+}", "987654321", path)


def call(caller: Caller, operation: str) -> int:
    """Call an operation with an empty body, of which nothing is done; give the status."""
    method, _, path = operation.partition(" ")
    return caller(method, filled(path), {} if method in ("POST", "PATCH") else None).status


def test_every_operation_is_for_those_it_is_meant_for_and_for_nobody_else(
    people: dict[Role, Account],
) -> None:
    callers = {role: caller_for(account) for role, account in people.items()}
    assert set(operations()) == set(MEANT_FOR) | PUBLIC
    for name in MEANT_FOR:
        let_in = {role for role, caller in callers.items() if call(caller, name) not in REFUSED}
        assert let_in == MEANT_FOR[name], name
        assert call(Caller(), name) == 401, name
    for name in PUBLIC:
        assert call(Caller(), name) not in REFUSED


def test_the_document_says_for_whom_each_operation_is() -> None:
    for name, operation in operations().items():
        roles = {role.value for role in MEANT_FOR.get(name, ())} or {"everybody"}
        assert set(operation["x-roles"]) == roles, name
        assert bool(operation.get("security")) == (name not in PUBLIC), name


def test_every_operation_needs_the_scope_that_the_document_names(
    people: dict[Role, Account],
) -> None:
    administrator = people[Role.ADMINISTRATOR]
    without = {
        scope: caller_for(administrator, *(each for each in Scope if each is not scope))
        for scope in Scope
    }
    for name, operation in operations().items():
        if name in WITHOUT_SCOPE | PUBLIC:
            assert "x-scope" not in operation
            continue
        missing = without[Scope(operation["x-scope"])]
        method, _, path = name.partition(" ")
        answer = missing(method, filled(path), {} if method in ("POST", "PATCH") else None)
        assert (answer.status, answer.json["code"]) == (403, "api-scope-missing"), name
        reads = method == "GET"
        assert operation["x-scope"].startswith("read-" if reads else "write-"), name


@pytest.mark.parametrize("role", list(Role))
def test_a_session_of_the_pages_opens_nothing_of_the_api(
    people: dict[Role, Account], role: Role
) -> None:
    caller = Caller()
    caller._client.force_login(people[role], backend="django.contrib.auth.backends.ModelBackend")
    assert {call(caller, name) for name in MEANT_FOR} == {401}


def test_an_auditor_can_have_no_token_that_reads_appointments() -> None:
    assert Scope.READ_CALENDAR not in scopes_of(Role.AUDITOR)
