"""Who calls: recognised by the token alone, never by a cookie, and held to scope, role and rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from typing import Any, cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from keepstep.api import metrics
from keepstep.api.problems import Refused
from keepstep.core.rate import Bucket, take
from keepstep.core.roles import Role, Viewer
from keepstep.core.scopes import Scope
from keepstep.store.models import Account, ApiToken
from keepstep.store.settings import load
from keepstep.store.tokens import effective_scopes, recognise
from keepstep.store.viewers import viewer_of

ADMINISTRATORS = (Role.ADMINISTRATOR,)
CALENDAR_USERS = (Role.ADMINISTRATOR, Role.OPERATOR)
OVERSEERS = (Role.ADMINISTRATOR, Role.AUDITOR)
EVERYBODY = (Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and what that one may see and do."""

    token: ApiToken
    account: Account
    viewer: Viewer
    scopes: frozenset[Scope]

    @property
    def by(self) -> str:
        """Give who it is for the audit."""
        return f"{self.account.email} (API token {self.token.name})"

    @property
    def is_administrator(self) -> bool:
        """Say whether the account is an administrator's."""
        return self.viewer.role is Role.ADMINISTRATOR


def caller_of(request: HttpRequest) -> Caller:
    """Give who calls an operation."""
    return cast(Caller, request.auth)  # type: ignore[attr-defined]


class Token(HttpBearer):
    """Lets those call an operation whose token has the scope, and whose account a role for it."""

    def __init__(self, scope: Scope | None, roles: tuple[Role, ...]) -> None:
        super().__init__()
        self.scope = scope
        self.roles = roles

    def __call__(self, request: HttpRequest) -> Caller:
        """Give the caller. Raises Refused."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Refused("api-token-missing")
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Give the caller of a token. Raises Refused."""
        found = recognise(token, datetime.now(UTC))
        if found is None:
            raise Refused("api-token-invalid")
        limiter.take(found.pk, load(with_secrets=False).api_requests_per_minute)
        account = found.account
        caller = Caller(found, account, viewer_of(account), effective_scopes(found))
        if caller.viewer.role not in self.roles:
            raise Refused("api-role-refused", f"the role is {account.role}")
        if self.scope is not None and self.scope not in caller.scopes:
            raise Refused("api-scope-missing", f"the scope {self.scope} is needed")
        return caller


class Limiter:
    """Counts the requests of each token, in this process."""

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}
        self._lock = Lock()

    def take(self, token: int, per_minute: int) -> None:
        """Count a request in. Raises Refused for one too many."""
        with self._lock:
            taken = take(self._buckets.get(token), per_minute, monotonic())
            self._buckets[token] = taken.bucket
        if taken.wait:
            metrics.note_limited()
            raise Refused("api-too-many-requests", wait=taken.wait)


limiter = Limiter()


def opens(scope: Scope | None, roles: tuple[Role, ...]) -> dict[str, Any]:
    """Give the arguments of an operation that says for whom it is; the document tells it, too."""
    told: dict[str, Any] = {"x-roles": [each.value for each in roles]}
    if scope is not None:
        told["x-scope"] = scope.value
    return {"auth": Token(scope, roles), "openapi_extra": told}
