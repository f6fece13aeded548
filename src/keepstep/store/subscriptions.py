"""Subscriptions as they are stored: what there is, what was made, refused, ended, heard of.

An address of the listener is `address_key` and a signature by the secret key: whoever does not
know the key can make none, and a forged one is told without a look into the database.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac

from keepstep.core.delivery import Standing, Watched, Way
from keepstep.store.models import Mailbox, Subscription, WayTrouble
from keepstep.store.runs import SYSTEM

_TIME_BYTES = 4
_KEY_BYTES = 18
_SIGNATURE_BYTES = 18
_AT_ONCE = 500


def new_address_key(at: datetime) -> str:
    """Give the part of an address that is one subscription's own: 24 letters, by time and chance.

    `at` (aware) is the present.
    """
    made = int(at.timestamp()).to_bytes(_TIME_BYTES, "big")
    return base64.urlsafe_b64encode(made + secrets.token_bytes(_KEY_BYTES - _TIME_BYTES)).decode()


def made_at(address_key: str) -> datetime:
    """Give when an address of ours was made, in UTC, to the second."""
    made = base64.urlsafe_b64decode(address_key)[:_TIME_BYTES]
    return datetime.fromtimestamp(int.from_bytes(made, "big"), UTC)


def token_of(address_key: str) -> str:
    """Give the last part of the listener's address: 48 letters that nobody else can make."""
    return address_key + base64.urlsafe_b64encode(_signature(address_key)).decode()


def address_key_of(token: str) -> str | None:
    """Give the key of an address that we made, None for any other text."""
    length = 4 * _KEY_BYTES // 3
    if len(token) != length + 4 * _SIGNATURE_BYTES // 3:
        return None
    key, signature = token[:length], token[length:]
    try:
        given = base64.b64decode(signature, altchars=b"-_", validate=True)
        expected = _signature(key)
    except (binascii.Error, ValueError):
        return None
    return key if constant_time_compare(given, expected) else None


def _signature(address_key: str) -> bytes:
    mac = salted_hmac("keepstep.listener", address_key, algorithm="sha256")
    return bytes(mac.digest()[:_SIGNATURE_BYTES])


_OF_WATCHED = (
    "id",
    "operator__email",
    "operator__time_zone",
    "operator__calendar_sync",
    "operator__access_group",
    "last_success",
    "folder_id",
    "address",
    "subscription__retry_at",
)
_OF_STANDING = (
    "subscription__way",
    "subscription__subscription_id",
    "subscription__folder_id",
    "subscription__address",
    "subscription__watermark",
    "subscription__subscribed_at",
    "subscription__heard_at",
)


def watched(
    contexts: Iterable[str],
    ours: Container[int],
    *,
    standing_only: bool = False,
    after: int = 0,
    most: int | None = None,
) -> list[Watched]:
    """Give each mailbox that is to be told of, or that has a subscription, by its number.

    `contexts` are access groups, or "system" for all: those that a job synchronizes. `ours` are
    the mailboxes whose subscriptions this process made. `standing_only` leaves out those that have
    none. Of the mailboxes with a number above `after` the first are given, so many at `most`.
    """
    groups = frozenset(contexts)
    chosen = Q(subscription__isnull=False)
    if not standing_only:
        concerned = Q(operator__calendar_sync=True, last_success__isnull=False)
        if SYSTEM not in groups:
            concerned &= Q(operator__access_group__in=groups)
        chosen |= concerned
    # Rows rather than models: all of them are looked at again and again.
    found = Mailbox.objects.filter(chosen, id__gt=after).order_by("id")
    rows = found.values_list(*_OF_WATCHED, *_OF_STANDING)[:most]
    return [_watched(each, groups, ours) for each in rows]


def _watched(row: Sequence[Any], groups: frozenset[str], ours: Container[int]) -> Watched:
    number, email, zone, sync, group, success, folder, address, retry_at, *standing = row
    wanted = (
        sync
        and (SYSTEM in groups or group in groups)
        and success is not None
        and bool(folder)
        and address.casefold() == email.casefold()
    )
    return Watched(
        mailbox_id=number,
        address=email,
        time_zone=zone,
        folder_id=folder,
        wanted=wanted,
        standing=_standing(standing, ours=number in ours) if standing[0] else None,
        retry_at=retry_at,
    )


def _standing(values: Sequence[Any], *, ours: bool) -> Standing:
    way, subscription_id, folder_id, address, watermark, subscribed_at, heard_at = values
    assert subscribed_at is not None, "it is noted with the way"
    return Standing(
        way=Way(way),
        subscription_id=subscription_id,
        folder_id=folder_id,
        address=address,
        watermark=watermark,
        subscribed_at=subscribed_at,
        heard_at=heard_at,
        ours=ours,
    )


def ways(among: Sequence[int] | None = None) -> dict[int, str]:
    """Give the way of each subscription that stands, by mailbox; `among` these, or of all."""
    rows = Subscription.objects.exclude(way="")
    if among is not None:
        rows = rows.filter(mailbox__in=among)
    return dict(rows.values_list("mailbox_id", "way"))


@dataclass(frozen=True, slots=True)
class Known:
    """What the listener needs to know of a push subscription."""

    mailbox_id: int
    address_key: str
    subscription_id: str
    watermark: str


