"""API tokens: made, shown once, listed, revoked, and recognised again by their digest."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.core.scopes import Scope, scopes_of
from keepstep.store import audit
from keepstep.store.fields import did_you_mean, read_line, shown
from keepstep.store.models import Account, ApiToken

PREFIX = "keepstep_"
LONGEST_NAME = 60
LONGEST_DAYS = 3650
MOST_OF_AN_ACCOUNT = 50
_HINT = len(PREFIX) + 4
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token as a person sees it: never the token itself. All instants are UTC.

    `state` is `active`, `expired`, `revoked` or `off` (its account may not sign in).
    """

    number: int
    account: str
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    state: str


def make(
    account: Account,
    name: str,
    scopes: Sequence[str],
    now: datetime,
    *,
    days: int | None,
    by: str = audit.COMMAND_LINE,
) -> str:
    """Make a token for an account, and give it: it can't be seen again.

    `scopes` are some of `Scope` that its role can have, `days` is after how many it expires (None:
    never), `by` who makes it, for the audit. Raises UsageError; nothing is stored then.
    """
    title, chosen = _name(name), _scopes(account, scopes)
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise UsageError(f"a token lasts 1 to {LONGEST_DAYS} days, not {days}.")
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        _check_room(account)
        ApiToken.objects.create(
            account=account,
            name=title,
            digest=_digest(token),
            hint=token[:_HINT],
            scopes=chosen,
            created_at=now,
            expires_at=None if days is None else now + timedelta(days=days),
        )
        changes = {"name": ("", title), "scopes": ("", " ".join(chosen)), "days": (None, days)}
        audit.record(by, "token.create", account.email, changes)
    return token


def listing(now: datetime, account: Account | None = None) -> list[ShownToken]:
    """Give the tokens of an account, or of all, the newest first."""
    found = ApiToken.objects.select_related("account")
    if account is not None:
        found = found.filter(account=account)
    return [_shown(each, now) for each in found]


def revoke(
    number: int, now: datetime, account: Account | None = None, *, by: str = audit.COMMAND_LINE
) -> ShownToken:
    """Have a token serve no more, at once. Raises UsageError where the account has no such one."""
    with transaction.atomic():
        found = ApiToken.objects.select_related("account").filter(pk=number)
        if account is not None:
            found = found.filter(account=account)
        token = found.first()
        if token is None:
            raise UsageError(f"there is no token {number}: keepstep tokens list shows them.")
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            audit.record(by, "token.revoke", token.account.email, {"name": (token.name, None)})
    return _shown(token, now)


def recognise(text: str, now: datetime) -> ApiToken | None:
    """Give the token, with its account and operator, if it may be used now; note that it is."""
    if not text.startswith(PREFIX):
        return None
    found = ApiToken.objects.select_related("account__operator").filter(digest=_digest(text))
    token = found.first()
    if token is None or _state(token, now) != "active":
        return None
    if token.last_used_at is None or now - token.last_used_at >= _NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def effective_scopes(token: ApiToken) -> frozenset[Scope]:
    """Give what a token may be used for now: the role of its account may have changed."""
    known = {each for each in Scope if each.value in token.scopes}
    return scopes_of(Role(token.account.role)) & known


def _digest(token: str) -> str:
    # Of 256 random bits: nothing that a slow digest would have to protect from guessing.
    return sha256(token.encode()).hexdigest()


def _name(text: str) -> str:
    try:
        name = " ".join(read_line(text).split())
    except ValueError as error:
        raise UsageError(f"the name of a token {error}.") from None
    if not name or len(name) > LONGEST_NAME:
        raise UsageError(f"the name of a token must have 1 to {LONGEST_NAME} characters.")
    return name


def _scopes(account: Account, asked: Iterable[str]) -> list[str]:
    allowed = scopes_of(Role(account.role))
    words = [each.value for each in Scope]
    chosen = list(dict.fromkeys(asked))
    for each in chosen:
        if each not in words:
            near = did_you_mean(each, words)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(words)}"
            raise UsageError(f"no scope is called {shown(each)}; {hint}")
        if each not in allowed:
            raise UsageError(f"the role {account.role} of {account.email} has no scope {each}.")
    if not chosen:
        raise UsageError(f"name a scope: {', '.join(each for each in words if each in allowed)}.")
    return [each for each in words if each in chosen]


def _check_room(account: Account) -> None:
    mine = ApiToken.objects.filter(account=account)
    if mine.filter(revoked_at=None).count() >= MOST_OF_AN_ACCOUNT:
        raise UsageError(f"{account.email} has {MOST_OF_AN_ACCOUNT} tokens: revoke one first.")


def _state(token: ApiToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is not None and token.expires_at <= now:
        return "expired"
    return "active" if token.account.is_active else "off"


def _shown(token: ApiToken, now: datetime) -> ShownToken:
    return ShownToken(
        token.pk,
        token.account.email,
        token.name,
        token.hint,
        tuple(token.scopes),
        token.created_at,
        token.expires_at,
        token.last_used_at,
        _state(token, now),
    )
