"""Addresses that let somebody in once: the first administrator, an invitation, a new password.

A link is a signed text, stored nowhere. It is bound to the account as it stands: once a password
is set, the account has signed in or is switched off, the link has no more effect.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from django.core import signing
from django.db import connection
from django.utils.crypto import constant_time_compare, salted_hmac

from keepstep.core.roles import Role
from keepstep.store.models import Account


class Purpose(StrEnum):
    """What a link lets somebody do."""

    SET_UP = "setup"
    INVITATION = "invitation"
    RESET = "reset"
    SIGN_IN = "enter"


LIFETIME = {
    Purpose.SET_UP: timedelta(days=1),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.RESET: timedelta(hours=1),
    Purpose.SIGN_IN: timedelta(hours=1),
}


# Where `keepstep serve` listens unless it is told otherwise.
DEFAULT_SITE = "http://127.0.0.1:8000"


def lasting(purpose: Purpose) -> str:
    """Give how long a link works, in English words: "7 days", "an hour"."""
    hours = int(LIFETIME[purpose].total_seconds() // 3600)
    if hours == 1:
        return "an hour"
    return f"{hours} hours" if hours <= 24 else f"{hours // 24} days"


def has_administrator() -> bool:
    """Say whether there is an administrator who can sign in."""
    return Account.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exists()


def set_up_token() -> str:
    """Give what lets somebody make the first administrator, for a day or until there is one."""
    return signing.dumps("", salt=_salt(Purpose.SET_UP))


def check_set_up(token: str) -> bool:
    """Say whether the token lets somebody make the first administrator."""
    return _read(Purpose.SET_UP, token) is not None and not has_administrator()


def token_for(account: Account, purpose: Purpose) -> str:
    """Give what lets the account in once, for this purpose, for its lifetime."""
    return signing.dumps([account.pk, _state(account)], salt=_salt(purpose))


def path_of(purpose: Purpose, token: str) -> str:
    """Give the path of the page that takes a token (keepstep.web.accounts.urls)."""
    return f"/{purpose}/{token}"


def set_up_link(site: str) -> str:
    """Give the address where the first administrator is made; `site` is what it begins with."""
    return site.rstrip("/") + path_of(Purpose.SET_UP, set_up_token())


def link_of(account: Account, purpose: Purpose, site: str) -> str:
    """Give an address that lets the account in once; `site` is what it begins with."""
    return site.rstrip("/") + path_of(purpose, token_for(account, purpose))


def sign_in_page(site: str) -> str:
    """Give the address of the sign-in page; `site` is what it begins with."""
    return site.rstrip("/") + "/sign-in"


def is_sign_in_page(link: str) -> bool:
    """Say whether a link leads to the sign-in page, and so works more than once."""
    return link.endswith("/sign-in")


def way_in(account: Account) -> Purpose:
    """Give what a link sent to the account is for: its first password, or a new one."""
    return Purpose.RESET if account.has_usable_password() else Purpose.INVITATION


def account_by(token: str, purpose: Purpose) -> Account | None:
    """Give the account that a token lets in; None if it does not, or not any more.

    Within a transaction the account's row is held until its end: of two uses at once one finds
    the token used.
    """
    read = _read(purpose, token)
    if not (isinstance(read, list) and len(read) == 2):
        return None
    accounts = Account.objects.filter(pk=read[0], is_active=True)
    if connection.in_atomic_block:
        accounts = accounts.select_for_update()
    account = accounts.first()
    if account is None or not constant_time_compare(_state(account), str(read[1])):
        return None
    return account


def _read(purpose: Purpose, token: str) -> object:
    try:
        return signing.loads(token, salt=_salt(purpose), max_age=LIFETIME[purpose])
    except signing.BadSignature:
        return None


def _salt(purpose: Purpose) -> str:
    return f"keepstep.link.{purpose}"


def _state(account: Account) -> str:
    """Give a fingerprint of what changes when the link has been used."""
    signed_in = account.last_login.isoformat() if account.last_login else ""
    parts = (account.email, account.role, account.password, signed_in)
    return salted_hmac("keepstep.link", "\0".join(parts), algorithm="sha256").hexdigest()[:32]
