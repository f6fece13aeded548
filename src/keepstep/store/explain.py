"""Why an appointment is, or is not, in the calendar: what was seen of it, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from keepstep.core.decisions import RowState
from keepstep.core.rules import in_words
from keepstep.store.models import Appointment, History, Operator, Quarantine

NEVER_SEEN = "never-seen"
IN_CALENDAR = "in-calendar"
CANCELLED = "cancelled"
NOT_IN_CALENDAR = "not-in-calendar"
QUARANTINED = "quarantined"

STATE_WORDS = {
    NEVER_SEEN: "Keepstep has never seen it in this operator's Exchange calendar.",
    IN_CALENDAR: "It is in the sales calendar.",
    CANCELLED: "It is cancelled: kept, out of the normal view.",
    NOT_IN_CALENDAR: "It was seen in Exchange and is not in the sales calendar.",
    QUARANTINED: "It can't be read and was set aside.",
    RowState.PENDING.value: "It was deleted in Exchange; the round that saw it goes on.",
    RowState.HELD.value: "Its removal is held until a person releases or discards it.",
    RowState.KEPT.value: "It is in the sales calendar though no longer in Exchange.",
    RowState.RECORD.value: "Only its past occurrences are in the sales calendar.",
    RowState.REMOVED.value: "It was removed from the sales calendar.",
}


@dataclass(frozen=True, slots=True)
class SeenChange:
    """One change seen: when (UTC), what was done, by which rule (its name and its words)."""

    at: datetime
    what: str
    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of one UID or item id; `state` is a key of `STATE_WORDS`."""

    uid: str
    state: str
    changes: tuple[SeenChange, ...]


def explain(operator: Operator, uid_or_item_id: str) -> Explanation:
    """Explain the appointment of this UID, or item id, of the operator; never seen ones too."""
    mailbox_id = operator.mailbox.pk
    named = Q(uid=uid_or_item_id) | Q(item_id=uid_or_item_id)
    rows = Appointment.objects.filter(named, mailbox_id=mailbox_id)
    history = History.objects.filter(named, mailbox_id=mailbox_id).order_by("id")
    uids = {*rows.values_list("uid", flat=True), *history.values_list("uid", flat=True)}
    if uids and uid_or_item_id not in uids:
        named = Q(uid__in=uids)
        rows = Appointment.objects.filter(named, mailbox_id=mailbox_id)
        history = History.objects.filter(named, mailbox_id=mailbox_id).order_by("id")
    changes = tuple(
        SeenChange(each.at, each.what, each.rule, in_words(each.rule)) for each in history
    )
    uid = min(uids) if uids else uid_or_item_id
    return Explanation(uid, _state(mailbox_id, list(rows), list(history)), changes)


def _state(mailbox_id: int, rows: list[Appointment], history: list[History]) -> str:
    item_ids = {each.item_id for each in history}
    aside = Quarantine.objects.filter(mailbox_id=mailbox_id, item_id__in=item_ids)
    main = [row for row in rows if row.part == 0] or rows
    if not main:
        if aside.exists():
            return QUARANTINED
        return NOT_IN_CALENDAR if history else NEVER_SEEN
    row = min(main, key=lambda each: each.state == RowState.REMOVED)
    if row.state == RowState.REMOVED and len(rows) > len(main):
        return RowState.RECORD.value
    if row.state != RowState.LIVE:
        return row.state
    return CANCELLED if row.cancelled else IN_CALENDAR
