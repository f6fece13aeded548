"""A worker that takes a mailbox and stores pages as a round does, and what is then stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from keepstep.core.appointment import Appointment, Daily, Details, Recurrence
from keepstep.core.decisions import Decision, Put, Terms, What
from keepstep.core.page import ChangeKind, ListedChange, Listing, Page, ReadItem
from keepstep.core.reconcile import reconcile, settle
from keepstep.core.record import ALL
from keepstep.core.rules import Rule
from keepstep.core.skip import Policy
from keepstep.store import mailboxes, models, view
from keepstep.store.apply import PageResult, apply_page
from tests.engine import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def meeting(item_id: str, days: int = 1, **fields: Any) -> Appointment:
    """A single appointment of an hour so many days from now; its UID is that of its id."""
    start = NOW + days * DAY
    given = {"change_key": "1", "uid": f"uid of {item_id}", "start": start, "end": start + HOUR}
    given["details"] = Details(subject=f"Meeting {item_id}", body="Agenda")
    return Appointment(item_id, **{**given, **fields})


def series(item_id: str, days: int, count: int, **fields: Any) -> Appointment:
    start = NOW + days * DAY
    recurrence = Recurrence(Daily(), start.date(), count=count)
    return meeting(item_id, days, recurrence=recurrence, **fields)


def listed(appointment: Appointment, kind: ChangeKind = ChangeKind.CREATE) -> ListedChange:
    return ListedChange(
        kind,
        appointment.item_id,
        appointment.change_key,
        uid=appointment.uid,
        last_modified=appointment.last_modified,
    )


def deleted(item_id: str) -> ListedChange:
    return ListedChange(ChangeKind.DELETE, item_id)


class Worker:
    """Who takes Anna's mailbox and stores pages, deciding as a round does."""

    def __init__(self, mailbox_id: int, policy: Policy | None = None) -> None:
        (taken,) = mailboxes.take([mailbox_id])
        self.taken = taken
        self.policy = policy or Policy()
        self.at = NOW
        self.full_round = taken.full_round
        self.in_full_round = taken.in_full_round
        self.mentioned: list[str] = []

    @property
    def terms(self) -> Terms:
        return Terms(self.taken.last_success or NOW - 180 * DAY, self.policy)

    def begin_full_round(self) -> None:
        self.full_round = mailboxes.begin_full_round(
            self.taken.id, self.taken.fence, address="a", folder_id="f", cutoff=NOW - 180 * DAY
        )
        self.in_full_round = True

    def decide(
        self,
        changes: Sequence[ListedChange],
        items: Mapping[str, ReadItem],
        *,
        last: bool = True,
    ) -> list[Decision]:
        self.mentioned = [each.item_id for each in changes]
        known = view.known(self.taken.id, self.mentioned)
        uids = [each.uid for each in items.values() if isinstance(each, Appointment)]
        twins = view.twins(self.taken.id, uids)
        page = Page(Listing("state", last, tuple(changes)), items)
        return list(reconcile(page, known, twins, self.terms, view.records(self.taken.id, uids)))

    def store(
        self, decisions: Sequence[Decision], state: str = "state", *, last: bool = True
    ) -> None:
        apply_page(
            PageResult(
                mailbox_id=self.taken.id,
                fence=self.taken.fence,
                sync_state=state,
                at=self.at,
                full_round=self.full_round,
                decisions=decisions,
                success=self.at if last else None,
                mentioned=self.mentioned,
            )
        )

    def bring(self, *appointments: Appointment, last: bool = True) -> list[Decision]:
        """Store a page that lists these as new or changed, each read whole."""
        changes = [listed(each) for each in appointments]
        decisions = self.decide(changes, {each.item_id: each for each in appointments})
        self.store(decisions, last=last)
        return decisions

    def settle(self) -> list[Decision]:
        """Store what becomes of pending removals, and in a full round of what is absent."""
        boundary = self.terms.boundary
        absent = view.absent(self.taken.id, self.full_round, boundary) if self.in_full_round else []
        upcoming = view.upcoming(self.taken.id, boundary, NOW + DAY)
        decisions = settle(view.pending(self.taken.id), absent, upcoming, self.terms)
        self.store(decisions)
        return decisions


def rows() -> list[dict[str, Any]]:
    return list(models.Appointment.objects.order_by("id").values())


def history() -> list[tuple[str, str]]:
    return list(models.History.objects.order_by("id").values_list("item_id", "what"))


def states() -> dict[str, str]:
    return dict(models.Appointment.objects.filter(part=0).values_list("item_id", "state"))


def everything() -> list[Any]:
    """All that the store holds of the mailbox."""
    tables = (models.Appointment, models.History, models.Quarantine, models.LeftOut, models.Mailbox)
    return [list(each.objects.order_by("id").values()) for each in tables]


def put(item_id: str, row_id: int | None = None, **fields: Any) -> Put:
    """A decision to write the appointment to the row of that number, or to a new one."""
    row = None
    if row_id is not None:
        (row,) = view.known(
            models.Appointment.objects.get(pk=row_id).mailbox_id,
            [models.Appointment.objects.get(pk=row_id).item_id],
        ).values()
    return Put(row, meeting(item_id, **fields), ALL, What.UPDATED, Rule.ENDS_AFTER_BOUNDARY)
