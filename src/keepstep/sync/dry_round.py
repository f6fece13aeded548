"""A dry round: what a full round would bring in and take out under another policy; stores nothing.

The mailbox is listed from the beginning, what has to be read is read, and all of it is reconciled
in memory with what is stored, as the change of the conditions would leave it. The mailbox is not
taken: rounds under way go on, and its sync state stays.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from keepstep.core.appointment import Appointment
from keepstep.core.decisions import (
    Decision,
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
from keepstep.core.doubt import Watch
from keepstep.core.errors import ExchangeError, UsageError
from keepstep.core.page import ChangeKind, ListedChange, Listing, Page
from keepstep.core.reconcile import must_be_read, reconcile, settle
from keepstep.core.rules import Rule
from keepstep.core.skip import Conditions, Policy, condition_met, loosened, traits_of
from keepstep.exchange.connector import Connector, Target
from keepstep.store import mailboxes, view
from keepstep.store.mailboxes import TakenMailbox
from keepstep.store.models import Operator
from keepstep.store.settings import check_complete, load
from keepstep.store.skip_preview import open_subject
from keepstep.store.writer import Writer
from keepstep.sync.guard import Guard, GuardedConnector
from keepstep.sync.round import Means
from keepstep.sync.service import account_of, means_for

LIST_BATCH = 512
MOST_PAGES = 200
MOST_READ = 2000
_SHOWN = frozenset({RowState.LIVE, RowState.PENDING, RowState.HELD, RowState.KEPT})


@dataclass(frozen=True, slots=True)
class DryEntry:
    """An appointment that would come in or go, by which rule.

    `start` (UTC) is that of a series' first occurrence; `subject` of one that is not open is only
    that it is private.
    """

    uid: str
    subject: str
    start: datetime
    is_series: bool
    rule: Rule


@dataclass(slots=True)
class DryRound:
    """What a full round would do to an operator's calendar. Entries are in order of start.

    `changed` counts what would stay and differ, `held` what would vanish and wait for a person,
    `stays_out` by rule what Exchange has and the calendar would not, `unread` what was not looked
    at for there was too much of it.
    """

    operator: str
    listed: int = 0
    comes_in: list[DryEntry] = field(default_factory=list)
    goes: list[DryEntry] = field(default_factory=list)
    changed: int = 0
    held: int = 0
    stays_out: dict[Rule, int] = field(default_factory=dict)
    unread: int = 0
    requests: int = 0


def dry_round_now(operator: Operator, policy: Policy) -> DryRound:
    """Read the operator's mailbox and give what a full round would do under this policy.

    Raises UsageError for settings that do not let it begin and for a calendar too large,
    ExchangeError where Exchange fails it, StoreError.
    """
    settings = load()
    check_complete(settings)
    mailbox_id = operator.mailbox.pk

    async def run() -> DryRound:
        async with Writer() as writer, means_for(settings, writer) as means:
            guard = Guard(account_of(settings))
            now = means.clock()
            await guard.begin(writer, now)
            mailbox = await writer.call(mailboxes.look, mailbox_id)
            _obey_pause(mailbox, now)
            await guard.enter(mailbox.email, means.clock, asyncio.sleep)
            guarded = GuardedConnector(means.connector, guard, writer, means.clock)
            return await dry_round(mailbox, replace(means, connector=guarded), policy)

    return asyncio.run(run())


def _obey_pause(mailbox: TakenMailbox, now: datetime) -> None:
    if mailbox.paused_until is not None and mailbox.paused_until > now:
        until = f"{mailbox.paused_until:%Y-%m-%d %H:%M:%S} UTC"
        raise ExchangeError(mailbox.failure_code, f"Exchange asked us to wait until {until}")


async def dry_round(mailbox: TakenMailbox, means: Means, policy: Policy) -> DryRound:
    """Give what a full round of the mailbox would do under `policy`.

    The policy of the means is the one that holds now. Raises ExchangeError, StoreError,
    UsageError.
    """
    before = means.connector.requests
    boundary = mailbox.last_success or means.clock() - policy.past
    changes = await _list(mailbox, means.connector)
    desk = _Desk(mailbox, means, Terms(boundary, policy), means.policy.conditions)
    done = await desk.decide(changes)
    done.requests = means.connector.requests - before
    return done


async def _list(mailbox: TakenMailbox, connector: Connector) -> list[ListedChange]:
    """Give every item of the calendar, page by page, within bounds."""
    target, state, watch = _target(mailbox), "", Watch("")
    found: dict[str, ListedChange] = {}
    for _ in range(MOST_PAGES):
        listing = await connector.changes(target, state or None, LIST_BATCH)
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
    raise UsageError(
        f"the calendar of {mailbox.email} has more than {MOST_PAGES * LIST_BATCH} entries:"
        " too many to preview."
    )


def _target(mailbox: TakenMailbox) -> Target:
    return Target(mailbox.email, mailbox.time_zone)


class _Desk:
    """Decides on one mailbox, in memory."""

    def __init__(
        self, mailbox: TakenMailbox, means: Means, terms: Terms, before: Conditions
    ) -> None:
        self._mailbox = mailbox
        self._means = means
        self._terms = terms
        self._looser = loosened(before, terms.policy.conditions)
        self._out: dict[int, tuple[KnownRow, Rule]] = {}
        self._done = DryRound(mailbox.email)

    async def decide(self, changes: Sequence[ListedChange]) -> DryRound:
        call, id_, done = self._means.writer.call, self._mailbox.id, self._done
        listed = [each.item_id for each in changes]
        done.listed = len(listed)
        live = await call(view.ahead, id_, self._terms.boundary)
        left_out = await call(view.left_out, id_, listed)
        self._take_out(live)
        terms = replace(self._terms, left_out=self._left_out(left_out))
        found = await call(view.known, id_, listed)
        known = {item_id: self._as_it_would_be(row) for item_id, row in found.items()}
        wanted = [
            each.item_id for each in changes if must_be_read(each, known.get(each.item_id), terms)
        ]
        done.unread = max(0, len(wanted) - MOST_READ)
        items = {}
        if wanted:
            items = await self._means.connector.appointments(
                _target(self._mailbox), wanted[:MOST_READ], self._means.batch_size
            )
        uids = [each.uid for each in items.values() if isinstance(each, Appointment)]
        stored = await call(view.twins, id_, uids)
        twins = {uid: [self._as_it_would_be(row) for row in rows] for uid, rows in stored.items()}
        page = Page(Listing("dry", last=True, changes=tuple(changes)), items)
        records = await call(view.records, id_, uids)
        decisions = reconcile(page, known, twins, terms, records)
        absent = await self._absent(live, set(listed), decisions)
        return self._told([*decisions, *absent])

    def _take_out(self, live: Sequence[KnownRow]) -> None:
        """Note what the change of the conditions would take out at once."""
        for row in live:
            rule = condition_met(traits_of(row.appointment), self._terms.policy.conditions)
            if rule is not None and row.state in _SHOWN:
                self._out[row.id] = (row, rule)

    def _left_out(self, stored: Mapping[Version, Rule]) -> dict[Version, Rule]:
        kept = {version: rule for version, rule in stored.items() if rule not in self._looser}
        taken_out = {
            (item.item_id, item.change_key, item.last_modified): rule
            for item, rule in ((row.appointment, rule) for row, rule in self._out.values())
        }
        return kept | taken_out

    def _as_it_would_be(self, row: KnownRow) -> KnownRow:
        return replace(row, state=RowState.REMOVED) if row.id in self._out else row

    async def _absent(
        self, live: Sequence[KnownRow], listed: set[str], decisions: Sequence[Decision]
    ) -> list[Decision]:
        """Give what would become of rows that Exchange does not list any more."""
        decided = {row.id for each in decisions if (row := getattr(each, "row", None)) is not None}
        rest = [
            row
            for row in live
            if row.id not in decided
            and row.id not in self._out
            and row.appointment.item_id not in listed
        ]
        pending = [row for row in rest if row.state is RowState.PENDING]
        absent = [row for row in rest if row.state is RowState.LIVE]
        counted = sum(
            row.state in {RowState.LIVE, RowState.PENDING} and row.id not in self._out
            for row in live
        )
        return list(settle(pending, absent, counted, self._terms))

    def _told(self, decisions: Sequence[Decision]) -> DryRound:
        done, stays_out = self._done, Counter[Rule]()
        for each in decisions:
            if isinstance(each, Put):
                self._tell_put(each)
            elif isinstance(each, Mark) and each.what is What.HELD:
                done.held += 1
            elif isinstance(each, Mark):
                self._out[each.row.id] = (each.row, each.rule)
            elif isinstance(each, Note) and each.what is What.SKIPPED:
                stays_out[each.rule] += 1
            elif isinstance(each, SetAside):
                done.unread += 1
        done.stays_out = dict(stays_out.most_common())
        done.goes = [_entry(row.appointment, rule) for row, rule in self._out.values()]
        for entries in (done.comes_in, done.goes):
            entries.sort(key=lambda entry: (entry.start, entry.uid))
        return done

    def _tell_put(self, put: Put) -> None:
        stays = put.row is not None and put.row.state in _SHOWN
        if put.row is not None and self._out.pop(put.row.id, None) is not None:
            stays = True  # taken out at once for what it was, and back for what it is
        if stays:
            self._done.changed += 1
        else:
            self._done.comes_in.append(_entry(put.appointment, put.rule))


def _entry(appointment: Appointment, rule: Rule) -> DryEntry:
    details = appointment.details
    return DryEntry(
        appointment.uid,
        open_subject(details.subject, details.sensitivity),
        appointment.start,
        appointment.recurrence is not None,
        rule,
    )
