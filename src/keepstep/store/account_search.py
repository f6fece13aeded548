"""Finding those who may sign in, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, Q, QuerySet

from keepstep.core.roles import Role
from keepstep.store.accounts import State
from keepstep.store.models import Account, Operator

PAGE = 50

_USED = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) | Q(last_login__isnull=False)
_STATES = {
    State.OFF: Q(is_active=False),
    State.ACTIVE: Q(is_active=True) & _USED,
    State.INVITED: Q(is_active=True) & ~_USED,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to look for; "" and None: whatever it is."""

    text: str = ""
    role: Role | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the accounts found, in the order of their addresses; pages begin with 1."""

    accounts: list[Account]
    total: int
    page: int
    pages: int


def search(wanted: Wanted, page: int) -> Found:
    """Give the accounts on this page (or the nearest there is), each with its operator."""
    matching = every(wanted)
    total = matching.count()
    pages = max(1, -(-total // PAGE))
    number = min(max(1, page), pages)
    rows = matching[(number - 1) * PAGE : number * PAGE]
    return Found(list(rows), total, number, pages)


def every(wanted: Wanted) -> QuerySet[Account]:
    """Give all accounts that are looked for."""
    accounts = Account.objects.select_related("operator").order_by("email")
    if wanted.text:
        text = wanted.text.replace("\0", "")
        accounts = accounts.filter(Q(email__icontains=text) | Q(operator__name__icontains=text))
    if wanted.role is not None:
        accounts = accounts.filter(role=wanted.role.value)
    if wanted.state is not None:
        accounts = accounts.filter(_STATES[wanted.state])
    return accounts


def groups_to_invite() -> list[tuple[str, int]]:
    """Give the access groups with operators that have no account, and how many these are."""
    without = Operator.objects.exclude(access_group="").filter(account=None)
    counted = without.values_list("access_group").annotate(Count("id"))
    return list(counted.order_by("access_group"))
