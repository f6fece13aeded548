"""What an API token may be used for; beside it the role of its account decides."""

from __future__ import annotations

from enum import StrEnum

from keepstep.core.roles import Role


class Scope(StrEnum):
    """One purpose of a token. A token has some of them, and none that its account's role lacks."""

    READ_CALENDAR = "read-calendar"
    READ_OPERATORS = "read-operators"
    WRITE_OPERATORS = "write-operators"
    READ_SETTINGS = "read-settings"
    WRITE_SETTINGS = "write-settings"
    READ_JOBS = "read-jobs"
    WRITE_JOBS = "write-jobs"


_OF_OPERATORS = frozenset({Scope.READ_CALENDAR, Scope.READ_OPERATORS})
_OF_AUDITORS = frozenset({Scope.READ_OPERATORS})


def scopes_of(role: Role) -> frozenset[Scope]:
    """Give the scopes that a token of this role can have: what its pages show, and no more."""
    if role is Role.ADMINISTRATOR:
        return frozenset(Scope)
    return _OF_OPERATORS if role is Role.OPERATOR else _OF_AUDITORS
