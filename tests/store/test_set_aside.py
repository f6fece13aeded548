"""What is set aside stays so while it can not be read; what was read for nothing is known."""

from __future__ import annotations

from datetime import datetime

import pytest

from keepstep.core.decisions import Decision, SetAside, Version
from keepstep.core.errors import FenceLost
from keepstep.core.page import ChangeKind, ReadItem, Unreadable
from keepstep.core.rules import Rule
from keepstep.store import mailboxes, models, view
from keepstep.store.apply import PageResult, mend
from tests.engine import NOW, add_operator
from tests.store.worker import DAY, HOUR, Worker, everything, listed, meeting, series

pytestmark = pytest.mark.usefixtures("any_database")

UNREADABLE = Unreadable("item-unreadable", "reason")


@pytest.fixture
def worker() -> Worker:
    return Worker(add_operator("anna@example.com"))


def set_aside(worker: Worker, *item_ids: str) -> None:
    changes = [listed(meeting(item_id)) for item_id in item_ids]
    worker.store(worker.decide(changes, dict.fromkeys(item_ids, UNREADABLE)))


def compared(
    worker: Worker,
    *,
    decisions: tuple[Decision, ...] = (),
    mentioned: tuple[str, ...] = (),
    left_out: tuple[Version, ...] = (),
) -> PageResult:
    """What a comparison leaves to be stored."""
    return PageResult(
        mailbox_id=worker.taken.id,
        fence=worker.taken.fence,
        sync_state="not to be stored",
        at=NOW + HOUR,
        full_round=worker.full_round,
        decisions=decisions,
        mentioned=mentioned,
        left_out=[(version, Rule.ENDED_BEFORE) for version in left_out],
    )


def versions(worker: Worker, *item_ids: str) -> set[tuple[str, str, datetime | None]]:
    return set(view.left_out(worker.taken.id, item_ids))


def test_what_is_set_aside_is_that_of_one_mailbox(worker: Worker) -> None:
    other = Worker(add_operator("bert@example.com"))
    set_aside(worker, "a", "b")
    set_aside(other, "c")
    assert sorted(view.quarantined(worker.taken.id)) == ["a", "b"]
    assert view.quarantined(other.taken.id) == ["c"]
    worker.store([], "state")
    assert view.quarantined(other.taken.id) == ["c"]


def test_an_answer_ends_it_for_what_it_tells_of_and_for_nothing_else(worker: Worker) -> None:
    set_aside(worker, "read", "over", "again", "silent")
    changes = [
        listed(meeting("read", change_key="2")),
        listed(series("over", -300, 2, change_key="2"), ChangeKind.UPDATE),
        listed(meeting("again", change_key="2")),
    ]
    items: dict[str, ReadItem] = {
        "read": meeting("read", change_key="2"),
        "over": series("over", -300, 2, change_key="2"),
        "again": UNREADABLE,
    }
    worker.store(worker.decide(changes, items))
    assert sorted(view.quarantined(worker.taken.id)) == ["again", "silent"]


def test_of_very_many_items_none_is_forgotten(worker: Worker) -> None:
    many = [str(number) for number in range(1200)]
    for begin in range(0, 1200, 400):
        set_aside(worker, *many[begin : begin + 400])
    mend(compared(worker, mentioned=tuple(many)))
    assert view.quarantined(worker.taken.id) == []


def test_a_comparison_ends_what_is_not_set_aside_again_and_moves_no_sync_state(
    worker: Worker,
) -> None:
    set_aside(worker, "a", "b")
    before = models.Mailbox.objects.values().get()
    again = SetAside("b", "uid of b", "item-unreadable", "still")
    mend(compared(worker, decisions=(again,), mentioned=("a", "b")))
    (kept,) = models.Quarantine.objects.all()
    assert (kept.item_id, kept.detail, kept.since) == ("b", "still", NOW + HOUR)
    assert models.Mailbox.objects.values().get() == before


def test_what_a_comparison_read_for_nothing_is_known_by_its_newest_version(worker: Worker) -> None:
    mend(compared(worker, left_out=(("a", "1", NOW), ("b", "1", None))))
    assert versions(worker, "a", "b", "c") == {("a", "1", NOW), ("b", "1", None)}
    mend(compared(worker, left_out=(("a", "2", NOW + DAY),)))
    assert versions(worker, "a", "b") == {("a", "2", NOW + DAY), ("b", "1", None)}
    other = Worker(add_operator("bert@example.com"))
    assert versions(other, "a", "b") == set()


def test_what_a_page_notes_and_what_it_is_told_of_are_both_known(worker: Worker) -> None:
    over = series("over", -300, 2)
    decisions = worker.decide([listed(over)], {"over": over})
    result = compared(worker, decisions=tuple(decisions), left_out=(("a", "1", NOW),))
    mend(result)
    assert versions(worker, "over", "a") == {("over", "1", None), ("a", "1", NOW)}


def test_who_lost_the_fence_ends_nothing(worker: Worker) -> None:
    set_aside(worker, "a")
    mailboxes.take([worker.taken.id])
    before = everything()
    with pytest.raises(FenceLost):
        mend(compared(worker, mentioned=("a",), left_out=(("b", "1", NOW),)))
    assert everything() == before
