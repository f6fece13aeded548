"""The calendars of operators with all details that one who looks may see: what the API gives.

Masked by the same rule as the pages (`core.roles.is_withheld`), occurrence by occurrence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from keepstep.core.appointment import Occurrence
from keepstep.core.decisions import RowState
from keepstep.core.record import shown_occurrences
from keepstep.core.recurrence import as_single
from keepstep.core.roles import is_withheld
from keepstep.core.skip import PRIVATE_SUBJECT
from keepstep.store.calendar import (
    FURTHEST,
    Window,
    entry_of,
    instant,
    lies_in,
    rows_in,
)
from keepstep.store.identity import Names
from keepstep.store.models import Appointment
from keepstep.store.rows import unpack
from keepstep.store.seen import SeenOperator

Shown = dict[str, Any]
_AT_ONCE = 500
_NOTHING: Shown = {
    "uid": None,
    "location": "",
    "body": "",
    "organizer": None,
    "attendees": [],
    "categories": [],
    "warnings": [],
}


def occurrences_of(
    member: SeenOperator,
    days: Window,
    names: Names,
    *,
    include_cancelled: bool = False,
    uids: Sequence[str] | None = None,
) -> list[Shown]:
    """Give what an operator's calendar shows on these days, in order of start.

    `uids` narrows it to these meetings. Each has the fields of `appointments --json`, and besides
    `id`, `appointment` (the id of the whole), `operator_id`, `private` and `withheld`. Of a
    withheld one only when it is and how it blocks the time is told.
    """
    early, late = days.start - FURTHEST, days.end + FURTHEST
    rows = rows_in(member.operator, early, late)
    if uids is not None:
        rows = rows.filter(uid__in=uids)
    found: list[tuple[datetime, Shown]] = []
    for row in rows.iterator(chunk_size=_AT_ONCE):
        appointment, shown = unpack(row)
        for each in shown_occurrences(appointment, shown, early, late):
            if lies_in(each, days):
                entry = _shown(member, row, each, names)
                if entry["status"] != "cancelled" or (include_cancelled and not entry["withheld"]):
                    found.append((each.start, entry))
    found.sort(key=lambda pair: (pair[0], pair[1]["end"], pair[1]["id"]))
    return [entry for _, entry in found]


def summaries(
    members: Sequence[SeenOperator], wanted: Sequence[tuple[int, str]], names: Names
) -> dict[tuple[int, str], Shown | None]:
    """Give how meetings (mailbox, UID) stand now, as far as may be seen.

    None: it is in no view any more. Of a series its first occurrence's start and end are given.
    """
    by_mailbox = {each.operator.mailbox.pk: each for each in members}
    stands: dict[tuple[int, str], Shown | None] = dict.fromkeys(wanted)
    for mailbox, keys in groupby(sorted(stands), key=lambda each: each[0]):
        member = by_mailbox.get(mailbox)
        if member is not None:
            for row in _rows(mailbox, [uid for _, uid in keys]):
                key = mailbox, row.uid
                stands[key] = stands[key] or _summary(member, row, names)
    return stands


def _rows(mailbox: int, uids: Sequence[str]) -> Iterator[Appointment]:
    """Give the rows of these meetings; first the one that goes on, then records of the past."""
    rows = Appointment.objects.filter(mailbox=mailbox).exclude(state=RowState.REMOVED.value)
    for begin in range(0, len(uids), _AT_ONCE):
        chunk = rows.filter(uid__in=uids[begin : begin + _AT_ONCE])
        yield from chunk.order_by("uid", "part", "-pk")


def _summary(member: SeenOperator, row: Appointment, names: Names) -> Shown | None:
    appointment, _ = unpack(row)
    entry = _shown(member, row, as_single(appointment), names)
    if entry["withheld"] and entry["status"] == "cancelled":
        return None
    entry["id"] = entry["appointment"]
    entry["recurring"] = appointment.recurrence is not None
    return entry


def _shown(member: SeenOperator, row: Appointment, occurrence: Occurrence, names: Names) -> Shown:
    entry = entry_of(member.operator, occurrence)
    sensitivities = (
        occurrence.details.sensitivity,
        occurrence.appointment.details.sensitivity,
    )
    withheld = is_withheld(member.sight, *sensitivities)
    identity = names.of(row.mailbox_id, row.uid)
    original = occurrence.recurrence_id
    entry = {"warnings": [], **entry}
    if withheld:
        entry |= {**_NOTHING, "subject": PRIVATE_SUBJECT, "sensitivity": "private"}
    return {
        "id": f"{identity}@{instant(original)}" if original else f"{identity}.{row.pk}",
        "appointment": identity,
        "operator_id": member.operator.pk,
        **entry,
        "status": "cancelled" if occurrence.is_cancelled else "confirmed",
        "private": any(each != "normal" for each in sensitivities),
        "withheld": withheld,
    }
