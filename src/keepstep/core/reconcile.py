"""The heart: what becomes of the sales calendar when a page of changes comes from Exchange.

Words: the *boundary* is the last success, in a first round the cutoff; a change is applied if the
appointment, as known or as it is now, ends after it. A *twin* is a row of the same UID and start
under another item id: Exchange shows an accepted invitation as a delete and a create.

The case table, item by item (shown: the row is in the calendar):

listed as   known       and                              then
---------   -----       ---                              ----
present     shown       same version, read whole         unchanged (leaves a hold or pending)
present     shown       was over, is over                left as it stands
present     shown       is private, to be skipped        removed, details scrubbed
present     shown       ahead, meets a condition         removed; a series' past is recorded
present     shown       otherwise                        updated; a series' past is recorded
present     twin        shown                            updated, under the new item id
present     removed     ends after the boundary          revived (by item id, or as a twin)
present     unknown     ends after the boundary          created
present     no shown    over, or stays out by policy     skipped
gone        any         gone when it was to be read      passed over: its delete is to come
unreadable  any                                          quarantined, the row stands
deleted     shown       ends after the boundary          pending removal, settled at round's end
deleted     shown       over                             left as it stands
deleted     unknown                                      passed over
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from keepstep.core.appointment import OCCURRENCE_UNREAD, Appointment
from keepstep.core.decisions import (
    Decision,
    Keep,
    KnownRecord,
    KnownRow,
    Mark,
    Note,
    Put,
    RowState,
    SetAside,
    Terms,
    Version,
    What,
)
from keepstep.core.page import (
    ChangeKind,
    ItemKind,
    ListedChange,
    Page,
    Unreadable,
)
from keepstep.core.record import ALL, Shown, close, overtake, succeed
from keepstep.core.recurrence import ends_after
from keepstep.core.rules import CONDITIONS, Rule
from keepstep.core.skip import (
    NOT_OPEN,
    PRIVATE_SUBJECT,
    Policy,
    PrivateAppointments,
    condition_met,
    stays_out,
    traits_of,
    withhold,
)

HOLD_ABOVE = 20


_SHOWN = frozenset({RowState.LIVE, RowState.PENDING, RowState.HELD, RowState.KEPT})
_TWIN_ORDER = (
    RowState.PENDING,
    RowState.LIVE,
    RowState.HELD,
    RowState.KEPT,
    RowState.REMOVED,
)


def must_be_read(change: ListedChange, row: KnownRow | None, terms: Terms) -> bool:
    """Say whether the item has to be read whole to decide what becomes of it."""
    return change.kind is not ChangeKind.DELETE and _without_reading(change, row, terms) is None


def reconcile(
    page: Page,
    known: Mapping[str, KnownRow],
    twins: Mapping[str, Sequence[KnownRow]],
    terms: Terms,
    records: Mapping[str, Sequence[KnownRecord]] | None = None,
) -> list[Decision]:
    """Decide what becomes of each item of the page, by the case table above.

    `known` holds the rows by item id, `twins` by UID (any state but `record`), `records` the
    records of the past by UID. Deletes are
    decided last, so that the order of a delete and a create on one page does not matter.
    """
    latest = {change.item_id: change for change in page.listing.changes}
    present = [each for each in latest.values() if each.kind is not ChangeKind.DELETE]
    deleted = [each for each in latest.values() if each.kind is ChangeKind.DELETE]
    desk = _Desk(page, known, twins, terms, records or {})
    for change in present:
        desk.decide_present(change)
    for change in deleted:
        desk.decide_deleted(change)
    return desk.decisions()


def settle(
    pending: Iterable[KnownRow],
    absent: Iterable[KnownRow],
    upcoming: int,
    terms: Terms,
) -> list[Decision]:
    """Decide at a round's end what becomes of the pending removals and of what is absent.

    `absent` are the live rows that a full round did not list, `upcoming` counts the operator's
    upcoming appointments as they were before the round.
    """
    going = {row.id: (row, Rule.DELETED_IN_EXCHANGE) for row in pending}
    for row in absent:
        if ends_after(row.appointment, terms.boundary):
            going.setdefault(row.id, (row, Rule.ABSENT_IN_FULL_ROUND))
    if len(going) > HOLD_ABOVE and len(going) * 2 > upcoming:
        return [
            Mark(row, RowState.HELD, What.HELD, Rule.HELD_MASS_REMOVAL) for row, _ in going.values()
        ]
    return [removal(row, rule, terms.boundary) for row, rule in going.values()]


def removal(row: KnownRow, rule: Rule, boundary: datetime) -> Mark:
    """Give the decision that removes a row, leaving the past of a series as a record."""
    past = close(row.appointment, row.shown, boundary)
    if past is None:
        return Mark(row, RowState.REMOVED, What.REMOVED, rule)
    return Mark(row, RowState.RECORD, What.REMOVED, rule, past)


def _without_reading(change: ListedChange, row: KnownRow | None, terms: Terms) -> Rule | None:
    """Give the rule by which a present item is decided from the listing alone, or None."""
    shown = row is not None and row.state in _SHOWN
    if row is not None and shown and _same_version(change, row, terms.policy):
        return Rule.UNCHANGED
    if change.sensitivity is not None and stays_out(change.sensitivity, terms.policy):
        return Rule.PRIVATE_SKIPPED
    over = (
        change.item_kind is ItemKind.SINGLE
        and change.end is not None
        and change.end <= terms.boundary
    )
    left_out = terms.left_out.get((change.item_id, change.change_key, change.last_modified))
    if left_out is not None and left_out not in CONDITIONS:
        return Rule.OVER_BEFORE_AND_AFTER if shown else Rule.ENDED_BEFORE
    if left_out is not None and not shown:
        return left_out
    if not over:
        return None
    if row is None or not shown:
        return Rule.ENDED_BEFORE
    if row.appointment.recurrence is not None or ends_after(row.appointment, terms.boundary):
        return None
    if change.sensitivity in NOT_OPEN and not row.appointment.masked:
        return None
    return Rule.OVER_BEFORE_AND_AFTER


def _same_version(change: ListedChange, row: KnownRow, policy: Policy) -> bool:
    known = row.appointment
    if not change.change_key or change.change_key != known.change_key:
        return False
    if change.last_modified != known.last_modified or OCCURRENCE_UNREAD in known.warnings:
        return False
    return not (policy.private_appointments is PrivateAppointments.FULL and _withheld(known))


def _withheld(appointment: Appointment) -> bool:
    return appointment.masked or any(
        changed.details is not None
        and changed.details.subject == PRIVATE_SUBJECT
        and changed.details.sensitivity in NOT_OPEN
        for changed in appointment.changed
    )


class _Desk:
    """The decisions on one page: knows which rows and meetings were dealt with already."""

    def __init__(
        self,
        page: Page,
        known: Mapping[str, KnownRow],
        twins: Mapping[str, Sequence[KnownRow]],
        terms: Terms,
        records: Mapping[str, Sequence[KnownRecord]],
    ) -> None:
        self._page = page
        self._records = records
        self._known = known
        self._twins = twins
        self._terms = terms
        self._taken: set[int] = set()
        self._created: dict[tuple[str, datetime], int] = {}
        self._made: list[Decision | None] = []

    def decisions(self) -> list[Decision]:
        return [decision for decision in self._made if decision is not None]

    def decide_deleted(self, change: ListedChange) -> None:
        row = self._known.get(change.item_id)
        if row is None or row.id in self._taken or row.state is not RowState.LIVE:
            return
        if ends_after(row.appointment, self._terms.boundary):
            self._add(Mark(row, RowState.PENDING, What.REMOVING, Rule.DELETED_IN_EXCHANGE))
        else:
            self._note(change, row, What.LEFT, Rule.DELETED_AFTER_ITS_END)

    def decide_present(self, change: ListedChange) -> None:
        row = self._known.get(change.item_id)
        rule = _without_reading(change, row, self._terms)
        if rule is not None:
            self._by_listing(change, row, rule)
            return
        item = self._page.items.get(change.item_id)
        if isinstance(item, Appointment):
            self._bring_in(row, item)
        elif isinstance(item, Unreadable):
            uid = row.appointment.uid if row else change.uid
            self._add(SetAside(change.item_id, uid or change.item_id, item.code, item.detail))
            if row is not None:
                self._taken.add(row.id)

    def _by_listing(self, change: ListedChange, row: KnownRow | None, rule: Rule) -> None:
        if row is None or row.state not in _SHOWN:
            self._note(change, row, What.SKIPPED, rule)
        elif rule is Rule.UNCHANGED:
            known = row.appointment
            self._add(Keep(row, change.item_id, known.change_key, known.last_modified))
        elif rule == Rule.PRIVATE_SKIPPED:
            self._stay_out(change.item_id, change.uid, row, rule)
        else:
            self._note(change, row, What.LEFT, rule)

    def _bring_in(self, row: KnownRow | None, appointment: Appointment) -> None:
        terms = self._terms
        rule = stays_out(appointment.details.sensitivity, terms.policy)
        if row is None or row.id in self._taken or row.state not in _SHOWN:
            row = self._twin(appointment) or row
        if row is not None and row.id in self._taken:
            return  # a second item of the meeting that this page already brought in
        if rule:
            self._stay_out(appointment.item_id, appointment.uid, row, rule)
            return
        appointment = withhold(appointment, terms.policy)
        ahead = ends_after(appointment, terms.boundary)
        condition = condition_met(traits_of(appointment), terms.policy.conditions)
        if condition and (ahead or self._is_shown_ahead(row)):
            self._leave_out(row, appointment, condition)
        elif row is not None and row.state in _SHOWN:
            self._update(row, appointment, ahead=ahead)
        elif not ahead:
            uid, rule = appointment.uid, Rule.ENDED_BEFORE
            version = _version(appointment)
            self._add(Note(appointment.item_id, uid, What.SKIPPED, rule, row, version))
        elif row is not None:
            self._put(row, appointment, _begin(appointment, terms), What.REVIVED, Rule.REAPPEARED)
        else:
            self._create(appointment)

    def _create(self, appointment: Appointment) -> None:
        """Create the row; of two items that are one meeting on one page, the later one stays."""
        meeting = (appointment.uid, appointment.start)
        earlier = self._created.get(meeting)
        if earlier is not None:
            self._made[earlier] = None
        self._created[meeting] = len(self._made)
        shown = _begin(appointment, self._terms)
        self._put(None, appointment, shown, What.CREATED, Rule.ENDS_AFTER_BOUNDARY)

    def _update(self, row: KnownRow, appointment: Appointment, *, ahead: bool) -> None:
        known = row.appointment
        scrub = _withheld(appointment) and not known.masked
        over = not ahead and not ends_after(known, self._terms.boundary)
        if over and not scrub:
            uid, rule = known.uid, Rule.OVER_BEFORE_AND_AFTER
            version = _version(appointment)
            self._add(Note(appointment.item_id, uid, What.LEFT, rule, row, version))
            return
        if _same_content(appointment, known):
            self._add(
                Keep(row, appointment.item_id, appointment.change_key, appointment.last_modified)
            )
            return
        what, rule = _kind_of_update(row, appointment)
        if appointment.recurrence is None and known.recurrence is None:
            put = _standing(known, appointment) if over else appointment
            self._put(row, put, ALL, what, rule, scrub=scrub)
            return
        succession = succeed(known, row.shown, appointment, self._terms.boundary)
        self._put(
            row, appointment, succession.shown, what, rule, record=succession.record, scrub=scrub
        )

    def _is_shown_ahead(self, row: KnownRow | None) -> bool:
        if row is None or row.state not in _SHOWN:
            return False
        return ends_after(row.appointment, self._terms.boundary)

    def _leave_out(self, row: KnownRow | None, appointment: Appointment, condition: Rule) -> None:
        """Leave out what meets a condition; its version is noted, so that it is not read again."""
        version = _version(appointment)
        if row is None or row.state not in _SHOWN:
            note = Note(appointment.item_id, appointment.uid, What.SKIPPED, condition, row, version)
            self._add(note)
            return
        boundary = self._terms.boundary
        mark = removal(row, condition, boundary)
        past = mark.shown and overtake(row.appointment, mark.shown, appointment, boundary)
        self._add(
            replace(
                mark,
                shown=past,
                scrub=_withheld(appointment) and not row.appointment.masked,
                now=appointment,
                overtaken=self._overtaken(appointment),
                version=version,
            )
        )

    def _stay_out(self, item_id: str, uid: str, row: KnownRow | None, rule: Rule) -> None:
        if row is None or row.state is RowState.REMOVED:
            self._add(Note(item_id, uid or item_id, What.SKIPPED, rule, row))
            return
        self._add(Mark(row, RowState.REMOVED, What.REMOVED, rule, scrub=True))

    def _twin(self, appointment: Appointment) -> KnownRow | None:
        found = [
            row
            for row in self._twins.get(appointment.uid, ())
            if row.appointment.start == appointment.start
            and row.id not in self._taken
            and row.state in _TWIN_ORDER
        ]
        return min(found, key=lambda row: _TWIN_ORDER.index(row.state), default=None)

    def _put(
        self,
        row: KnownRow | None,
        appointment: Appointment,
        shown: Shown,
        what: What,
        rule: Rule,
        *,
        record: Shown | None = None,
        scrub: bool = False,
    ) -> None:
        overtaken = self._overtaken(appointment)
        self._add(Put(row, appointment, shown, what, rule, record, overtaken, scrub))

    def _overtaken(self, appointment: Appointment) -> tuple[KnownRecord, ...]:
        if appointment.recurrence is None:
            return ()
        found = [
            (record, overtake(record.appointment, record.shown, appointment, self._terms.boundary))
            for record in self._records.get(appointment.uid, ())
        ]
        return tuple(
            replace(record, shown=shown) for record, shown in found if shown != record.shown
        )

    def _note(self, change: ListedChange, row: KnownRow | None, what: What, rule: Rule) -> None:
        uid = row.appointment.uid if row else change.uid
        self._add(Note(change.item_id, uid or change.item_id, what, rule, row))

    def _add(self, decision: Decision) -> None:
        row = getattr(decision, "row", None)
        if isinstance(row, KnownRow):
            self._taken.add(row.id)
        self._made.append(decision)


def _version(appointment: Appointment) -> Version:
    return appointment.item_id, appointment.change_key, appointment.last_modified


def _begin(appointment: Appointment, terms: Terms) -> Shown:
    return ALL if appointment.recurrence is None else Shown(after=terms.boundary)


def _kind_of_update(row: KnownRow, appointment: Appointment) -> tuple[What, Rule]:
    if appointment.details.cancelled and not row.appointment.details.cancelled:
        return What.CANCELLED, Rule.CANCELLED_IN_EXCHANGE
    if appointment.item_id != row.appointment.item_id:
        return What.UPDATED, Rule.SAME_MEETING_NEW_ITEM_ID
    if row.state is not RowState.LIVE:
        return What.UPDATED, Rule.REAPPEARED
    return What.UPDATED, Rule.ENDS_AFTER_BOUNDARY


def _same_content(one: Appointment, other: Appointment) -> bool:
    """Say whether two versions differ in nothing that is shown."""
    return _bare(one) == _bare(other)


def _standing(known: Appointment, withheld: Appointment) -> Appointment:
    """Give what was over as it stands, its details alone withheld, under the item's version."""
    return replace(
        known,
        item_id=withheld.item_id,
        change_key=withheld.change_key,
        last_modified=withheld.last_modified,
        details=replace(
            withheld.details, show_as=known.details.show_as, cancelled=known.details.cancelled
        ),
        masked=True,
    )


def _bare(appointment: Appointment) -> Appointment:
    changed = tuple(replace(each, item_id="") for each in appointment.changed)
    return replace(appointment, item_id="", change_key="", last_modified=None, changed=changed)
