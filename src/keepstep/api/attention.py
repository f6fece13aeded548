"""What fails and what waits for a person: failures, holds, quarantine, the health of the whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router

from keepstep.api import schemas_running as schemas
from keepstep.api.callers import ADMINISTRATORS, OVERSEERS, caller_of, opens
from keepstep.api.operators import find
from keepstep.api.paging import CursorText, Limit, Number, number_before, to_cursor
from keepstep.api.problems import Refused
from keepstep.core.failures import FAILURES
from keepstep.core.scopes import Scope
from keepstep.store import holds, operator_search
from keepstep.store.identity import Names
from keepstep.store.models import Operator, Quarantine
from keepstep.store.operators import by_key, key_of, show_some
from keepstep.store.overview import overview

router = Router(tags=["attention"])
reads = opens(Scope.READ_OPERATORS, ADMINISTRATORS)
writes = opens(Scope.WRITE_OPERATORS, ADMINISTRATORS)


@router.get("/health", response=schemas.Health, **opens(Scope.READ_OPERATORS, OVERSEERS))
def health(request: HttpRequest) -> object:
    """Tell how the whole fares."""
    whole = overview(datetime.now(UTC))
    return {
        "at": whole.at,
        "mailboxes": whole.statuses,
        "behind_slowest": whole.freshness.slowest,
        "failing": [
            {
                "code": each.failure.code,
                "message": each.failure.message,
                "remedy": each.failure.remedy,
                "count": each.count,
                "since": each.since,
            }
            for each in whole.failing
        ],
        "held": sum(each.count for each in whole.held),
        "quarantined": sum(each.count for each in whole.quarantined),
        "appointments": whole.appointments,
    }


@router.get(
    "/failures", response=schemas.FailingOperators, **opens(Scope.READ_OPERATORS, OVERSEERS)
)
def failures(request: HttpRequest, limit: Limit, cursor: CursorText) -> object:
    """List the operators whose mailboxes fail or wait for a decision, by id."""
    now = datetime.now(UTC)
    rows = operator_search.failing(number_before(cursor) or 0, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    items = [
        {
            "operator_id": row.pk,
            "operator": each.email,
            "status": each.status,
            "failure": each.failure,
        }
        for row, each in zip(rows, show_some(rows, now), strict=True)
        if each.failure is not None
    ]
    return {"items": items, "next": to_cursor(rows[-1].pk) if more else None}


@router.get("/holds", response=schemas.Holds, **reads)
def held(request: HttpRequest) -> object:
    """List the removals that are held, by operator; of private ones no subject is told."""
    found = holds.listing(with_private=False)
    known = by_key([key_of(each.operator) for each in found])
    names = Names()
    return {"items": [_hold(each, known[key_of(each.operator)], names) for each in found]}


@router.post("/holds/{number}/release", response=schemas.Decided, **writes)
def release(request: HttpRequest, number: Number) -> object:
    """Let an operator's held removals go, at once; the number is the operator's id."""
    return {"count": holds.release(*_decision(request, number), by=caller_of(request).by)}


@router.post("/holds/{number}/discard", response=schemas.Decided, **writes)
def discard(request: HttpRequest, number: Number) -> object:
    """Keep what was held, marked as no longer in Exchange."""
    return {"count": holds.discard(*_decision(request, number), by=caller_of(request).by)}


@router.get("/quarantine", response=schemas.Quarantine, **reads)
def quarantine(
    request: HttpRequest,
    limit: Limit,
    cursor: CursorText,
    operator: Annotated[int | None, Query(None, ge=1, le=2**53, description="By id.")] = None,
) -> object:
    """List the items that can't be read. To try them again, have a full round (…/runs)."""
    found = Quarantine.objects.select_related("mailbox__operator").order_by("pk")
    found = found.filter(pk__gt=number_before(cursor) or 0)
    if operator is not None:
        found = found.filter(mailbox__operator=find(caller_of(request), operator))
    rows = list(found[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    items = [_set_aside(each) for each in rows]
    return {"items": items, "next": to_cursor(rows[-1].pk) if more else None}


def _decision(request: HttpRequest, number: int) -> tuple[Operator, datetime]:
    operator = find(caller_of(request), number)
    if not holds.listing(operator):
        raise Refused("api-not-possible", "no removal is held for this operator")
    return operator, datetime.now(UTC)


def _hold(hold: holds.Hold, operator: Operator, names: Names) -> dict[str, Any]:
    mailbox = operator.mailbox.pk
    return {
        "operator_id": operator.pk,
        "operator": hold.operator,
        "since": hold.since,
        "count": len(hold.items),
        "items": [
            {
                "appointment": names.of(mailbox, each.uid),
                "subject": each.subject,
                "start": each.start,
            }
            for each in hold.items
        ],
    }


def _set_aside(row: Quarantine) -> dict[str, Any]:
    known = FAILURES.get(row.code, FAILURES["item-unreadable"])
    return {
        "id": row.pk,
        "operator_id": row.mailbox.operator_id,
        "operator": row.mailbox.operator.email,
        "item_id": row.item_id,
        "code": row.code,
        "message": known.message,
        "remedy": known.remedy,
        "since": row.since,
    }
