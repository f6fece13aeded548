"""Wrong attempts to sign in to the pages, as django-axes notes them: forgetting them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.db.models import QuerySet
from django.db.models.functions import Lower

KEPT_FOR = timedelta(days=1)


def forget(addresses: Iterable[str]) -> None:
    """Forget the attempts with these e-mail addresses (in lower case)."""
    attempts = AccessAttempt.objects.annotate(key=Lower("username"))
    attempts.filter(key__in=list(addresses)).delete()


def old(now: datetime) -> QuerySet[AccessAttempt]:
    """Give the attempts that hold nobody off any more."""
    found: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(attempt_time__lt=now - KEPT_FOR)
    return found
