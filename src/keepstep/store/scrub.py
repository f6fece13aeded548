"""Wiping out what may not be stored: the details of appointments that are private now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from keepstep.core.appointment import Appointment as CoreAppointment
from keepstep.core.decisions import RowState, What
from keepstep.core.rules import Rule
from keepstep.core.skip import NOT_OPEN, Policy, PrivateAppointments, mask, withhold
from keepstep.store.bulk import insert_history
from keepstep.store.erasure import forget_bytes_soon
from keepstep.store.models import Appointment, Mailbox
from keepstep.store.rows import fill, unpack


def scrub_meeting(mailbox_id: int, uid: str, now: CoreAppointment | None) -> None:
    """Wipe the details that this meeting's rows hold, records and removed rows among them.

    `now` is the meeting as it is: masked whole (or None: gone), all its rows lose their details;
    else only the occurrences that are private now lose theirs.
    """
    forget_bytes_soon()
    for row in Appointment.objects.filter(mailbox_id=mailbox_id, uid=uid, masked=False):
        known, shown = unpack(row)
        wiped = mask(known) if now is None or now.masked else _mask_occurrences(known, now)
        fill(row, wiped, shown)
        row.save()


def _mask_occurrences(known: CoreAppointment, now: CoreAppointment) -> CoreAppointment:
    private = {
        each.original_start: each
        for each in now.changed
        if each.details is not None and each.details.sensitivity in NOT_OPEN
    }
    changed = tuple(
        replace(each, details=private[each.original_start].details)
        if each.original_start in private
        else each
        for each in known.changed
    )
    return replace(known, changed=changed)


def scrub_private(mode: PrivateAppointments, at: datetime) -> int:
    """Wipe, after the setting was tightened to `mode` at `at` (UTC), what may no longer be stored.

    Gives the number of rows changed. The mailboxes concerned are taken from whoever is at work
    on them, so that no page decided under the old setting can be stored afterwards.
    """
    if mode is PrivateAppointments.FULL:
        return 0
    policy = Policy(private_appointments=mode)
    private = Q(sensitivity__in=[each.value for each in NOT_OPEN])
    told = []
    with transaction.atomic():
        forget_bytes_soon()
        Mailbox.objects.update(fence=F("fence") + 1)
        for row in Appointment.objects.filter(private | ~Q(series="")).iterator(chunk_size=500):
            stood = row.state != RowState.REMOVED
            if _tighten(row, policy):
                told.append(_told(row, at) if stood else None)
        insert_history([each for each in told if each])
    return len(told)


def _told(row: Appointment, at: datetime) -> tuple[int, str, str, datetime, str, str]:
    """Give what the history tells of a row that was tightened, if it was still to be seen."""
    gone = row.state == RowState.REMOVED
    what, rule = What.UPDATED, Rule.PRIVATE_MASKED
    if gone:
        what, rule = What.REMOVED, Rule.PRIVATE_SKIPPED
    return row.mailbox_id, row.uid, row.item_id, at, what.value, rule.value


def _tighten(row: Appointment, policy: Policy) -> bool:
    known, shown = unpack(row)
    wiped = known if known.masked else withhold(known, policy)
    skip = policy.private_appointments is PrivateAppointments.SKIP
    goes = skip and known.details.sensitivity in NOT_OPEN and row.state != RowState.REMOVED
    if wiped is known and not goes:
        return False
    fill(row, wiped, shown)
    if goes:
        row.state = RowState.REMOVED.value
    row.save()
    return True
