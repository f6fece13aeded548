"""What the calendar draws, as JSON: only what the one who looks may see is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _

from keepstep.core.roles import Role
from keepstep.core.shown_times import WallClock, drawn, utc_offset
from keepstep.store import seen
from keepstep.store.calendar import window
from keepstep.store.seen import Entry, SeenOperator, Time
from keepstep.web.access import account_of, allow, methods
from keepstep.web.calendar import asked, whose

# The length of a date and time in ISO 8601, to the second, without an offset.
_SECONDS = len("2026-11-24T09:00:00")


@allow(Role.ADMINISTRATOR, Role.OPERATOR)
@methods("GET")
def events(request: HttpRequest) -> HttpResponse:
    """Answer with what is on the days `start` to `end` (exclusive) in the calendar of `who`.

    Times are wall times of `zone`, so that they can be drawn as they are. With an ETag: the answer
    to one who has it already is 304.
    """
    days = asked.read_days(request)
    if days is None:
        return JsonResponse({"error": _("These days can't be shown at once.")}, status=400)
    chosen = whose.resolve(account_of(request), request.GET.get("who", ""))
    if chosen is None:
        return JsonResponse({"error": _("There is no such calendar.")}, status=404)
    zone = asked.zone_asked(request) or chosen.time_zone
    shown = window(zone, *days)
    cancelled = request.GET.get("cancelled") == "1"
    document = {
        "zone": zone,
        "offset": utc_offset(datetime.now(UTC), ZoneInfo(zone)),
        **as_document(
            seen.entries(chosen.members, shown, include_cancelled=cancelled),
            chosen.members,
            WallClock(ZoneInfo(zone), shown.start, shown.end),
        ),
    }
    return _answer(request, json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def as_document(
    found: Sequence[Entry], members: Sequence[SeenOperator], clock: WallClock
) -> dict[str, Any]:
    """Give entries as what JSON holds; fields that are false or empty are left out.

    `operators` of an entry count in the list of operators. Its `times` are lists of start and end
    by the clock, the original start that names an occurrence of a series, and the times in words
    where they can't be drawn as they are.
    """
    numbers = {each.operator.pk: number for number, each in enumerate(members)}
    return {
        "operators": [
            {"name": whose.name_of(each.operator), "email": each.operator.email} for each in members
        ],
        "entries": [_entry(each, numbers, clock) for each in found],
    }


def _entry(entry: Entry, numbers: Mapping[int, int], clock: WallClock) -> dict[str, Any]:
    fields = {
        "row": entry.row,
        "operators": [numbers[each] for each in entry.operators],
        "subject": entry.subject,
        "location": entry.location,
        "show_as": entry.show_as,
        "cancelled": entry.is_cancelled,
        "declined": entry.is_declined,
        "private": entry.is_private,
        "withheld": entry.is_withheld,
        "exception": entry.is_exception,
        "kept": entry.is_kept,
        "times": [_time(each, clock) for each in entry.times],
    }
    return {name: value for name, value in fields.items() if value}


def _time(time: Time, clock: WallClock) -> list[str]:
    original = asked.write_original(time.original) if time.original else ""
    if time.first_day is not None and time.last_day is not None:
        return [time.first_day.isoformat(), time.last_day.isoformat(), original]
    start, end, is_exact = drawn(time.start, time.end, clock)
    shown = [start.isoformat()[:_SECONDS], end.isoformat()[:_SECONDS], original]
    if not is_exact:
        shown.append(clock_words(time, clock))
    return shown


def clock_words(time: Time, clock: WallClock) -> str:
    """Give when it begins and ends by the clock, in figures."""
    begins = f"{clock(time.start):%H:%M}"
    return f"{begins} - {clock(time.end):%H:%M}" if time.end > time.start else begins


def _answer(request: HttpRequest, text: str) -> HttpResponse:
    content = text.encode("utf-8", "replace")
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if etag in known:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(content, content_type="application/json")
    response.headers["ETag"] = etag
    return response
