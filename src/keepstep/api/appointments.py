"""Appointments: what the calendars show in a window of days, masked as on the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router

from keepstep.api.callers import CALENDAR_USERS, Caller, caller_of, opens
from keepstep.api.operators import find
from keepstep.api.paging import CursorText, Limit, from_cursor, to_cursor
from keepstep.api.problems import Refused, not_found
from keepstep.api.schemas import Appointments
from keepstep.core.scopes import Scope
from keepstep.store.calendar import DAYS_AHEAD, Window, window
from keepstep.store.identity import Names
from keepstep.store.models import Operator
from keepstep.store.seen import SeenOperator
from keepstep.store.seen_full import Shown, occurrences_of
from keepstep.store.viewers import as_seen, may_be_seen

router = Router(tags=["appointments"])
reads = opens(Scope.READ_CALENDAR, CALENDAR_USERS)

LONGEST = timedelta(days=366)
YEARS = range(1901, 2199)
MOST_NAMED = 100
# So many calendars are looked through for one portion, however little is in them.
MOST_OPERATORS = 200

First = Annotated[
    date | None, Query(None, alias="from", description="The first day; today where left out.")
]
Last = Annotated[
    date | None,
    Query(None, alias="to", description="The day after the last; 31 days ahead if left out."),
]
Cancelled = Annotated[bool, Query(False, description="Cancelled ones, too.")]


@router.get("/appointments", response=Appointments, **reads)
def listing(
    request: HttpRequest,
    limit: Limit,
    cursor: CursorText,
    first: First,
    last: Last,
    include_cancelled: Cancelled,
    operator: Annotated[int | None, Query(None, ge=1, le=2**53, description="By id.")] = None,
    team: Annotated[str | None, Query(None, max_length=400, description="An access group.")] = None,
    appointment: Annotated[
        list[str], Query([], max_length=MOST_NAMED, description="Only these, by id.")
    ] = [],  # noqa: B006 - the library's way to say that there may be none
) -> object:
    """List what the calendars of an operator, of a team, or of all that may be seen show.

    By operator, then by start; days are those of the operator's time zone. A portion may have
    fewer than `limit`, or none: the last one is that whose `next` is null.
    """
    caller, names = caller_of(request), Names()
    operators = _operators(caller, operator, team).order_by("pk")
    place = from_cursor(cursor, int, str, str)
    if place is not None:
        operators = operators.filter(pk__gte=place[0])
    wanted = _by_mailbox(names.find(appointment).values()) if appointment else None
    if wanted is not None:
        operators = operators.filter(mailbox__in=wanted)
    found: list[Shown] = []
    rows = list(operators[: MOST_OPERATORS + 1])
    for member in as_seen(caller.viewer, rows[:MOST_OPERATORS]):
        days = days_of(member, first, last)
        uids = None if wanted is None else wanted[member.operator.mailbox.pk]
        shown = occurrences_of(member, days, names, include_cancelled=include_cancelled, uids=uids)
        found += _after(place, member, shown)
        if len(found) > limit:
            return {"items": found[:limit], "next": _cursor(found[limit - 1])}
    further = rows[MOST_OPERATORS:]
    return {"items": found, "next": to_cursor(further[0].pk, "", "") if further else None}


@router.get("/appointments/{identity}", response=Appointments, **reads)
def one(
    request: HttpRequest,
    identity: str,
    first: First,
    last: Last,
    include_cancelled: Cancelled,
) -> object:
    """Give what is on these days of one appointment: itself, or the occurrences of a series."""
    caller, names = caller_of(request), Names()
    named = names.find([identity]).get(identity)
    operators = may_be_seen(caller.viewer).filter(mailbox=named[0]) if named else ()
    members = as_seen(caller.viewer, operators)
    if named is None or not members:
        raise not_found()
    days = days_of(members[0], first, last)
    shown = occurrences_of(
        members[0], days, names, include_cancelled=include_cancelled, uids=[named[1]]
    )
    return {"items": shown, "next": None}


def _by_mailbox(named: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    uids: dict[int, list[str]] = {}
    for mailbox, uid in named:
        uids.setdefault(mailbox, []).append(uid)
    return uids


def _operators(caller: Caller, operator: int | None, team: str | None) -> QuerySet[Operator]:
    if operator is not None and team is not None:
        raise Refused("api-request-invalid", "give operator or team, not both")
    found = may_be_seen(caller.viewer)
    if operator is not None:
        return found.filter(pk=find(caller, operator).pk)
    if team is not None:
        found = found.filter(access_group=team.replace("\0", ""))
        if not team or not found.exists():
            raise not_found()
    return found


def days_of(member: SeenOperator, first: date | None, last: date | None) -> Window:
    """Give the window of days that is asked for, in the operator's zone. Raises Refused."""
    zone = member.operator.time_zone
    begin = first or datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    if begin.year not in YEARS or (last is not None and last.year not in YEARS):
        raise Refused("api-request-invalid", "from and to must be of the years 1901 to 2198")
    end = last or begin + timedelta(days=DAYS_AHEAD)
    if not timedelta(0) < end - begin <= LONGEST:
        raise Refused("api-request-invalid", f"to must be 1 to {LONGEST.days} days after from")
    return window(zone, begin, end)


def _after(
    place: Sequence[int | str] | None, member: SeenOperator, shown: list[Shown]
) -> list[Shown]:
    if place is None or int(place[0]) != member.operator.pk:
        return shown
    return [each for each in shown if (each["start"], each["id"]) > (place[1], place[2])]


def _cursor(last: Shown) -> str:
    return to_cursor(last["operator_id"], last["start"], last["id"])
