"""Writing a page: its rows, its history and its sync state, in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from keepstep.core.decisions import (
    Decision,
    Keep,
    Mark,
    Note,
    Put,
    RowState,
    SetAside,
    Version,
    What,
)
from keepstep.core.rules import Rule
from keepstep.store.bulk import insert_history, insert_live, update_live
from keepstep.store.lookups import among
from keepstep.store.mailboxes import SUCCESS, guard
from keepstep.store.models import Appointment, LeftOut, Quarantine
from keepstep.store.rows import fill, pack_shown
from keepstep.store.scrub import scrub_meeting

_BATCH = 200


@dataclass(frozen=True, slots=True)
class PageResult:
    """What a page's answer leaves to be stored.

    `success` is the round's last success (UTC) if this is its last page, else None.
    `full_round` is the number of the full round that the page belongs to, or of the last one.
    `mentioned` are the ids of all items that the answer told of: none of them stays in quarantine
    unless it is set aside again. `left_out` are versions that were read for nothing, with the
    rule that leaves them out, beside those of the decisions. `delay` is how many seconds ago the
    oldest change was made in Exchange (None: that is not known). `bare`: nothing is stored of the
    mailbox yet.
    """

    mailbox_id: int
    fence: int
    sync_state: str
    at: datetime
    full_round: int
    decisions: Sequence[Decision]
    success: datetime | None = None
    mentioned: Sequence[str] = ()
    left_out: Sequence[tuple[Version, Rule]] = ()
    delay: float | None = None
    bare: bool = False


@dataclass(slots=True)
class Counts:
    """How many appointments were created, updated (cancelled among them), removed, skipped."""

    created: int = 0
    updated: int = 0
    removed: int = 0
    skipped: int = 0
    held: int = 0
    quarantined: list[tuple[str, str]] = field(default_factory=list)


_COUNTED = {
    What.CREATED: "created",
    What.REVIVED: "created",
    What.UPDATED: "updated",
    What.CANCELLED: "updated",
    What.REMOVED: "removed",
    What.SKIPPED: "skipped",
    What.HELD: "held",
}


def count(decisions: Iterable[Decision]) -> Counts:
    """Count what the decisions do."""
    counts = Counts()
    for decision in decisions:
        if isinstance(decision, SetAside):
            counts.quarantined.append((decision.item_id, decision.code))
        elif not isinstance(decision, Keep) and (name := _COUNTED.get(decision.what)):
            setattr(counts, name, getattr(counts, name) + 1)
    return counts


def apply_page(result: PageResult) -> None:
    """Store the page. Raises FenceLost, having written nothing, if the mailbox was taken."""
    with transaction.atomic():
        guard(result.mailbox_id, result.fence, **_mailbox_columns(result))
        _apply_decisions(result)


def mend(result: PageResult) -> None:
    """Store decisions that no page of changes led to; sync state and last success stay.

    Raises FenceLost, having written nothing, if the mailbox was taken.
    """
    with transaction.atomic():
        guard(result.mailbox_id, result.fence)
        _apply_decisions(result)


def write_decisions(marks: Sequence[Mark], mailbox_id: int, at: datetime) -> None:
    """Write what a person decided, with its history; the caller holds the transaction."""
    _apply_decisions(PageResult(mailbox_id, 0, "", at, 0, marks))


def _mailbox_columns(result: PageResult) -> dict[str, object]:
    columns: dict[str, object] = {"sync_state": result.sync_state}
    if result.delay is not None:
        columns["delay"] = result.delay
    if result.success is None:
        return columns | {"unsettled": True}
    ended = {"last_success": result.success, "in_full_round": False, "unsettled": False}
    return columns | ended | SUCCESS


def _apply_decisions(result: PageResult) -> None:
    decisions = result.decisions
    puts = [each for each in decisions if isinstance(each, Put)]
    marks = [each for each in decisions if isinstance(each, Mark)]
    changing: list[Put | Mark] = [*puts, *marks]
    for record in (record for each in changing for record in each.overtaken):
        shown = pack_shown(record.shown)
        Appointment.objects.filter(pk=record.id).update(shown=shown, updated_at=result.at)
    for put in puts:
        if put.record is not None:
            _copy_record(put, result)
    _scrub(changing, result.mailbox_id)
    _write_puts(puts, result)
    for mark in marks:
        _write_mark(mark, result)
    _write_kept([each for each in decisions if isinstance(each, Keep)], result)
    notes = [each for each in decisions if isinstance(each, Note)]
    _write_listed(notes, result)
    passed_over: list[Note | Mark] = [*notes, *marks]
    versions = [(each.version, each.rule) for each in passed_over if each.version]
    _write_left_out([*versions, *result.left_out], result.mailbox_id)
    if not result.bare:
        _forget_left_out([put.appointment.item_id for put in puts], result.mailbox_id)
    _write_quarantine(decisions, result)
    _write_history(decisions, result)


def _scrub(decisions: Sequence[Put | Mark], mailbox_id: int) -> None:
    for each in decisions:
        if each.scrub and each.row is not None:
            now = each.appointment if isinstance(each, Put) else each.now
            scrub_meeting(mailbox_id, each.row.appointment.uid, now)


def _write_puts(puts: Sequence[Put], result: PageResult) -> None:
    created = [(put.appointment, put.shown) for put in puts if put.row is None]
    updated = [(put.row.id, put.appointment, put.shown) for put in puts if put.row is not None]
    # The id of an item can pass from one row to another on one page: make way before writing.
    changed_ids = [
        put.row.id
        for put in puts
        if put.row is not None and put.row.appointment.item_id != put.appointment.item_id
    ]
    _make_way(changed_ids, result.mailbox_id)
    insert_live(created, result.mailbox_id, result.full_round, result.at)
    update_live(updated, result.full_round, result.at)


def _make_way(row_ids: Sequence[int], mailbox_id: int) -> None:
    for row_id in row_ids:
        Appointment.objects.filter(pk=row_id, mailbox_id=mailbox_id).update(
            item_id=f"making way {row_id}"
        )


def _copy_record(put: Put, result: PageResult) -> None:
    """Keep the row as it was, showing only its past, beside the one that goes on."""
    assert put.row is not None
    old = Appointment.objects.get(pk=put.row.id)
    old.pk = None
    old.part = _next_part(result.mailbox_id, old.item_id)
    old.state, old.state_since = RowState.RECORD.value, result.at
    shown = put.record
    assert shown is not None
    fill(old, put.row.appointment, shown)
    old.save(force_insert=True)


def _next_part(mailbox_id: int, item_id: str) -> int:
    parts = Appointment.objects.filter(mailbox_id=mailbox_id, item_id=item_id)
    return int(parts.aggregate(last=Max("part"))["last"] or 0) + 1


def _write_mark(mark: Mark, result: PageResult) -> None:
    rows = Appointment.objects.filter(pk=mark.row.id, mailbox_id=result.mailbox_id)
    columns: dict[str, object] = {
        "state": mark.state.value,
        "state_since": result.at,
        "updated_at": result.at,
    }
    if mark.shown is not None:
        row = rows.get()
        fill(row, mark.row.appointment, mark.shown)
        columns |= {"shown": row.shown, "part": _next_part(result.mailbox_id, row.item_id)}
        columns["span_end"] = mark.shown.until
    rows.update(**columns)


def _write_kept(kept: Sequence[Keep], result: PageResult) -> None:
    _make_way(
        [each.row.id for each in kept if each.row.appointment.item_id != each.item_id],
        result.mailbox_id,
    )
    unchanged: list[int] = []
    for each in kept:
        known = each.row.appointment
        version = (each.item_id, each.change_key, each.last_modified)
        if version == (known.item_id, known.change_key, known.last_modified):
            unchanged.append(each.row.id)
            continue
        Appointment.objects.filter(pk=each.row.id).update(
            item_id=each.item_id, change_key=each.change_key, last_modified=each.last_modified
        )
        unchanged.append(each.row.id)
    if not unchanged:
        return
    rows = Appointment.objects.filter(among("pk", unchanged))
    rows.update(listed_in=result.full_round)
    rows.exclude(state=RowState.LIVE).update(
        state=RowState.LIVE.value, state_since=result.at, updated_at=result.at
    )


def _write_listed(notes: Sequence[Note], result: PageResult) -> None:
    """Note what the round listed: it is not absent, whatever was decided of it."""
    listed = [each.row.id for each in notes if each.row is not None]
    if listed:
        Appointment.objects.filter(among("pk", listed)).update(listed_in=result.full_round)


def _write_left_out(versions: Sequence[tuple[Version, Rule]], mailbox_id: int) -> None:
    write_left_out([(mailbox_id, version, rule) for version, rule in versions])


def write_left_out(found: Sequence[tuple[int, Version, Rule]]) -> None:
    """Note versions that are left out: mailbox, version, rule; the caller holds the transaction."""
    # One statement can't write a row twice: of an item that was listed twice the last one counts.
    rows = {
        (mailbox_id, version[0]): LeftOut(
            mailbox_id=mailbox_id,
            item_id=version[0],
            change_key=version[1],
            last_modified=version[2],
            rule=rule.value,
        )
        for mailbox_id, version, rule in found
    }
    LeftOut.objects.bulk_create(
        rows.values(),
        batch_size=_BATCH,
        update_conflicts=True,
        update_fields=["change_key", "last_modified", "rule"],
        unique_fields=["mailbox", "item_id"],
    )


def _forget_left_out(item_ids: Sequence[str], mailbox_id: int) -> None:
    """Forget that items were left out: they are in the calendar now."""
    left_out = LeftOut.objects.filter(mailbox_id=mailbox_id)
    if not item_ids or not left_out.exists():
        return
    left_out.filter(among("item_id", item_ids)).delete()


def _write_quarantine(decisions: Sequence[Decision], result: PageResult) -> None:
    aside = [each for each in decisions if isinstance(each, SetAside)]
    quarantine = Quarantine.objects.filter(mailbox_id=result.mailbox_id)
    if not result.bare and quarantine.exists():
        over = set(result.mentioned) - {each.item_id for each in aside}
        quarantine.filter(among("item_id", over)).delete()
    for each in aside:
        Quarantine.objects.update_or_create(
            mailbox_id=result.mailbox_id,
            item_id=each.item_id,
            defaults={"code": each.code, "detail": each.detail, "since": result.at},
        )
    if aside:
        listed = [each.item_id for each in aside]
        rows = Appointment.objects.filter(mailbox_id=result.mailbox_id, part=0)
        rows.filter(among("item_id", listed)).update(listed_in=result.full_round)


def _write_history(decisions: Sequence[Decision], result: PageResult) -> None:
    insert_history([_history(each, result) for each in decisions if not isinstance(each, Keep)])


def _history(
    decision: Put | Mark | Note | SetAside, result: PageResult
) -> tuple[int, str, str, datetime, str, str]:
    if isinstance(decision, Put):
        uid, item_id = decision.appointment.uid, decision.appointment.item_id
    elif isinstance(decision, Mark):
        uid, item_id = decision.row.appointment.uid, decision.row.appointment.item_id
    else:
        uid, item_id = decision.uid, decision.item_id
    if isinstance(decision, SetAside):
        what, rule = What.QUARANTINED, decision.code
    else:
        what, rule = decision.what, decision.rule.value
    return (result.mailbox_id, uid, item_id, result.at, what.value, rule)
