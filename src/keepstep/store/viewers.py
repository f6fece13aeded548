"""Whose calendars an account may look at, and how much of each: one rule for pages and API."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from keepstep.core.roles import Role, Sight, Viewer, sight
from keepstep.store.models import Account, Operator
from keepstep.store.seen import SeenOperator


def viewer_of(account: Account) -> Viewer:
    """Give what decides what an account may see of the calendars."""
    operator = account.operator
    role = Role(account.role)
    if operator is None:
        return Viewer(role)
    return Viewer(role, operator.email, operator.access_group)


def may_be_seen(viewer: Viewer) -> QuerySet[Operator]:
    """Give the operators of whose calendars the viewer sees anything, with their mailboxes."""
    found = Operator.objects.select_related("mailbox")
    if viewer.role is Role.ADMINISTRATOR:
        return found
    if viewer.role is Role.AUDITOR or not viewer.operator:
        return found.none()
    mine = Q(email__iexact=viewer.operator)
    return found.filter(mine | Q(access_group=viewer.access_group) if viewer.access_group else mine)


def as_seen(viewer: Viewer, operators: Iterable[Operator]) -> list[SeenOperator]:
    """Give those of the operators of whom the viewer sees anything, and how much that is."""
    found = []
    for each in operators:
        seen = sight(viewer, each.email, each.access_group)
        if seen is not Sight.NOTHING:
            found.append(SeenOperator(each, seen))
    return found
