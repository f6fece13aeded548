"""Webhooks: addresses that are told of appointment changes, and what they are to be told."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Count, Q

from keepstep.core.addresses import is_inside
from keepstep.core.errors import UsageError
from keepstep.core.feed import Event
from keepstep.core.signing import SECRET_BYTES, secret_of
from keepstep.store import audit, feed
from keepstep.store.fields import sentence, shown
from keepstep.store.models import Delivery, Webhook
from keepstep.store.secrets import encrypt
from keepstep.store.setting_rules import asked_url
from keepstep.store.settings import load

MOST_WEBHOOKS = 50
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ShownWebhook:
    """A webhook as a person sees it; never its secret. All instants are UTC.

    `events` empty: all. `waiting` and `dead` count deliveries, `problem` is the latest failure.
    """

    number: int
    url: str
    events: tuple[str, ...]
    enabled: bool
    created_at: datetime
    last_success_at: datetime | None
    waiting: int
    dead: int
    problem: str


@dataclass(frozen=True, slots=True)
class ShownDelivery:
    """A delivery that was not taken yet: whose changes, how many, and what came of it so far."""

    number: int
    operator: str
    changes: int
    created_at: datetime
    attempts: int
    next_attempt: datetime
    problem: str
    dead_at: datetime | None


def listing() -> list[ShownWebhook]:
    """Give all webhooks, in the order they were added."""
    counted = Webhook.objects.annotate(
        waiting=Count("delivery", filter=Q(delivery__dead_at=None)),
        dead=Count("delivery", filter=Q(delivery__dead_at__isnull=False)),
    )
    failing = Delivery.objects.exclude(problem="").order_by("pk")
    problems = dict(failing.values_list("webhook_id", "problem"))
    return [
        ShownWebhook(
            each.pk,
            each.url,
            tuple(each.events),
            each.enabled,
            each.created_at,
            each.last_success_at,
            each.waiting,
            each.dead,
            problems.get(each.pk, ""),
        )
        for each in counted.order_by("pk")
    ]


def find(number: int) -> ShownWebhook:
    """Give one webhook. Raises UsageError where there is no such one."""
    for each in listing():
        if each.number == number:
            return each
    raise UsageError(f"there is no webhook {number}.")


def add(url: str, events: Sequence[str], now: datetime, *, by: str) -> tuple[int, str]:
    """Add a webhook that is told of what changes from now on; give its number and its secret.

    The secret can't be seen again. `events` are some of `core.feed.Event`, none: all. Raises
    UsageError; nothing is stored then.
    """
    checked, chosen = _checked_url(url), _checked_events(events)
    secret = secret_of(secrets.token_bytes(SECRET_BYTES))
    with transaction.atomic():
        if Webhook.objects.count() >= MOST_WEBHOOKS:
            raise UsageError(f"there are {MOST_WEBHOOKS} webhooks already: delete one first.")
        hook = Webhook.objects.create(
            url=checked,
            secret=encrypt(secret),
            events=chosen,
            created_at=now,
            cursor=feed.end(now).text(),
        )
        changes = {"url": ("", checked), "events": ("", " ".join(chosen))}
        audit.record(by, "webhook.add", str(hook.pk), {**changes, "secret": audit.CHANGED})
    return hook.pk, secret


def change(
    number: int,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    enabled: bool | None = None,
    by: str,
) -> None:
    """Change a webhook, all or nothing; None leaves things as they are. Raises UsageError.

    While it is off nothing is sent; what happens meanwhile is sent once it is on again.
    """
    wanted: dict[str, object] = {}
    if url is not None:
        wanted["url"] = _checked_url(url)
    if events is not None:
        wanted["events"] = _checked_events(events)
    if enabled is not None:
        wanted["enabled"] = enabled
    with transaction.atomic():
        hook = _row(number)
        before = {name: getattr(hook, name) for name in wanted}
        changes = audit.differences(before, wanted)
        if changes:
            Webhook.objects.filter(pk=number).update(**wanted)
            audit.record(by, "webhook.change", str(number), changes)


def renew_secret(number: int, *, by: str) -> str:
    """Give a webhook a new secret, by which all that is sent from now on is signed."""
    secret = secret_of(secrets.token_bytes(SECRET_BYTES))
    with transaction.atomic():
        _row(number)
        Webhook.objects.filter(pk=number).update(secret=encrypt(secret))
        audit.record(by, "webhook.secret", str(number), {"secret": audit.CHANGED})
    return secret


def delete(number: int, *, by: str) -> None:
    """Delete a webhook, with what it was to be told. Raises UsageError."""
    with transaction.atomic():
        hook = _row(number)
        audit.record(by, "webhook.delete", str(number), {"url": (hook.url, None)})
        hook.delete()


def deliveries(number: int) -> list[ShownDelivery]:
    """Give the deliveries of a webhook that failed, those given up first; at most `MOST_SHOWN`."""
    rows = Delivery.objects.filter(webhook=number).exclude(problem="")
    rows = rows.select_related("mailbox__operator").order_by("-dead_at", "pk")
    return [
        ShownDelivery(
            each.pk,
            each.mailbox.operator.email,
            len(each.body["events"]),
            each.created_at,
            each.attempts,
            each.next_attempt,
            each.problem,
            each.dead_at,
        )
        for each in rows[:MOST_SHOWN]
    ]


def replay(number: int, now: datetime, delivery: int | None = None, *, by: str) -> int:
    """Have what was given up, one delivery or all, sent again; give how many there are."""
    with transaction.atomic():
        _row(number)
        dead = Delivery.objects.filter(webhook=number, dead_at__isnull=False)
        if delivery is not None:
            dead = dead.filter(pk=delivery)
        count = dead.update(dead_at=None, attempts=0, next_attempt=now)
        if count:
            audit.record(by, "webhook.replay", str(number), {"deliveries": (0, count)})
    return count


def counts() -> tuple[int, int]:
    """Give how many deliveries wait, and how many were given up."""
    dead = Delivery.objects.filter(dead_at__isnull=False).count()
    return Delivery.objects.count() - dead, dead


def _row(number: int) -> Webhook:
    found = Webhook.objects.filter(pk=number).first()
    if found is None:
        raise UsageError(f"there is no webhook {number}.")
    return found


def _checked_url(text: str) -> str:
    try:
        url = asked_url(text)
        if not url:
            raise ValueError("must not be empty")
    except ValueError as error:
        raise UsageError(sentence([f"url {error}"])) from None
    inside = is_inside(urlsplit(url).hostname or "")
    if inside and not load(with_secrets=False).webhook_private_targets:
        raise UsageError(
            "url leads into this network, which the setting webhook_private_targets forbids.",
            code="webhook-target-forbidden",
        )
    return url


def _checked_events(events: Sequence[str]) -> list[str]:
    known = [each.value for each in Event]
    for each in events:
        if each not in known:
            raise UsageError(f"no event is called {shown(each)}; there are {', '.join(known)}.")
    return [each for each in known if each in events]
