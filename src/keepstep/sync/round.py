"""A round: one poll of one mailbox, from its stored sync state to the last page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from keepstep.core.appointment import Appointment
from keepstep.core.decisions import Decision, KnownRow, Mark, RowState, SetAside, Terms, Version
from keepstep.core.doubt import Watch
from keepstep.core.errors import ExchangeError
from keepstep.core.page import Listing, Page
from keepstep.core.reconcile import must_be_read, reconcile, settle
from keepstep.core.rules import Rule
from keepstep.core.skip import Policy
from keepstep.exchange.connector import Connector, Target
from keepstep.exchange.notification import NotifyingConnector
from keepstep.store import mailboxes, view
from keepstep.store.apply import Counts, PageResult, apply_page, count
from keepstep.store.mailboxes import IdleNote, TakenMailbox
from keepstep.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Means:
    """What a round works with. `clock` gives the present as an aware datetime in UTC.

    `notifier` is the side of the connector that tells of changes, where there is one.
    """

    connector: Connector
    writer: Writer
    clock: Callable[[], datetime]
    policy: Policy
    batch_size: int
    notifier: NotifyingConnector | None = None


@dataclass(slots=True)
class Outcome:
    """What a round did. An idle one is not noted yet: `idle` is the note to store.

    `in_step`: the round succeeded, whatever else is done with the mailbox fails afterwards.
    """

    counts: Counts = field(default_factory=Counts)
    pages: int = 0
    idle: IdleNote | None = None
    in_step: bool = False


async def poll(
    mailbox: TakenMailbox, means: Means, outcome: Outcome, *, full: bool = False
) -> None:
    """Bring the mailbox in step. Raises ExchangeError, StoreError, or FenceLost.

    What was stored is added to `outcome`, page by page, also where an error follows. Each page
    is stored whole with its sync state, so that after any error or crash the next round goes on
    from the last page stored.
    """
    round_ = _Round(mailbox, means, outcome)
    await round_.prepare(full=full)
    try:
        await round_.read_on()
    except ExchangeError as error:
        if error.code != "sync-state-refused" or not round_.state:
            raise
        await round_.begin_full()
        await round_.read_on()


class _Round:
    def __init__(self, mailbox: TakenMailbox, means: Means, outcome: Outcome) -> None:
        self.mailbox = mailbox
        self.means = means
        self.state = mailbox.sync_state
        self.began = means.clock()
        self.full = mailbox.in_full_round
        self.full_round = mailbox.full_round
        self.unsettled = mailbox.unsettled
        # It never had a round: there is nothing to be looked up of it.
        self.bare = mailbox.full_round == 0
        self.cutoff = mailbox.cutoff or self.began - means.policy.past
        self.target = Target(mailbox.email, mailbox.time_zone)
        self.outcome = outcome
        self.left_out: dict[Version, Rule] = {}
        self.watch = Watch(self.state)

    @property
    def terms(self) -> Terms:
        boundary = self.mailbox.last_success or self.cutoff
        return Terms(boundary, self.means.policy, self.left_out)

    async def prepare(self, *, full: bool) -> None:
        """Begin a full round where one is due: the first, a wanted one, or in another folder."""
        mailbox = self.mailbox
        if mailbox.last_success is None and (full or mailbox.full_round_wanted):
            self.cutoff = self.began - self.means.policy.past
        if full or mailbox.full_round_wanted or not (self.state or self.full):
            await self.begin_full()
        elif mailbox.address.casefold() != mailbox.email.casefold():
            await self._follow_address()

    async def _follow_address(self) -> None:
        folder = await self.means.connector.folder(self.target)
        if folder.id != self.mailbox.folder_id:
            await self.begin_full(folder.id)
            return
        await self.means.writer.call(
            mailboxes.guard, self.mailbox.id, self.mailbox.fence, address=self.mailbox.email
        )

    async def begin_full(self, folder_id: str | None = None) -> None:
        """Forget the state; from here on what Exchange does not list is absent."""
        if folder_id is None:
            folder_id = (await self.means.connector.folder(self.target)).id
        self.full_round = await self.means.writer.call(
            mailboxes.begin_full_round,
            self.mailbox.id,
            self.mailbox.fence,
            address=self.mailbox.email,
            folder_id=folder_id,
            cutoff=self.cutoff,
        )
        self.full = True
        self.state = ""
        self.watch = Watch("")

    async def read_on(self) -> None:
        """Read page after page from the present state to the last."""
        while True:
            listing = await self.means.connector.changes(
                self.target, self.state or None, self.means.batch_size
            )
            if self._is_idle(listing):
                self.outcome.idle = self._idle_note(listing)
                return
            known = await self._known(listing)
            doubt = await self._doubt(listing, known)
            if doubt:
                if not self.watch.began_with:
                    raise ExchangeError("listing-doubtful", doubt)
                await self.begin_full()
                continue
            await self._store(listing, await self._decide(listing, known))
            if listing.last:
                return

    def _delay(self, listing: Listing) -> float | None:
        """Give the seconds since the oldest change that was made after the last round."""
        since = self.mailbox.last_success
        now = self.means.clock()
        made = [
            each.last_modified
            for each in listing.changes
            if each.last_modified is not None and since is not None
            if since <= each.last_modified <= now
        ]
        return (now - min(made)).total_seconds() if made else None

    def _is_idle(self, listing: Listing) -> bool:
        nothing_open = not (self.full or self.unsettled)
        return nothing_open and listing.last and not listing.changes

    def _idle_note(self, listing: Listing) -> IdleNote:
        return IdleNote(self.mailbox.id, self.mailbox.fence, listing.sync_state, self.began)

    async def _known(self, listing: Listing) -> dict[str, KnownRow]:
        ids = [change.item_id for change in listing.changes]
        if not ids or self.bare:
            return {}
        if self.full and self.full_round > 1:
            self.left_out = await self.means.writer.call(view.left_out, self.mailbox.id, ids)
        return await self.means.writer.call(view.known, self.mailbox.id, ids)

    async def _doubt(self, listing: Listing, known: dict[str, KnownRow]) -> str:
        live = {
            item_id
            for item_id, row in known.items()
            if row.state is RowState.LIVE and self._is_unchanged(listing, item_id, row)
        }
        if self.watch.began_with and live and not self.watch.known_items:
            count_live = self.means.writer.call(view.live_items, self.mailbox.id)
            self.watch.known_items = await count_live
        return self.watch.doubt(self.state, listing, live)

    @staticmethod
    def _is_unchanged(listing: Listing, item_id: str, row: KnownRow) -> bool:
        return any(
            change.item_id == item_id
            and change.change_key == row.appointment.change_key
            and change.last_modified == row.appointment.last_modified
            for change in listing.changes
        )

    async def _decide(self, listing: Listing, known: dict[str, KnownRow]) -> list[Decision]:
        wanted = [
            change.item_id
            for change in {each.item_id: each for each in listing.changes}.values()
            if must_be_read(change, known.get(change.item_id), self.terms)
        ]
        items = {}
        if wanted:
            items = await self.means.connector.appointments(
                self.target, wanted, self.means.batch_size
            )
        read = [item for item in items.values() if isinstance(item, Appointment)]
        call, mailbox_id = self.means.writer.call, self.mailbox.id
        twins = {}
        if read and not self.bare:
            twins = await call(view.twins, mailbox_id, [each.uid for each in read])
        series = [each.uid for each in read if each.recurrence is not None]
        first = self.mailbox.last_success is None
        records = await call(view.records, mailbox_id, series) if series and not first else {}
        decisions = reconcile(Page(listing, items), known, twins, self.terms, records)
        return await self._settle(decisions) if listing.last else decisions

    async def _settle(self, decisions: list[Decision]) -> list[Decision]:
        """Add what becomes of the pending removals, those of this page among them."""
        call, mailbox = self.means.writer.call, self.mailbox
        marked = [
            each for each in decisions if isinstance(each, Mark) and each.state is RowState.PENDING
        ]
        rest = [each for each in decisions if each not in marked]
        decided = {
            each.row.id
            for each in decisions
            if not isinstance(each, SetAside) and each.row is not None
        }
        pending = [each.row for each in marked]
        if not self.bare:
            unsettled = await call(view.pending, mailbox.id)
            pending = [row for row in unsettled if row.id not in decided] + pending
        absent: Sequence[KnownRow] = ()
        boundary = self.terms.boundary
        if self.full and not self.bare:
            aside = {each.item_id for each in decisions if isinstance(each, SetAside)}
            absent = [
                row
                for row in await call(view.absent, mailbox.id, self.full_round, boundary)
                if row.id not in decided and row.appointment.item_id not in aside
            ]
        if not pending and not absent:
            return rest
        upcoming = await call(view.upcoming, mailbox.id, boundary, self.began)
        return rest + list(settle(pending, absent, upcoming, self.terms))

    async def _store(self, listing: Listing, decisions: Sequence[Decision]) -> None:
        result = PageResult(
            mailbox_id=self.mailbox.id,
            fence=self.mailbox.fence,
            sync_state=listing.sync_state,
            at=self.means.clock(),
            full_round=self.full_round,
            decisions=decisions,
            success=self.began if listing.last else None,
            mentioned=[change.item_id for change in listing.changes],
            delay=None if self.full else self._delay(listing),
            bare=self.bare,
        )
        await self.means.writer.call(apply_page, result)
        self.state = listing.sync_state
        self.unsettled = True
        self.bare = False
        self.outcome.pages += 1
        add_counts(self.outcome.counts, count(decisions))


def add_counts(total: Counts, more: Counts) -> None:
    """Add `more` to `total`."""
    total.created += more.created
    total.updated += more.updated
    total.removed += more.removed
    total.skipped += more.skipped
    total.held += more.held
    total.quarantined += more.quarantined
