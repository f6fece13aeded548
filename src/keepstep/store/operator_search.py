"""Searching operators, in the database: of thousands only one page is read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection
from django.db.models import Case, Count, Exists, F, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower

from keepstep.core.decisions import RowState
from keepstep.core.schedule import Status
from keepstep.store import audit
from keepstep.store.models import Appointment, Operator
from keepstep.store.operators import ShownOperator, overdue_after, show_some, switch_some

LONGEST_TEXT = 200
MOST_WORDS = 8
MOST_PER_PAGE = 500
HELD = "held-mass-removal"
_SEARCHED = ("email", "name", "access_group")
# What needs a person comes first.
_URGENCY = (Status.FAILED, Status.RETRYING, Status.WAITING, Status.IN_STEP, Status.OFF)


class Order(StrEnum):
    """What a list of operators can be sorted by."""

    EMAIL = "email"
    NAME = "name"
    ACCESS_GROUP = "access_group"
    STATUS = "status"
    LAST_SUCCESS = "last_success"


@dataclass(frozen=True, slots=True)
class Search:
    """Whom one looks for. Every word of `text` is part of the address, the name or the group.

    None is: any. An `access_group` of "" is: those in none. `failure_code` is the code shown.
    """

    text: str = ""
    status: Status | None = None
    access_group: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a search found, of `pages`; they are numbered from 1.

    `total` is how many it found. `counts` are those of each status if the search had named no
    status, `matching` their sum.
    """

    rows: list[ShownOperator]
    total: int
    page: int
    pages: int
    counts: dict[Status, int]

    @property
    def matching(self) -> int:
        """Give how many the search would find if it named no status."""
        return sum(self.counts.values())


def search(
    asked: Search,
    now: datetime,
    *,
    page: int = 1,
    per_page: int = 50,
    order: Order = Order.EMAIL,
    descending: bool = False,
) -> Found:
    """Give one page of the operators looked for, as they are at `now` (aware).

    A page beyond the last one gives the last. Costs a handful of queries, however many there are.
    """
    conditions = status_conditions(now, overdue_after())
    matching = _matching(asked)
    counts = _counts(matching, conditions)
    total = sum(counts.values()) if asked.status is None else counts[asked.status]
    per_page = max(1, min(per_page, MOST_PER_PAGE))
    pages = max(1, -(-total // per_page))
    page = max(1, min(page, pages))
    chosen = matching if asked.status is None else matching.filter(conditions[asked.status])
    sorted_rows = chosen.select_related("mailbox").order_by(
        *_order_by(order, conditions, descending=descending)
    )
    rows = list(sorted_rows[(page - 1) * per_page : page * per_page])
    return Found(show_some(rows, now), total, page, pages, counts)


def every(asked: Search, now: datetime) -> list[ShownOperator]:
    """Give all operators looked for, in the order of their addresses."""
    return show_some(list(_chosen(asked, now).select_related("mailbox").order_by("email")), now)


def after(
    asked: Search, now: datetime, among: QuerySet[Operator], number: int, limit: int
) -> list[Operator]:
    """Give at most `limit` of those looked for, with their mailboxes, by their numbers.

    Only those of `among`, and whose number is larger.
    """
    chosen = _chosen(asked, now).filter(pk__gt=number, pk__in=among.values("pk"))
    return list(chosen.select_related("mailbox").order_by("pk")[:limit])


def failing(number: int, limit: int) -> list[Operator]:
    """Give at most `limit` operators that show a failure, by their numbers; those after one."""
    fails = Q(calendar_sync=True) & ~Q(mailbox__failure_code="")
    found = Operator.objects.filter(fails | _shows(HELD), pk__gt=number)
    return list(found.select_related("mailbox").order_by("pk")[:limit])


def switch_found(
    asked: Search, now: datetime, *, on: bool, by: str = audit.COMMAND_LINE
) -> list[Operator]:
    """Switch calendar sync for all looked for (`Search()`: for everybody), in one transaction.

    Gives those for whom it was the other way before.
    """
    return switch_some(_chosen(asked, now), on=on, by=by)


def status_conditions(now: datetime, patience: timedelta) -> dict[Status, Q]:
    """Give for each status the condition that `core.schedule.status` stands for, on operators.

    `patience` is how long a mailbox may fail until it counts as failed.
    """
    on = Q(calendar_sync=True)
    well = on & Q(mailbox__failing_since=None)
    return {
        Status.OFF: Q(calendar_sync=False),
        Status.WAITING: well & Q(mailbox__last_success=None),
        Status.IN_STEP: well & Q(mailbox__last_success__isnull=False),
        Status.RETRYING: on & Q(mailbox__failing_since__gt=now - patience),
        Status.FAILED: on & Q(mailbox__failing_since__lte=now - patience),
    }


def _chosen(asked: Search, now: datetime) -> QuerySet[Operator]:
    matching = _matching(asked)
    if asked.status is None:
        return matching
    return matching.filter(status_conditions(now, overdue_after())[asked.status])


def _matching(asked: Search) -> QuerySet[Operator]:
    """Give those looked for, of whatever status."""
    found = Operator.objects.all()
    for word in _words(asked.text):
        found = found.filter(_contains(word))
    if asked.access_group is not None:
        found = found.filter(access_group=_clean(asked.access_group))
    if asked.failure_code is not None:
        found = found.filter(_shows(_clean(asked.failure_code)))
    return found


def _words(text: str) -> list[str]:
    return _clean(text[:LONGEST_TEXT]).split()[:MOST_WORDS]


def _clean(text: str) -> str:
    """Give text that any database takes: without control characters and half characters."""
    return "".join(
        " " if unicodedata.category(character) in {"Cc", "Cs"} else character for character in text
    )


def _contains(word: str) -> Q:
    lookup, value = "icontains", word
    if connection.vendor == "sqlite" and not word.isascii():
        # LIKE of SQLite knows the case of ASCII letters only, its REGEXP is Python's.
        lookup, value = "iregex", re.escape(word)
    condition = Q()
    for name in _SEARCHED:
        condition |= Q(**{f"{name}__{lookup}": value})
    return condition


def _shows(code: str) -> Q:
    """Give the condition that this failure is shown: the mailbox's, or else a hold."""
    failing = Q(calendar_sync=True) & ~Q(mailbox__failure_code="")
    if code != HELD:
        return failing & Q(mailbox__failure_code=code)
    held = Appointment.objects.filter(mailbox__operator=OuterRef("pk"), state=RowState.HELD)
    return ~failing & Q(Exists(held))


def _counts(matching: QuerySet[Operator], conditions: Mapping[Status, Q]) -> dict[Status, int]:
    counted = matching.aggregate(
        **{each.value: Count("pk", filter=condition) for each, condition in conditions.items()}
    )
    return {each: counted[each.value] for each in Status}


def _order_by(
    order: Order, conditions: Mapping[Status, Q], *, descending: bool
) -> list[Combinable]:
    urgency = Case(
        *(When(conditions[each], then=Value(place)) for place, each in enumerate(_URGENCY))
    )
    sorts: dict[Order, F | Func | Case] = {
        Order.EMAIL: Lower("email"),
        Order.NAME: Lower("name"),
        Order.ACCESS_GROUP: Lower("access_group"),
        Order.STATUS: urgency,
        Order.LAST_SUCCESS: F("mailbox__last_success"),
    }
    first = sorts[order]
    # Who never was in step counts as the longest ago, on every database.
    ordered = first.desc(nulls_last=True) if descending else first.asc(nulls_first=True)
    return [ordered] if order is Order.EMAIL else [ordered, Lower("email").asc()]
