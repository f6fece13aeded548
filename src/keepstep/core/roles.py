"""Who may see what: the roles of those who sign in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keepstep.core.appointment import Sensitivity


class Role(StrEnum):
    """What an account is there for."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Sight(StrEnum):
    """How much of an operator's calendar somebody sees."""

    ALL = "all"
    NOT_PRIVATE = "not private"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who looks: the role, and the operator that is himself or herself ("": none).

    `access_group` is that operator's, "" for none.
    """

    role: Role
    operator: str = ""
    access_group: str = ""


def sight(viewer: Viewer, operator: str, access_group: str) -> Sight:
    """Say how much of the calendar of an operator, who is in an access group, the viewer sees.

    One's own whole; of others an administrator, or an operator of the same access group, sees all
    but what is private; an auditor never sees appointments.
    """
    if viewer.role is Role.AUDITOR:
        return Sight.NOTHING
    if viewer.operator and viewer.operator.casefold() == operator.casefold():
        return Sight.ALL
    if viewer.role is Role.ADMINISTRATOR:
        return Sight.NOT_PRIVATE
    same_group = bool(viewer.access_group) and viewer.access_group == access_group
    return Sight.NOT_PRIVATE if same_group else Sight.NOTHING


def is_withheld(sight: Sight, *sensitivities: Sensitivity | str) -> bool:
    """Say whether details are kept from somebody: what is not meant for all, of another's calendar.

    An occurrence of a series is as private as itself or its series, whichever is more.
    """
    if sight is Sight.ALL:
        return False
    return sight is Sight.NOTHING or any(each != Sensitivity.NORMAL for each in sensitivities)
