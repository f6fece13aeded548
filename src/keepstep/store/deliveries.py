"""What webhooks are to be told: taken from the changes feed, kept until it was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from keepstep.core.errors import KeepstepError
from keepstep.core.feed import Cursor
from keepstep.core.redelivery import again_at
from keepstep.core.roles import Role, Viewer
from keepstep.store import feed
from keepstep.store.calendar import instant
from keepstep.store.feed import Change
from keepstep.store.identity import Names
from keepstep.store.models import Delivery, Mailbox, Webhook
from keepstep.store.secrets import decrypt
from keepstep.store.viewers import as_seen, may_be_seen

AT_ONCE = 200
# More are not made: what is not is safe in the feed.
MOST_WAITING = 2000
_LOOKED_AT = 1000
_LONGEST_PROBLEM = 500


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook to which things are sent: where, and the secret that signs them."""

    number: int
    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be tried now. `body` is what is sent, JSON."""

    number: int
    body: dict[str, Any]
    attempts: int


def targets() -> list[Target]:
    """Give the webhooks that are on. Raises UsageError where a secret can't be decrypted."""
    return [
        Target(each.pk, each.url, decrypt(f"the secret of webhook {each.pk}", each.secret))
        for each in Webhook.objects.filter(enabled=True)
    ]


def make(webhook: int, now: datetime, kept: timedelta) -> bool:
    """Make deliveries of the next changes in the feed; say whether there are more of them.

    Deliveries and how far the webhook has come are written together, or not at all. `kept` is for
    how long history is kept: where changes are gone already, it goes on with the oldest that is.
    """
    with transaction.atomic():
        hook = Webhook.objects.select_for_update().filter(pk=webhook, enabled=True).first()
        if hook is None:
            return False
        waiting = Delivery.objects.filter(webhook=webhook, dead_at=None).count()
        if waiting >= MOST_WAITING:
            return False
        found = feed.read(_place(hook, now, kept), AT_ONCE, now, None)
        wanted = _wanted(found.changes, hook.events)
        Delivery.objects.bulk_create(_made(hook, wanted, now))
        text = found.cursor.text()
        if text != hook.cursor:
            Webhook.objects.filter(pk=webhook).update(cursor=text)
    return found.more


def due(webhook: int, now: datetime, limit: int) -> list[Due]:
    """Give the deliveries to be tried now: of each operator only the oldest that is not taken.

    So one operator's changes come in order, and one that fails keeps none of another's waiting.
    """
    waiting = Delivery.objects.filter(webhook=webhook, dead_at=None).order_by("pk")
    first: dict[int, tuple[int, datetime]] = {}
    rows = waiting.values_list("pk", "mailbox_id", "next_attempt")[:_LOOKED_AT]
    for number, mailbox, at in rows:
        first.setdefault(mailbox, (number, at))
    chosen = [number for number, at in first.values() if at <= now][:limit]
    found = Delivery.objects.filter(pk__in=chosen).order_by("pk")
    return [Due(each.pk, each.body, each.attempts) for each in found]


def note_taken(webhook: int, delivery: int, now: datetime) -> None:
    """Note that a delivery was taken: it is gone."""
    Delivery.objects.filter(pk=delivery).delete()
    Webhook.objects.filter(pk=webhook).update(last_success_at=now)


def note_failed(delivery: Due, problem: str, now: datetime, chance: float) -> bool:
    """Note why a delivery was not taken; say whether it is given up. `chance` is of 0 to 1."""
    attempts = delivery.attempts + 1
    again = again_at(attempts, now, chance)
    Delivery.objects.filter(pk=delivery.number).update(
        attempts=attempts,
        problem=problem[:_LONGEST_PROBLEM],
        next_attempt=again or now,
        dead_at=None if again else now,
    )
    return again is None


def _place(hook: Webhook, now: datetime, kept: timedelta) -> Cursor:
    try:
        return feed.open_cursor(hook.cursor, now, kept)
    except KeepstepError:
        return feed.beginning(now)


def _wanted(changes: Sequence[Change], events: Sequence[str]) -> list[Change]:
    # A receiver is told what an administrator may hear of others' calendars.
    mailboxes = {each.mailbox for each in changes}
    viewer = Viewer(Role.ADMINISTRATOR)
    members = as_seen(viewer, may_be_seen(viewer).filter(mailbox__in=mailboxes))
    told = feed.masked(changes, members)
    return [each for each in told if not events or each.event.value in events]


def _made(hook: Webhook, changes: Sequence[Change], now: datetime) -> list[Delivery]:
    names = Names()
    by_mailbox: dict[int, list[Change]] = {}
    for each in changes:
        by_mailbox.setdefault(each.mailbox, []).append(each)
    operators = dict(Mailbox.objects.filter(pk__in=by_mailbox).values_list("pk", "operator_id"))
    return [
        Delivery(
            webhook=hook,
            mailbox_id=mailbox,
            created_at=now,
            next_attempt=now,
            body={
                "type": "appointments.changed",
                "operator_id": operators[mailbox],
                "events": [
                    {
                        "at": instant(each.at),
                        "event": each.event.value,
                        "appointment": names.of(mailbox, each.uid),
                    }
                    for each in of
                ],
            },
        )
        for mailbox, of in by_mailbox.items()
        if mailbox in operators
    ]
