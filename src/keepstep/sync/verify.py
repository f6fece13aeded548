"""Verify: proving that a mailbox is in step, and mending it where it is not.

Changes that Exchange announces come in by an ordinary round first. Then everything upcoming is
listed anew, with ids, change keys and last-modified times, and compared with the store: what
differs is drift that was never announced. Only drift is read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from keepstep.core.appointment import Appointment
from keepstep.core.decisions import Decision, KnownRow, Mark, Note, Put, RowState, Terms
from keepstep.core.doubt import Watch
from keepstep.core.errors import ExchangeError
from keepstep.core.page import ChangeKind, ListedChange, Listing, Page
from keepstep.core.reconcile import must_be_read, reconcile, settle
from keepstep.core.rules import CONDITIONS, Rule
from keepstep.exchange.connector import Target
from keepstep.store import mailboxes, view
from keepstep.store.apply import PageResult, count, mend
from keepstep.store.mailboxes import TakenMailbox
from keepstep.sync.round import Means, Outcome, add_counts, poll

LIST_BATCH = 512


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference found: `what` is changed, missing (in the store) or extra (in the store)."""

    operator: str
    uid: str
    what: str


@dataclass(slots=True)
class Verification:
    """What a run of verify found; `verify` is the work to do for each mailbox."""

    checked: int = 0
    drift: list[Drift] = field(default_factory=list)

    async def verify(
        self, mailbox: TakenMailbox, means: Means, outcome: Outcome, *, full: bool = False
    ) -> None:
        """Bring the mailbox in step, compare it, mend it. Raises as `poll` does."""
        await poll(mailbox, means, outcome, full=full)
        if outcome.idle is not None:
            await means.writer.call(mailboxes.note_idle, [outcome.idle])
            outcome.idle = None
        outcome.in_step = True
        fresh = await means.writer.call(mailboxes.read, mailbox.id, mailbox.fence)
        changes = await self._list(fresh, means)
        result = await _compare(fresh, means, changes)
        self.checked += len(changes)
        self.drift += _drift(mailbox.email, result.decisions)
        if result.decisions or result.mentioned or result.left_out:
            await means.writer.call(mend, result)
            add_counts(outcome.counts, count(result.decisions))

    @staticmethod
    async def _list(mailbox: TakenMailbox, means: Means) -> list[ListedChange]:
        """Give every item of the calendar as a listing without a state has it."""
        target, state = Target(mailbox.email, mailbox.time_zone), ""
        watch = Watch("")
        found: dict[str, ListedChange] = {}
        while True:
            listing = await means.connector.changes(target, state or None, LIST_BATCH)
            doubt = watch.doubt(state, listing, set())
            if doubt:
                raise ExchangeError("listing-doubtful", doubt)
            for change in listing.changes:
                if change.kind is ChangeKind.DELETE:
                    found.pop(change.item_id, None)
                else:
                    found[change.item_id] = change
            if listing.last:
                return list(found.values())
            state = listing.sync_state


async def _compare(
    mailbox: TakenMailbox, means: Means, changes: Sequence[ListedChange]
) -> PageResult:
    """Give what is to be mended."""
    call = means.writer.call
    boundary = mailbox.last_success
    assert boundary is not None, "a mailbox was polled with success before it is compared"
    listed = [each.item_id for each in changes]
    left_out = await call(view.left_out, mailbox.id, listed)
    terms = Terms(boundary, means.policy, left_out)
    known = await call(view.known, mailbox.id, listed)
    ids = [each.item_id for each in changes if must_be_read(each, known.get(each.item_id), terms)]
    suspects = [
        each
        for each in changes
        if each.item_id in set(ids) or _is_out_of_favour(known.get(each.item_id))
    ]
    items = {}
    if ids:
        target = Target(mailbox.email, mailbox.time_zone)
        items = await means.connector.appointments(target, ids, means.batch_size)
    uids = [item.uid for item in items.values() if isinstance(item, Appointment)]
    twins = await call(view.twins, mailbox.id, uids) if uids else {}
    records = await call(view.records, mailbox.id, uids) if uids else {}
    listing = Listing("compared", last=True, changes=tuple(suspects))
    found = reconcile(Page(listing, items), known, twins, terms, records)
    # A note would say that nothing is to be done: what verify lists is no change that was seen.
    decisions = [each for each in found if not isinstance(each, Note)]
    # What is not set aside again was read, or is over, or gone.
    set_aside = await call(view.quarantined, mailbox.id)
    return PageResult(
        mailbox_id=mailbox.id,
        fence=mailbox.fence,
        sync_state=mailbox.sync_state,
        at=means.clock(),
        full_round=mailbox.full_round,
        decisions=decisions + await _extra(mailbox, means, changes, decisions, terms),
        mentioned=set_aside,
        left_out=[
            (each.version, each.rule) for each in found if isinstance(each, Note) and each.version
        ],
    )


def _is_out_of_favour(row: KnownRow | None) -> bool:
    """Say whether a row counts as gone from Exchange, where it is listed after all."""
    return row is not None and row.state in {RowState.HELD, RowState.KEPT}


async def _extra(
    mailbox: TakenMailbox,
    means: Means,
    changes: Sequence[ListedChange],
    decisions: Sequence[Decision],
    terms: Terms,
) -> list[Decision]:
    listed = {each.item_id for each in changes}
    decided = {row.id for each in decisions if (row := getattr(each, "row", None)) is not None}
    every = await means.writer.call(view.absent, mailbox.id, mailbox.full_round + 1, terms.boundary)
    extra: list[KnownRow] = [
        row for row in every if row.appointment.item_id not in listed and row.id not in decided
    ]
    if not extra:
        return []
    upcoming = await means.writer.call(view.upcoming, mailbox.id, terms.boundary, means.clock())
    return list(settle((), extra, upcoming, terms))


def _drift(email: str, decisions: Sequence[Decision]) -> list[Drift]:
    drift = []
    for each in decisions:
        if isinstance(each, Put):
            shown = each.row is not None and each.row.state is not RowState.REMOVED
            what = "changed" if shown else "missing"
            drift.append(Drift(email, each.appointment.uid, what))
        elif isinstance(each, Mark):
            kept_out = each.rule is Rule.PRIVATE_SKIPPED or each.rule in CONDITIONS
            what = "changed" if kept_out else "extra"
            drift.append(Drift(email, each.row.appointment.uid, what))
    return drift
