"""The menu: which pages there are for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from keepstep import __version__
from keepstep.core.roles import Role
from keepstep.store.models import Account

ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu: its words, the name of its address, its icon, who sees it.

    `prefix` is what the addresses of all pages below it begin with.
    """

    words: str
    address: str
    icon: str
    prefix: str
    roles: frozenset[Role]


MENU = (
    Entry(
        gettext_noop("Health"), "overview", "activity", "/health", frozenset(Role) - {Role.OPERATOR}
    ),
    Entry(
        gettext_noop("Calendar"),
        "calendar",
        "calendar-days",
        "/calendar",
        frozenset(Role) - {Role.AUDITOR},
    ),
    Entry(gettext_noop("Operators"), "operators", "users", "/operators", ADMINISTRATOR),
    Entry(gettext_noop("Jobs"), "jobs", "timer", "/jobs", ADMINISTRATOR),
    Entry(gettext_noop("Settings"), "settings", "settings", "/settings", ADMINISTRATOR),
    Entry(gettext_noop("People"), "people", "key-round", "/people", ADMINISTRATOR),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give templates the menu of the one who looks, and which entry is open."""
    user = getattr(request, "user", None)
    if not isinstance(user, Account):
        return {"menu": (), "version": __version__}
    menu = [
        {"entry": each, "words": _(each.words), "open": request.path.startswith(each.prefix)}
        for each in MENU
        if user.role in each.roles
    ]
    return {"menu": menu, "version": __version__, "account": user}