def pushed() -> list[Known]:
    """Give the push subscriptions that stand."""
    rows = Subscription.objects.filter(way=Way.PUSH)
    columns = ("mailbox_id", "address_key", "subscription_id", "watermark")
    return [Known(*each) for each in rows.values_list(*columns)]


@dataclass(frozen=True, slots=True)
class Made:
    """A subscription that was just made. `address_key` is "" for a stream's."""

    mailbox_id: int
    way: Way
    subscription_id: str
    address: str
    folder_id: str
    watermark: str = ""
    address_key: str = ""


def note_made(made: Iterable[Made], at: datetime) -> None:
    """Note subscriptions that Exchange made at `at` (UTC), in place of those before.

    A mailbox that was removed meanwhile is left out.
    """
    rows = {each.mailbox_id: each for each in made}
    with transaction.atomic():
        present = Mailbox.objects.filter(id__in=rows).values_list("id", flat=True)
        _put(
            Subscription(
                mailbox_id=each,
                way=rows[each].way,
                subscription_id=rows[each].subscription_id,
                address_key=rows[each].address_key,
                address=rows[each].address,
                folder_id=rows[each].folder_id,
                watermark=rows[each].watermark,
                subscribed_at=at,
            )
            for each in present
        )


def note_refused(mailbox_id: int, code: str, retry_at: datetime) -> None:
    """Note why the mailbox has no subscription, and when it is asked for again."""
    with transaction.atomic():
        if Mailbox.objects.filter(id=mailbox_id).exists():
            _put([Subscription(mailbox_id=mailbox_id, code=code, retry_at=retry_at)])
            uncover([mailbox_id])


def _put(rows: Iterable[Subscription]) -> None:
    columns = [each.name for each in Subscription._meta.fields if each.name not in ("id",)]
    Subscription.objects.bulk_create(
        rows,
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["mailbox"],
        update_fields=[name for name in columns if name != "mailbox"],
    )


def end(mailbox_ids: Sequence[int]) -> None:
    """Forget the subscriptions of these mailboxes: they are polled at the job's schedule."""
    with transaction.atomic():
        for some in _some(mailbox_ids):
            Subscription.objects.filter(mailbox__in=some).delete()
            uncover(some)


def begin_anew() -> None:
    """Forget what a process before has heard: no mailbox is covered until it is heard of again.

    Its streams ended with it; its push subscriptions stay, to be renewed from their watermarks.
    """
    with transaction.atomic():
        Subscription.objects.exclude(way=Way.PUSH).delete()
        Mailbox.objects.filter(covered_until__isnull=False).update(covered_until=None)


def cover(mailbox_ids: Sequence[int], heard_at: datetime, until: datetime) -> None:
    """Note that these mailboxes were heard of, and until when that covers them."""
    with transaction.atomic():
        for some in _some(mailbox_ids):
            Subscription.objects.filter(mailbox__in=some).update(heard_at=heard_at)
            Mailbox.objects.filter(id__in=some).update(covered_until=until)


def uncover(mailbox_ids: Sequence[int], until: datetime | None = None) -> None:
    """Note that these are covered no longer than `until` (None: not at all)."""
    for some in _some(mailbox_ids):
        chosen = Mailbox.objects.filter(id__in=some)
        if until is not None:
            chosen = chosen.filter(covered_until__gt=until)
        chosen.update(covered_until=until)


@dataclass(frozen=True, slots=True)
class Heard:
    """A push subscription was heard of: up to which watermark it told, and until when it covers."""

    mailbox_id: int
    address_key: str
    watermark: str
    at: datetime
    covered_until: datetime


def note_heard(heard: Iterable[Heard]) -> None:
    """Note what the listener heard; what was renewed since then is left alone."""
    adapt = connection.ops.adapt_datetimefield_value
    rows = list(heard)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE store_subscription SET heard_at = %s, watermark = %s"
            " WHERE mailbox_id = %s AND address_key = %s",
            [(adapt(each.at), each.watermark, each.mailbox_id, each.address_key) for each in rows],
        )
        cursor.executemany(
            "UPDATE store_mailbox SET covered_until = %s WHERE id = %s AND EXISTS (SELECT 1 FROM"
            " store_subscription WHERE mailbox_id = %s AND address_key = %s)",
            [
                (adapt(each.covered_until), each.mailbox_id, each.mailbox_id, each.address_key)
                for each in rows
            ],
        )


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a way does not serve for this server: a code of the catalogue, since when (UTC)."""

    way: Way
    code: str
    detail: str
    since: datetime


def note_troubles(troubles: Iterable[Trouble]) -> None:
    """Note which ways do not serve; one that is not named serves, or was not tried."""
    named = {each.way: each for each in troubles}
    with transaction.atomic():
        WayTrouble.objects.exclude(way__in=named).delete()
        for way, each in named.items():
            known = {"code": each.code, "detail": each.detail[:500], "since": each.since}
            WayTrouble.objects.update_or_create(way=way, defaults=known)


def troubles() -> list[Trouble]:
    """Give which ways do not serve, and why."""
    rows = WayTrouble.objects.order_by("way").values_list("way", "code", "detail", "since")
    return [Trouble(Way(way), code, detail, since) for way, code, detail, since in rows]


def _some(mailbox_ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (mailbox_ids[start : start + _AT_ONCE] for start in range(0, len(mailbox_ids), _AT_ONCE))
