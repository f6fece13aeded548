"""The health page: how the mailboxes stand, without naming anyone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse

from keepstep import __version__
from keepstep.core.delivery import known_in_step
from keepstep.core.schedule import Status, status
from keepstep.store.models import Mailbox
from keepstep.store.settings import load
from keepstep.store.upgrade import Tables, tables
from keepstep.web.access import public


@public
def live(request: HttpRequest) -> HttpResponse:
    """Answer that this process answers; nothing else is looked at."""
    return HttpResponse("ok", content_type="text/plain")


@public
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the database serves, with the schema that this version needs; else 503."""
    try:
        is_ready = tables() in {Tables.CURRENT, Tables.NEWER}
    except DatabaseError:
        is_ready = False
    words, status = ("ready", 200) if is_ready else ("not ready", 503)
    return HttpResponse(words, content_type="text/plain", status=status)


@public
def health(request: HttpRequest) -> JsonResponse:
    """Answer with the number of mailboxes by status, and how old the oldest news is.

    A mailbox that Exchange tells of counts as behind by nothing: see `known_in_step`.
    """
    frequency = timedelta(minutes=load().notification_frequency)
    now = datetime.now(UTC)
    counts: Counter[str] = Counter({each.value: 0 for each in Status})
    oldest: datetime | None = None
    in_step: datetime | None = None
    columns = ("operator__calendar_sync", "last_success", "failing_since", "covered_until")
    for enabled, last_success, failing_since, covered in Mailbox.objects.values_list(*columns):
        counts[
            status(
                enabled=enabled,
                last_success=last_success,
                failing_since=failing_since,
                now=now,
                notification_frequency=frequency,
            )
        ] += 1
        if enabled and last_success is not None:
            oldest = min(oldest or last_success, last_success)
            failing = failing_since is not None
            known = known_in_step(last_success, covered, failing=failing, now=now)
            in_step = min(in_step or known, known)
    behind = (now - oldest).total_seconds() if oldest else None
    return JsonResponse(
        {
            "status": "ok",
            "version": __version__,
            "mailboxes": counts,
            "seconds_since_the_oldest_success": behind,
            "seconds_behind": (now - in_step).total_seconds() if in_step else None,
        }
    )
