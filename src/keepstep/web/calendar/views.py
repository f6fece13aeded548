"""The calendar page: the frame that its script fills, and the agenda that is printed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from keepstep.core.roles import Role
from keepstep.core.shown_times import drawn, utc_offset
from keepstep.store import seen
from keepstep.store.calendar import DAYS_AHEAD, window
from keepstep.store.models import Account
from keepstep.store.seen import Happening
from keepstep.web.access import account_of, allow, methods
from keepstep.web.calendar import asked, whose, words
from keepstep.web.calendar.standing import standing as standing_of
from keepstep.web.calendar.whose import OPERATOR, Whose, name_of

may_look = allow(Role.ADMINISTRATOR, Role.OPERATOR)


@may_look
@methods("GET")
def page(request: HttpRequest) -> HttpResponse:
    """Show the calendar that the address asks for: whose, which days, in which view and zone."""
    account, wanted, now = account_of(request), asked.read(request), datetime.now(UTC)
    chosen = whose.resolve(account, wanted.who)
    if chosen is None:
        return _nobody(request, wanted.who)
    zone = wanted.zone or chosen.time_zone
    context: dict[str, Any] = {
        "whose": chosen,
        "wanted": wanted,
        "zone": zone,
        "day": wanted.day or asked.today(now, zone).isoformat(),
        "offset": utc_offset(now, ZoneInfo(zone)),
        "words": json.dumps(words.of_script()),
        "standing": standing_of(chosen, now),
        "print_query": _query(chosen, wanted),
        **_choices(account),
    }
    return render(request, "calendar/page.html", context)


def _nobody(request: HttpRequest, who: str) -> HttpResponse:
    if who:
        return render(request, "not_found.html", status=404)
    return render(request, "calendar/nobody.html")


def _query(chosen: Whose, wanted: asked.Asked) -> str:
    query = {"who": chosen.who}
    if wanted.zone:
        query["zone"] = wanted.zone
    return urlencode(query)


def _choices(account: Account) -> dict[str, Any]:
    groups = [(group, urlencode({"who": whose.TEAM + group})) for group in whose.teams(account)]
    return {"teams": groups, "found": _found(account, ""), "has_own": account.operator is not None}


def _found(account: Account, text: str) -> list[dict[str, str]]:
    return [
        {
            "name": name_of(each),
            "email": each.email if each.name else "",
            "group": each.access_group,
            "query": urlencode({"who": OPERATOR + each.email}),
        }
        for each in whose.search(account, text)
    ]


@may_look
@methods("GET")
def search(request: HttpRequest) -> HttpResponse:
    """Show the operators whose name or address has these words, as links to their calendars."""
    text = request.GET.get("q", "")[:200]
    return render(request, "calendar/found.html", {"found": _found(account_of(request), text)})


@may_look
@methods("GET")
def standing(request: HttpRequest) -> HttpResponse:
    """Show how far the calendar can be believed; the page asks for it each minute."""
    chosen = whose.resolve(account_of(request), request.GET.get("who", ""))
    if chosen is None:
        return HttpResponse(status=204)
    context = {"standing": standing_of(chosen, datetime.now(UTC)), "whose": chosen}
    return render(request, "calendar/standing.html", context)


@may_look
@methods("GET")
def printed(request: HttpRequest) -> HttpResponse:
    """Show an agenda by day, to be printed or read without script."""
    wanted, now = asked.read(request), datetime.now(UTC)
    chosen = whose.resolve(account_of(request), wanted.who)
    if chosen is None:
        return _nobody(request, wanted.who)
    zone = wanted.zone or chosen.time_zone
    first = asked.today(now, zone)
    days = asked.read_days(request) or (first, first + timedelta(days=DAYS_AHEAD))
    rules = ZoneInfo(zone)
    shown = window(zone, *days)
    found = seen.entries(chosen.members, shown, include_cancelled=wanted.cancelled)
    names = {each.operator.pk: name_of(each.operator) for each in chosen.members}
    context = {
        "whose": chosen,
        "zone": zone,
        "first": words.day(days[0]),
        "last": words.day(days[1] - timedelta(days=1)),
        "days": [
            (words.day(day), [_line(each, rules, names, wanted.zone) for each in happenings])
            for day, happenings in seen.by_day(found, shown, rules)
        ],
        "standing": standing_of(chosen, now),
        "back": reverse("calendar") + "?" + wanted.query(),
    }
    return render(request, "calendar/print.html", context)


def _line(
    happening: Happening, zone: ZoneInfo, names: dict[int, str], asked_zone: str
) -> dict[str, Any]:
    entry, time = happening
    query = {"at": asked.write_original(time.original)} if time.original else {}
    if asked_zone:
        query["zone"] = asked_zone
    begins, ends, _ = drawn(time.start, time.end, zone)
    end = time.end.astimezone(zone)
    return {
        "entry": entry,
        "is_series": time.original is not None,
        "all_day": time.first_day is not None,
        "start": f"{begins:%H:%M}",
        "end": f"{end:%H:%M}" if time.end > time.start else "",
        "days_on": (ends.date() - begins.date()).days,
        "names": ", ".join(names[each] for each in entry.operators),
        "address": f"{reverse('appointment', args=[entry.row])}?{urlencode(query)}",
    }
