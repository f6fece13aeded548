"""The list of operators: searched and sorted in the database, switched many at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from keepstep.core.errors import UsageError
from keepstep.core.schedule import Status
from keepstep.store import operators
from keepstep.store.operator_search import Found, Order, search, switch_found
from keepstep.web.access import account_of, administrators, methods
from keepstep.web.operators.asked import NO_GROUP, Asked
from keepstep.web.templatetags.keepstep_web import STATUS_WORDS

COLUMNS = (
    (Order.EMAIL, gettext_noop("E-mail address")),
    (Order.NAME, gettext_noop("Name")),
    (Order.ACCESS_GROUP, gettext_noop("Access group")),
    (Order.STATUS, gettext_noop("Status")),
    (Order.LAST_SUCCESS, gettext_noop("In step")),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be sorted by: its words, the link, and how it is sorted now."""

    words: str
    query: str
    sorted: str


@administrators
@methods("GET")
def listing(request: HttpRequest) -> HttpResponse:
    """Show one page of the operators looked for; only the table if htmx asks."""
    asked = Asked.read(request.GET)
    context = _context(asked)
    partial = getattr(request, "htmx", False)
    return render(request, "operators/table.html" if partial else "operators/list.html", context)


@administrators
@methods("POST")
def switch(request: HttpRequest) -> HttpResponse:
    """Switch calendar sync for those ticked, or for all that the search finds."""
    by, on = account_of(request).email, request.POST.get("on") == "true"
    query = QueryDict(request.POST.get("query", ""))
    try:
        if request.POST.get("all") == "true":
            changed = switch_found(Asked.read(query).search, datetime.now(UTC), on=on, by=by)
        else:
            changed = operators.switch(request.POST.getlist("email"), on=on, by=by)
    except UsageError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _switched(len(changed), on=on))
    return HttpResponseRedirect(f"{reverse('operators')}?{query.urlencode()}")


def _context(asked: Asked) -> dict[str, Any]:
    found = search(
        asked.search,
        datetime.now(UTC),
        page=asked.page,
        order=asked.order,
        descending=asked.descending,
    )
    group = asked.search.access_group
    return {
        "asked": asked,
        "found": found,
        "query": asked.query(page=found.page),
        "columns": [_column(order, words, asked) for order, words in COLUMNS],
        "statuses": _statuses(found),
        "groups": operators.access_groups(),
        "group": NO_GROUP if group == "" else group or "",
        "earlier": asked.query(page=found.page - 1) if found.page > 1 else None,
        "later": asked.query(page=found.page + 1) if found.page < found.pages else None,
    }


def _column(order: Order, words: str, asked: Asked) -> Column:
    now = ""
    if order is asked.order:
        now = "descending" if asked.descending else "ascending"
    return Column(_(words), asked.query(order=order), now)


def _statuses(found: Found) -> list[tuple[str, str, int]]:
    return [(each.value, _(STATUS_WORDS[each][0]), found.counts[each]) for each in Status]


def _switched(count: int, *, on: bool) -> str:
    if on:
        words = ngettext(
            "Calendar sync is on for %d more operator.",
            "Calendar sync is on for %d more operators.",
            count,
        )
    else:
        words = ngettext(
            "Calendar sync is off for %d more operator.",
            "Calendar sync is off for %d more operators.",
            count,
        )
    return words % count
