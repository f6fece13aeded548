"""Whose calendar is looked at: one's own, an operator's, or a team's; and whose may be."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from keepstep.core.roles import Role, Viewer
from keepstep.store.models import Account, Operator
from keepstep.store.operators import access_groups
from keepstep.store.seen import SeenOperator
from keepstep.store.viewers import as_seen, viewer_of

ME = "me"
TEAM = "team:"
OPERATOR = "operator:"
ALL = "all"
# A team's calendar with more operators could be neither read nor drawn in good time.
MOST_MEMBERS = 100
FOUND_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Whose:
    """A choice: what names it in an address, its words, its operators, and their time zone.

    `members` are those who may be seen; `left_out` are more of the team than can be shown.
    """

    who: str
    words: str
    members: tuple[SeenOperator, ...]
    time_zone: str
    left_out: int = 0

    @property
    def is_team(self) -> bool:
        """Say whether it is a team's calendar."""
        return self.who.startswith(TEAM)


def resolve(account: Account, who: str, *, most: int | None = MOST_MEMBERS) -> Whose | None:
    """Give the calendar that `who` names: `me`, `team:GROUP`, `operator:EMAIL`, or "" for the best.

    Of a team `most` operators (None: all of them); without that limit, administrators may name
    `all` operators, too. None: there is no such one, or it is not for this account; which of the
    two is not told.
    """
    viewer = viewer_of(account)
    if not who:
        return _best(account, viewer)
    if who == ME:
        return _one(viewer, account.operator, ME) if account.operator else None
    if who.startswith(TEAM):
        return _team(account, viewer, who.removeprefix(TEAM), most)
    if who == ALL and most is None:
        return _everybody(viewer)
    if who.startswith(OPERATOR):
        email = who.removeprefix(OPERATOR).replace("\0", "")
        operator = _with_mailbox().filter(email__iexact=email).first()
        return _one(viewer, operator, who) if operator else None
    return None


def teams(account: Account) -> list[str]:
    """Give the access groups whose calendar the account may look at."""
    viewer = viewer_of(account)
    if viewer.role is Role.ADMINISTRATOR:
        return access_groups()
    return [viewer.access_group] if viewer.access_group else []


def search(account: Account, words: str) -> list[Operator]:
    """Give the operators whose calendar the account may look at, by a part of name or address."""
    viewer = viewer_of(account)
    found = _with_mailbox().order_by("email")
    for word in words.replace("\0", "").split()[:5]:
        found = found.filter(Q(email__icontains=word) | Q(name__icontains=word))
    if viewer.role is not Role.ADMINISTRATOR:
        mine = Q(pk=account.operator.pk) if account.operator else Q(pk=None)
        group = viewer.access_group
        found = found.filter(mine | Q(access_group=group) if group else mine)
    return list(found[:FOUND_AT_ONCE])


def others_beside(account: Account, operator: Operator) -> list[SeenOperator]:
    """Give the operator and the others of the access group, as far as the account may see them."""
    viewer = viewer_of(account)
    group = [operator]
    if operator.access_group:
        same = _with_mailbox().filter(access_group=operator.access_group).exclude(pk=operator.pk)
        group += same.order_by("email")[:MOST_MEMBERS]
    return as_seen(viewer, group)


def _best(account: Account, viewer: Viewer) -> Whose | None:
    if account.operator:
        return _one(viewer, account.operator, ME)
    groups = teams(account)
    if groups:
        return _team(account, viewer, groups[0])
    first = _with_mailbox().order_by("email").first()
    return _one(viewer, first, OPERATOR + first.email) if first else None


def _one(viewer: Viewer, operator: Operator, who: str) -> Whose | None:
    members = as_seen(viewer, [operator])
    if not members:
        return None
    words = _("My calendar") if who == ME else name_of(operator)
    return Whose(who, words, tuple(members), operator.time_zone)


def _everybody(viewer: Viewer) -> Whose | None:
    if viewer.role is not Role.ADMINISTRATOR:
        return None
    members = as_seen(viewer, list(_with_mailbox().order_by("email")))
    return Whose(ALL, _("All operators"), tuple(members), "UTC")


def _team(
    account: Account, viewer: Viewer, group: str, most: int | None = MOST_MEMBERS
) -> Whose | None:
    if not group or "\0" in group:
        return None
    mine = account.operator
    others = _with_mailbox().filter(access_group=group).exclude(pk=mine.pk if mine else 0)
    # One's own calendar comes first, and is never among those left out.
    group_of = [mine] if mine and mine.access_group == group else []
    members = as_seen(viewer, group_of + list(others.order_by("email")[:most]))
    if not members:
        return None
    more = 0 if most is None else max(others.count() + len(group_of) - most, 0)
    zone = mine.time_zone if mine else members[0].operator.time_zone
    return Whose(TEAM + group, group, tuple(members[:most]), zone, more)


def name_of(operator: Operator) -> str:
    """Give what a person is called by: the name, else the address."""
    return operator.name or operator.email


def _with_mailbox() -> QuerySet[Operator]:
    return Operator.objects.select_related("mailbox")
