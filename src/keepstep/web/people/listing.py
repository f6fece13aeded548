"""Everybody who may sign in: the list, and their links as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from keepstep.core.roles import Role
from keepstep.store.account_search import Wanted, every, search
from keepstep.store.accounts import State, state
from keepstep.store.audit import record
from keepstep.store.harmless import guarded
from keepstep.store.models import Account
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.site import link_to

STATES = {
    State.INVITED: (gettext_noop("invited"), "info"),
    State.ACTIVE: (gettext_noop("active"), "good"),
    State.OFF: (gettext_noop("off"), "muted"),
}
ROLE_WORDS = {
    Role.ADMINISTRATOR: gettext_noop("administrator"),
    Role.OPERATOR: gettext_noop("operator"),
    Role.AUDITOR: gettext_noop("auditor"),
}


@administrators
@methods("GET")
def listing(request: HttpRequest) -> HttpResponse:
    """Show one page of those looked for; only the table if htmx asks."""
    wanted = _wanted(request.GET)
    found = search(wanted, _number(request.GET.get("page", "")))
    context: dict[str, Any] = {
        "found": found,
        "rows": [shown(each) for each in found.accounts],
        "wanted": wanted,
        "roles": [(each.value, _(words)) for each, words in ROLE_WORDS.items()],
        "states": [(each.value, _(words)) for each, (words, _tone) in STATES.items()],
        "earlier": _query(wanted, found.page - 1) if found.page > 1 else None,
        "later": _query(wanted, found.page + 1) if found.page < found.pages else None,
        "invited": every(Wanted(state=State.INVITED)).count(),
    }
    partial = getattr(request, "htmx", False)
    return render(request, "people/table.html" if partial else "people/list.html", context)


@administrators
@methods("POST")
def links(request: HttpRequest) -> HttpResponse:
    """Give the links of all who were invited and did not sign in yet, as a CSV file."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("email", "name", "link"))
    count = 0
    for account in every(Wanted(state=State.INVITED)).iterator(chunk_size=1000):
        name = account.operator.name if account.operator else ""
        link = link_to(request, account)
        writer.writerow((guarded(account.email), guarded(name), link))
        count += 1
    record(account_of(request).email, "account.links", "", {"count": (0, count)})
    response = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="keepstep-invitations.csv"'
    return response


def shown(account: Account) -> dict[str, Any]:
    """Give an account with the words of its role and state."""
    words, tone = STATES[state(account)]
    role = ROLE_WORDS[Role(account.role)]
    return {"account": account, "state": _(words), "tone": tone, "role": _(role)}


def _wanted(given: Mapping[str, str]) -> Wanted:
    role, standing = given.get("role", ""), given.get("state", "")
    return Wanted(
        text=given.get("text", "").strip()[:200],
        role=Role(role) if role in set(Role) else None,
        state=State(standing) if standing in set(State) else None,
    )


def _query(wanted: Wanted, page: int) -> str:
    asked = {
        "text": wanted.text,
        "role": wanted.role.value if wanted.role else "",
        "state": wanted.state.value if wanted.state else "",
        "page": str(page),
    }
    return urlencode({name: value for name, value in asked.items() if value})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
