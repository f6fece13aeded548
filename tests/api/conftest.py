"""What tests of the API begin with: accounts of each role in the database, and callers by token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keepstep.api.callers import limiter
from keepstep.core.roles import Role
from keepstep.store import accounts, operators
from keepstep.store.models import Account, Operator
from tests.api.calling import Caller, caller_for

ACCOUNTS = {
    Role.ADMINISTRATOR: "admin@example.com",
    Role.OPERATOR: "anna@example.com",
    Role.AUDITOR: "audit@example.com",
}


@pytest.fixture(autouse=True)
def _fresh_limiter() -> None:
    """Let no test count among the requests of another: numbers of tokens come again."""
    limiter._buckets.clear()


@pytest.fixture
def people(database: None) -> dict[Role, Account]:
    """Somebody of each role; the operator is Anna, of the access group West, in Berlin's time."""
    return everybody()


def everybody() -> dict[Role, Account]:
    fields = {"name": "Anna Adler", "access_group": "West", "time_zone": "Europe/Berlin"}
    operators.add(ACCOUNTS[Role.OPERATOR], fields)
    return {role: accounts.create(email, role) for role, email in ACCOUNTS.items()}


@pytest.fixture
def anna(people: dict[Role, Account]) -> Operator:
    """The operator who has an account."""
    found = people[Role.OPERATOR].operator
    assert found is not None
    return found


@pytest.fixture
def call(people: dict[Role, Account]) -> Callable[..., Caller]:
    """Give one who calls with a token of all scopes of a role, or of those that are named."""

    def of(role: Role = Role.ADMINISTRATOR, *scopes: str, **given: Any) -> Caller:
        return caller_for(people[role], *scopes, **given)

    return of
