"""Letting changed conditions of IsSkipAppointment take hold in what is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keepstep.core.decisions import RowState, What
from keepstep.core.reconcile import removal
from keepstep.core.rules import Rule
from keepstep.core.skip import Conditions, loosened
from keepstep.store.apply import write_decisions, write_left_out
from keepstep.store.bulk import insert_history
from keepstep.store.models import Appointment, LeftOut, Mailbox
from keepstep.store.rows import known_row
from keepstep.store.skip_rows import MatchingRow, matching_rows

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class TakenHold:
    """What a change did: how many appointments went, how many mailboxes are read whole next."""

    left_out: int
    full_rounds: int


def take_hold(before: Conditions, after: Conditions, at: datetime) -> TakenHold:
    """Take out what the conditions leave out now, and have read again what they no longer do.

    `at` is now (UTC). The caller holds a transaction in which the mailboxes were taken from all
    rounds under way. A mailbox is read whole only if something of it was left out by a condition
    that became looser.
    """
    looser = _want_again(loosened(before, after))
    going = list(matching_rows(after))
    records = _close_series([each for each in going if each.is_series], at)
    _remove([each for each in going if each.id not in records], at)
    write_left_out([(each.mailbox_id, each.version, each.rule) for each in going])
    return TakenHold(len(going), looser)


def _want_again(rules: frozenset[Rule]) -> int:
    left_out = LeftOut.objects.filter(rule__in=[each.value for each in rules])
    mailboxes = Mailbox.objects.filter(pk__in=left_out.values("mailbox_id"))
    wanted = mailboxes.update(full_round_wanted=True)
    left_out.delete()
    return wanted


def _close_series(series: Sequence[MatchingRow], at: datetime) -> set[int]:
    """Remove the series that have a past, which stays as a record; give their rows."""
    marks = defaultdict(list)
    rules = {each.id: each.rule for each in series}
    for chunk in _chunks(list(rules)):
        rows = Appointment.objects.filter(pk__in=chunk).select_related("mailbox")
        for row in rows:
            mailbox = row.mailbox
            boundary = mailbox.last_success or mailbox.cutoff or at
            mark = removal(known_row(row), rules[row.pk], boundary)
            if mark.shown is not None:
                marks[mailbox.pk].append(mark)
    for mailbox_id, closed in marks.items():
        write_decisions(closed, mailbox_id, at)
    return {mark.row.id for closed in marks.values() for mark in closed}


def _remove(going: Sequence[MatchingRow], at: datetime) -> None:
    for chunk in _chunks([each.id for each in going]):
        rows = Appointment.objects.filter(pk__in=chunk)
        rows.update(state=RowState.REMOVED.value, state_since=at, updated_at=at)
    insert_history(
        [
            (each.mailbox_id, each.uid, each.version[0], at, What.REMOVED.value, each.rule.value)
            for each in going
        ]
    )


def _chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[begin : begin + _CHUNK] for begin in range(0, len(ids), _CHUNK)]
