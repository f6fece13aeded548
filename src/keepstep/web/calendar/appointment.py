"""One appointment: a page with an address of its own, and the panel beside the calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from keepstep.core.appointment import Attendee
from keepstep.core.online_meeting import join_link
from keepstep.core.roles import Role, Sight, sight
from keepstep.core.timezones import local
from keepstep.store import seen_detail
from keepstep.store.explain import STATE_WORDS, explain
from keepstep.store.models import Account
from keepstep.store.seen_detail import Found
from keepstep.store.viewers import viewer_of
from keepstep.web.access import account_of, allow, methods
from keepstep.web.calendar import asked, whose, words


@allow(Role.ADMINISTRATOR, Role.OPERATOR)
@methods("GET")
def appointment(request: HttpRequest, row: int) -> HttpResponse:
    """Show an appointment, or the occurrence `at` of a series, as far as the one who looks may.

    What is not there and what may not be seen are answered alike.
    """
    account = account_of(request)
    text = request.GET.get("at", "")
    original = asked.read_original(text)
    if row >= 2**63 or (text and original is None):
        return render(request, "not_found.html", status=404)
    found = seen_detail.find(row, original)
    sees = Sight.NOTHING if found is None else _sight(account, found)
    if found is None or sees is Sight.NOTHING:
        return render(request, "not_found.html", status=404)
    zone = asked.zone_asked(request) or _own_zone(account, found)
    context = {**_base(request, found, zone), "is_withheld": found.is_withheld(sees)}
    if not context["is_withheld"]:
        context |= _details(found, account, zone)
        if sees is Sight.ALL or account.role == Role.ADMINISTRATOR:
            context |= _explanation(found)
    panel = bool(getattr(request, "htmx", False))
    template = "calendar/panel.html" if panel else "calendar/appointment.html"
    return render(request, template, context)


def _sight(account: Account, found: Found) -> Sight:
    operator = found.operator
    return sight(viewer_of(account), operator.email, operator.access_group)


def _own_zone(account: Account, found: Found) -> str:
    return account.operator.time_zone if account.operator else found.operator.time_zone


def _base(request: HttpRequest, found: Found, zone: str) -> dict[str, Any]:
    """Give what may be told of withheld ones, too: when it is, and whose."""
    occurrence = found.occurrence
    return {
        "title": _("Private appointment"),
        "when": words.when(occurrence, ZoneInfo(zone)),
        "zone": "" if occurrence.all_day else zone,
        "operator": found.operator,
        "operator_name": whose.name_of(found.operator),
        "last_success": found.operator.mailbox.last_success,
        "show_as": _(words.SHOW_AS[occurrence.details.show_as.value]),
        "address": request.get_full_path(),
        "calendar": _calendar_address(found, zone),
    }


def _calendar_address(found: Found, zone: str) -> str:
    day = found.occurrence.first_day or found.occurrence.start.astimezone(ZoneInfo(zone)).date()
    query = {"who": whose.OPERATOR + found.operator.email, "date": day.isoformat()}
    return f"{reverse('calendar')}?{urlencode(query)}"


def _details(found: Found, account: Account, zone: str) -> dict[str, Any]:
    occurrence, details = found.occurrence, found.occurrence.details
    made_in = occurrence.appointment.zone
    elsewhere = not occurrence.all_day and any(
        local(each, made_in) != each.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for each in (occurrence.start, occurrence.end)
    )
    original = occurrence.recurrence_id
    moved = occurrence.is_exception and original is not None and original != occurrence.start
    others = seen_detail.shared_with(found, whose.others_beside(account, found.operator))
    return {
        "title": details.subject or _("(no subject)"),
        "details": details,
        "is_cancelled": details.cancelled or occurrence.appointment.details.cancelled,
        "is_kept": found.is_kept,
        "is_series": original is not None,
        "is_exception": occurrence.is_exception,
        "moved_from": _moment(original, zone) if moved and original else "",
        "when_made": words.when_where_made(occurrence) if elsewhere else "",
        "zone_made": words.zone_name(made_in),
        "sensitivity": _translated(words.SENSITIVITY[details.sensitivity.value]),
        "attendees": [_attendee(each) for each in details.attendees],
        "response": _translated(words.RESPONSES[details.response.value][0]),
        "join": join_link(details),
        "warnings": [words.warning(each) for each in occurrence.appointment.warnings],
        "calendars": [whose.name_of(each) for each in others],
    }


def _translated(text: str) -> str:
    return _(text) if text else ""


def _moment(instant: datetime, zone: str) -> str:
    at = instant.astimezone(ZoneInfo(zone))
    return f"{words.day(at.date())}, {at:%H:%M}"


def _attendee(attendee: Attendee) -> dict[str, str]:
    response, tone = words.RESPONSES[attendee.response.value]
    return {
        "name": attendee.name or attendee.email,
        "email": attendee.email if attendee.name else "",
        "role": _(words.ROLES[attendee.role.value]),
        "response": _(response),
        "tone": tone,
    }


def _explanation(found: Found) -> dict[str, Any]:
    told = explain(found.operator, found.occurrence.appointment.uid)
    return {"explanation": told, "state_words": STATE_WORDS.get(told.state, told.state)}
