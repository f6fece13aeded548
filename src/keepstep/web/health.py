"""The health page: how the mailboxes stand, without naming anyone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, JsonResponse

from keepstep import __version__
from keepstep.core.schedule import Status, status
from keepstep.store.models import Mailbox
from keepstep.store.settings import load
from keepstep.web.access import public


@public
def health(request: HttpRequest) -> JsonResponse:
    """Answer with the number of mailboxes by status and the age of the oldest success."""
    frequency = timedelta(minutes=load().notification_frequency)
    now = datetime.now(UTC)
    counts: Counter[str] = Counter({each.value: 0 for each in Status})
    oldest: datetime | None = None
    columns = ("operator__calendar_sync", "last_success", "failing_since")
    for enabled, last_success, failing_since in Mailbox.objects.values_list(*columns):
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
    behind = (now - oldest).total_seconds() if oldest else None
    return JsonResponse(
        {
            "status": "ok",
            "version": __version__,
            "mailboxes": counts,
            "seconds_since_the_oldest_success": behind,
        }
    )
