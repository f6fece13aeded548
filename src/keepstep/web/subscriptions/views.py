"""The page where subscription addresses are made and revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.store import calendar_addresses, operators
from keepstep.store.calendar_addresses import Subject
from keepstep.store.models import Account, CalendarAddress
from keepstep.store.settings import load
from keepstep.web.access import account_of, allow, methods
from keepstep.web.calendar import whose

may_subscribe = allow(Role.ADMINISTRATOR, Role.OPERATOR)


@may_subscribe
@methods("GET")
def page(request: HttpRequest) -> HttpResponse:
    """Show the address of a calendar: one's own, or for administrators any one's."""
    account, who = account_of(request), request.GET.get("who", "")
    subject = subject_of(account, who)
    if subject is None and (who or account.role != Role.ADMINISTRATOR):
        return render(request, "not_found.html", status=404)
    return _page(request, account, subject)


@may_subscribe
@methods("POST")
def make(request: HttpRequest) -> HttpResponse:
    """Make an address and show it, this once."""
    account = account_of(request)
    subject = subject_of(account, request.POST.get("who", ""))
    if subject is None:
        return render(request, "not_found.html", status=404)
    token = calendar_addresses.make(subject, datetime.now(UTC), by=account.email)
    site = load(with_secrets=False).site_url or request.build_absolute_uri("/")
    address = site.rstrip("/") + calendar_addresses.path_of(token)
    return _page(request, account, subject, address)


@may_subscribe
@methods("POST")
def revoke(request: HttpRequest) -> HttpResponse:
    """End an address's effect."""
    account, who = account_of(request), request.POST.get("who", "")
    subject = subject_of(account, who) or _without_members(account, who)
    if subject is None:
        return render(request, "not_found.html", status=404)
    try:
        calendar_addresses.revoke(subject, by=account.email)
    except UsageError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The address was revoked: nobody can read the calendar by it."))
    back = {"who": who} if subject_of(account, who) and not request.POST.get("back") else {}
    query = f"?{urlencode(back)}" if back else ""
    return HttpResponseRedirect(reverse("calendar-subscribe") + query)


def subject_of(account: Account, who: str) -> Subject | None:
    """Give whose address `who` names, as the calendar page does; "" for one's own.

    None: there is no such one, or this account may not make its address. An operator may make
    the own one alone, an administrator all.
    """
    own = account.operator
    if who in ("", whose.ME):
        return Subject(own) if own else None
    is_administrator = account.role == Role.ADMINISTRATOR
    try:
        if who.startswith(whose.TEAM) and is_administrator:
            return calendar_addresses.of_team(who.removeprefix(whose.TEAM))
        if who.startswith(whose.OPERATOR):
            found = operators.find(who.removeprefix(whose.OPERATOR))
            return Subject(found) if is_administrator or found == own else None
    except UsageError:
        pass
    return None


def _without_members(account: Account, who: str) -> Subject | None:
    """Give an access group that no operator has any more, but that has an address."""
    if account.role != Role.ADMINISTRATOR or not who.startswith(whose.TEAM):
        return None
    subject = Subject(access_group=who.removeprefix(whose.TEAM).replace("\0", ""))
    return subject if subject.access_group and subject.address() else None


def _page(
    request: HttpRequest, account: Account, subject: Subject | None, address: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        "subject": subject,
        "address": address,
        "webcal": "webcal://" + address.partition("://")[2],
        "is_own": subject is not None and subject.operator == account.operator,
    }
    if subject is not None:
        context |= {
            "who": _who(subject),
            "words": whose.name_of(subject.operator) if subject.operator else subject.access_group,
            "known": subject.address(),
        }
    if account.role == Role.ADMINISTRATOR:
        context["all"] = [_line(each) for each in calendar_addresses.listing()]
        context["teams"] = [
            (each, urlencode({"who": whose.TEAM + each})) for each in operators.access_groups()
        ]
    return render(request, "subscriptions/page.html", context)


def _who(subject: Subject) -> str:
    if subject.operator is not None:
        return whose.OPERATOR + subject.operator.email
    return whose.TEAM + subject.access_group


def _line(address: CalendarAddress) -> dict[str, Any]:
    subject = Subject(address.operator, address.access_group)
    words = whose.name_of(address.operator) if address.operator else address.access_group
    who = _who(subject)
    return {"address": address, "words": words, "who": who, "query": urlencode({"who": who})}
