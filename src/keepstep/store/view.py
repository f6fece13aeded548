"""What a round reads of the store before it decides. Valid as long as its fence is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from keepstep.core.decisions import KnownRecord, KnownRow, RowState, Version
from keepstep.core.rules import Rule, rule_of
from keepstep.store.lookups import among
from keepstep.store.models import Appointment, LeftOut, Quarantine
from keepstep.store.rows import known_row, unpack


def known(mailbox_id: int, item_ids: Iterable[str]) -> dict[str, KnownRow]:
    """Give the rows of these items, by item id (records of a series' past apart)."""
    rows = Appointment.objects.filter(
        among("item_id", set(item_ids)), mailbox_id=mailbox_id, part=0
    )
    return {row.item_id: known_row(row) for row in rows}


def twins(mailbox_id: int, uids: Iterable[str]) -> dict[str, list[KnownRow]]:
    """Give the rows of these UIDs, removed ones included, records apart."""
    found: dict[str, list[KnownRow]] = {}
    rows = Appointment.objects.filter(among("uid", set(uids)), mailbox_id=mailbox_id, part=0)
    for row in rows.exclude(state=RowState.RECORD):
        found.setdefault(row.uid, []).append(known_row(row))
    return found


def records(mailbox_id: int, uids: Iterable[str]) -> dict[str, list[KnownRecord]]:
    """Give the records of a series' past, by UID."""
    found: dict[str, list[KnownRecord]] = {}
    rows = Appointment.objects.filter(
        among("uid", set(uids)), mailbox_id=mailbox_id, state=RowState.RECORD
    )
    for row in rows:
        found.setdefault(row.uid, []).append(KnownRecord(row.pk, *unpack(row)))
    return found


def left_out(mailbox_id: int, item_ids: Iterable[str]) -> dict[Version, Rule]:
    """Give the versions in which these items were read and left out, with the rule."""
    found: dict[Version, Rule] = {}
    columns = ("item_id", "change_key", "last_modified", "rule")
    rows = LeftOut.objects.filter(among("item_id", set(item_ids)), mailbox_id=mailbox_id)
    for item_id, change_key, modified, rule in rows.values_list(*columns):
        found[item_id, change_key, modified] = rule_of(rule)
    return found


def quarantined(mailbox_id: int) -> list[str]:
    """Give the ids of the items that are set aside."""
    return list(Quarantine.objects.filter(mailbox_id=mailbox_id).values_list("item_id", flat=True))


def pending(mailbox_id: int) -> list[KnownRow]:
    """Give the rows whose removal waits for the round's end."""
    rows = Appointment.objects.filter(mailbox_id=mailbox_id, part=0, state=RowState.PENDING)
    return [known_row(row) for row in rows]


def absent(mailbox_id: int, full_round: int, boundary: datetime) -> list[KnownRow]:
    """Give the live upcoming rows that the full round of this number has not listed."""
    rows = _upcoming(mailbox_id, boundary).filter(state=RowState.LIVE, listed_in__lt=full_round)
    return [known_row(row) for row in rows]


def ahead(mailbox_id: int, boundary: datetime) -> list[KnownRow]:
    """Give the rows of the calendar that end after the boundary, in whatever state."""
    return [
        known_row(row) for row in _upcoming(mailbox_id, boundary).exclude(state=RowState.REMOVED)
    ]


def upcoming(mailbox_id: int, boundary: datetime, made_before: datetime) -> int:
    """Count the upcoming appointments that were in the calendar before `made_before`."""
    rows = _upcoming(mailbox_id, boundary).filter(state__in=(RowState.LIVE, RowState.PENDING))
    return rows.filter(created_at__lt=made_before).count()


def live_items(mailbox_id: int) -> int:
    """Count the live rows of the mailbox."""
    return Appointment.objects.filter(mailbox_id=mailbox_id, state=RowState.LIVE).count()


def _upcoming(mailbox_id: int, boundary: datetime) -> QuerySet[Appointment]:
    ahead = Q(span_end__isnull=True) | Q(span_end__gt=boundary)
    return Appointment.objects.filter(ahead, mailbox_id=mailbox_id, part=0)
