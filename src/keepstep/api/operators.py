"""Operators: with their sync status; added, changed, erased, synchronized now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja import Status as Answered

from keepstep.api import schemas
from keepstep.api.callers import ADMINISTRATORS, CALENDAR_USERS, Caller, caller_of, opens
from keepstep.api.paging import CursorText, Limit, Number, number_before, to_cursor
from keepstep.api.problems import Refused, not_found
from keepstep.api.schemas_running import Begun
from keepstep.core.failures import FAILURES
from keepstep.core.schedule import Status
from keepstep.core.scopes import Scope
from keepstep.store import erasure, operator_search, operators
from keepstep.store.models import Operator
from keepstep.store.operator_search import Search
from keepstep.store.operators import ShownOperator, show_some
from keepstep.store.viewers import may_be_seen
from keepstep.sync.background import Reporter, start
from keepstep.sync.service import API, sync_now, verify_now

router = Router(tags=["operators"])
reads = opens(Scope.READ_OPERATORS, CALENDAR_USERS)
writes = opens(Scope.WRITE_OPERATORS, ADMINISTRATORS)


@router.get("/operators", response=schemas.Operators, **reads)
def listing(
    request: HttpRequest,
    limit: Limit,
    cursor: CursorText,
    status: Status | None = None,
    access_group: str | None = None,
    failure: Annotated[str | None, Query(None, description="The code of a failure.")] = None,
    text: Annotated[str, Query("", max_length=200, description="In address, name, group.")] = "",
) -> object:
    """List the operators by id: an administrator all, an operator those whose calendars show."""
    caller, now = caller_of(request), datetime.now(UTC)
    asked = Search(text, status, access_group, failure if caller.is_administrator else None)
    among = may_be_seen(caller.viewer)
    found = operator_search.after(asked, now, among, number_before(cursor) or 0, limit + 1)
    rows, more = found[:limit], len(found) > limit
    shown = show_some(rows, now)
    return {
        "items": [_shown(each, row, caller) for row, each in zip(rows, shown, strict=True)],
        "next": to_cursor(rows[-1].pk) if more else None,
    }


@router.get("/operators/{number}", response=schemas.Operator, **reads)
def one(request: HttpRequest, number: Number) -> object:
    """Give an operator."""
    caller = caller_of(request)
    return _as_it_is(find(caller, number), caller)


@router.post("/operators", response={201: schemas.Operator}, **writes)
def add(request: HttpRequest, new: schemas.NewOperator) -> object:
    """Add an operator, with a mailbox that is read from the next run on."""
    caller = caller_of(request)
    values = _texts(new.dict(exclude={"email"}))
    return Answered(201, _as_it_is(operators.add(new.email, values, by=caller.by), caller))


@router.patch("/operators/{number}", response=schemas.Operator, **writes)
def change(request: HttpRequest, number: Number, wanted: schemas.OperatorChange) -> object:
    """Change fields of an operator, all or none; a new address keeps the appointments."""
    caller = caller_of(request)
    operator = find(caller, number)
    values = _texts(wanted.dict(exclude_none=True))
    if values:
        operators.edit(operator.email, values, by=caller.by)
    return _as_it_is(find(caller, number), caller)


@router.delete("/operators/{number}", response=schemas.Erased, **writes)
def erase(
    request: HttpRequest,
    number: Number,
    confirm: Annotated[str, Query(..., max_length=400, description="The e-mail address.")],
) -> object:
    """Delete all that is known of an operator, for good; the address must be given again."""
    caller = caller_of(request)
    operator = find(caller, number)
    if confirm.strip().casefold() != operator.email.casefold():
        raise Refused("api-not-possible", "confirm is not the e-mail address of this operator")
    erased = erasure.erase(operator.email, by=caller.by)
    erasure.forget_bytes()
    return asdict(erased)


@router.post("/operators/{number}/runs", response={202: Begun}, **writes)
def work(request: HttpRequest, number: Number, wanted: schemas.OperatorWork) -> object:
    """Synchronize or verify one calendar now; full, what is in quarantine is tried again, too."""
    caller = caller_of(request)
    email = find(caller, number).email

    def do(report: Reporter) -> Mapping[str, Any]:
        if wanted.what == "verify":
            result, found = verify_now([email], progress=report.progress, trigger=API)
            drift = [{"uid": each.uid, "what": each.what} for each in found.drift]
            return {**asdict(result), "checked": found.checked, "drift": drift}
        result = sync_now([email], full=wanted.full, progress=report.progress, trigger=API)
        return asdict(result)

    kind = "verify" if wanted.what == "verify" else "run"
    return Answered(202, {"task": start(caller.account, kind, do)})


def find(caller: Caller, number: int) -> Operator:
    """Give an operator whose calendar the caller may look at. Raises Refused."""
    found = may_be_seen(caller.viewer).filter(pk=number).first()
    if found is None:
        raise not_found()
    return found


def _as_it_is(operator: Operator, caller: Caller) -> object:
    (shown,) = show_some([operator], datetime.now(UTC))
    return _shown(shown, operator, caller)


def _shown(shown: ShownOperator, operator: Operator, caller: Caller) -> dict[str, Any]:
    fields = asdict(shown)
    if shown.failure is not None and not caller.is_administrator:
        # What is particular of a failure is for who administers Exchange.
        known = FAILURES.get(shown.failure.code, FAILURES["internal-error"])
        fields["failure"]["message"] = known.message
    return {"id": operator.pk, **fields}


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
