"""The calendar page: the frame that its script fills, and the agenda that is printed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from keepstep.core.roles import Role
from keepstep.core.shown_times import WallClock, drawn, utc_offset
from keepstep.store import seen
from keepstep.store.calendar import DAYS_AHEAD, window
from keepstep.store.models import Account
from keepstep.store.seen import Happening
from keepstep.web.access import account_of, allow, methods
from keepstep.web.calendar import asked, whose, words
from keepstep.web.calendar.events import clock_words
from keepstep.web.calendar.standing import standing as standing_of
from keepstep.web.calendar.whose import OPERATOR, Whose, name_of

# More can't be read on paper; whoever needs it asks for fewer days.
MOST_LINES = 800

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
        "subscribe_query": _subscribe_query(account, chosen),
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


def _subscribe_query(account: Account, chosen: Whose) -> str:
    """Give which address to show: of this calendar, or one's own where it is not one's to make."""
    return urlencode({"who": chosen.who if account.role == Role.ADMINISTRATOR else whose.ME})


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
    shown = window(zone, *days)
    clock = WallClock(ZoneInfo(zone), shown.start, shown.end)
    found = seen.entries(chosen.members, shown, include_cancelled=wanted.cancelled)
    agenda, left_out = _cut(seen.by_day(found, shown, clock))
    names = {each.operator.pk: name_of(each.operator) for each in chosen.members}
    context = {
        "whose": chosen,
        "zone": zone,
        "first": words.day(days[0]),
        "last": words.day(days[1] - timedelta(days=1)),
        "days": [
            (words.day(day), [_line(each, clock, names, wanted.zone) for each in happenings])
            for day, happenings in agenda
        ],
        "left_out": left_out,
        "standing": standing_of(chosen, now),
        "back": reverse("calendar") + "?" + wanted.query(),
    }
    return render(request, "calendar/print.html", context)


def _cut(
    agenda: list[tuple[date, list[Happening]]],
) -> tuple[list[tuple[date, list[Happening]]], int]:
    """Give the whole days that fit on the page, at least one, and how many lines are left out."""
    kept: list[tuple[date, list[Happening]]] = []
    lines = 0
    for day, happenings in agenda:
        if kept and lines + len(happenings) > MOST_LINES:
            break
        kept.append((day, happenings[:MOST_LINES]))
        lines += len(kept[-1][1])
    return kept, sum(len(each) for _, each in agenda) - lines


def _line(
    happening: Happening, clock: WallClock, names: dict[int, str], asked_zone: str
) -> dict[str, Any]:
    entry, time = happening
    query = {"at": asked.write_original(time.original)} if time.original else {}
    if asked_zone:
        query["zone"] = asked_zone
    begins, ends, _ = drawn(time.start, time.end, clock)
    return {
        "entry": entry,
        "is_series": time.original is not None,
        "all_day": time.first_day is not None,
        "clock": clock_words(time, clock),
        "days_on": (ends.date() - begins.date()).days,
        "names": ", ".join(names[each] for each in entry.operators),
        "address": f"{reverse('appointment', args=[entry.row])}?{urlencode(query)}",
    }
