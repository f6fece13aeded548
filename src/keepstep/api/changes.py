"""The changes feed: what became of appointments, in order, so that a reader can follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from keepstep.api import metrics
from keepstep.api.callers import CALENDAR_USERS, caller_of, opens
from keepstep.api.schemas import ChangeEntries, Latest
from keepstep.core.scopes import Scope
from keepstep.store import feed
from keepstep.store.feed import Change
from keepstep.store.identity import Names
from keepstep.store.seen import SeenOperator
from keepstep.store.seen_full import summaries
from keepstep.store.settings import load
from keepstep.store.viewers import as_seen, may_be_seen

router = Router(tags=["changes"])
reads = opens(Scope.READ_CALENDAR, CALENDAR_USERS)

MOST_EXPANDED = 500


@router.get("/changes", response=ChangeEntries, **reads)
def listing(
    request: HttpRequest,
    cursor: Annotated[str, Query("", max_length=400, description="None: the oldest kept.")] = "",
    limit: Annotated[int, Query(1000, ge=1, le=feed.MOST)] = 1000,
    expand: Annotated[
        bool, Query(False, description=f"With how each stands now; {MOST_EXPANDED} at most.")
    ] = False,
) -> HttpResponse:
    """Give what changed after the cursor; keep `next` and ask again from there.

    The order never changes and nothing is left out. The same appointment may come several times:
    only how it stands now counts. A cursor that is too old is answered with 410.
    """
    caller, now = caller_of(request), datetime.now(UTC)
    kept = timedelta(days=load(with_secrets=False).history_days)
    place = feed.open_cursor(cursor, now, kept) if cursor else feed.beginning(now)
    visible = may_be_seen(caller.viewer)
    among = None if caller.is_administrator else set(visible.values_list("mailbox", flat=True))
    found = feed.read(place, min(limit, MOST_EXPANDED) if expand else limit, now, among)
    named = visible.filter(mailbox__in={each.mailbox for each in found.changes})
    members = as_seen(caller.viewer, named)
    metrics.note_changes(len(found.changes))
    document = {
        "items": entries(feed.masked(found.changes, members), members, expand=expand),
        "next": found.cursor.text(),
        "more": found.more,
    }
    # Not by the schema, which would take longer than all the rest.
    return HttpResponse(json.dumps(document), content_type="application/json")


@router.get("/changes/latest", response=Latest, **reads)
def latest(request: HttpRequest) -> object:
    """Give the cursor after all that is known now: take it first, then read the appointments."""
    return {"next": feed.end(datetime.now(UTC)).text()}


def entries(
    changes: Sequence[Change], members: Sequence[SeenOperator], *, expand: bool
) -> list[dict[str, object]]:
    """Give entries as the API tells them; those of operators who are gone are left out."""
    names = Names()
    operators = {each.operator.mailbox.pk: each.operator.pk for each in members}
    stands = summaries(members, [each[:2] for each in changes], names) if expand else {}
    told: list[dict[str, object]] = []
    for each in changes:
        if each.mailbox not in operators:
            continue
        entry: dict[str, object] = {
            "at": each.at.isoformat().replace("+00:00", "Z"),
            "event": each.event.value,
            "operator_id": operators[each.mailbox],
            "appointment": names.of(each.mailbox, each.uid),
        }
        if expand:
            entry["state"] = stands[each.mailbox, each.uid]
        told.append(entry)
    return told
