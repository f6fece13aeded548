"""SyncFolderItems: states, pages, and how several changes become one."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from keepstep_simulator import MailboxModel, Recurrence, Simulator
from tests.simulator.soap import Clock, Follower, T, ask, codes, sync, valid

DAY = datetime(2026, 12, 1, 9, 0)  # noqa: DTZ001 - read in the mailbox's zone


def made(mailbox: MailboxModel, **fields: Any) -> str:
    return mailbox.create(**{"start": DAY, "end": DAY + timedelta(hours=1), **fields})


@pytest.fixture
def follower(simulator: Simulator, mailbox: MailboxModel) -> Follower:
    return Follower(simulator, mailbox)


def test_the_newest_changes_come_first_in_pages_of_the_size_asked(
    follower: Follower, mailbox: MailboxModel
) -> None:
    ids = [made(mailbox) for _ in range(20)]
    first, last = follower.page(7)
    assert first == [("Create", each) for each in reversed(ids[-7:])]
    assert not last
    follower.round(7)
    assert follower.known == set(ids)
    assert follower.round() == []


def test_a_page_that_holds_all_is_the_last(follower: Follower, mailbox: MailboxModel) -> None:
    for _ in range(7):
        made(mailbox)
    changes, last = follower.page(7)
    assert len(changes) == 7
    assert last


def test_several_changes_of_an_item_are_told_as_one(
    follower: Follower, mailbox: MailboxModel
) -> None:
    stays, goes = made(mailbox), made(mailbox)
    follower.round()
    for number in range(40):
        mailbox.update(stays, subject=f"{number}")
    mailbox.update(goes, subject="x")
    mailbox.delete(goes)
    new = made(mailbox)
    mailbox.update(new, subject="y")
    assert follower.round() == [("Create", new), ("Delete", goes), ("Update", stays)]


def test_what_came_and_went_between_two_syncs_is_not_told(
    follower: Follower, mailbox: MailboxModel
) -> None:
    follower.round()
    mailbox.delete(made(mailbox))
    assert follower.round() == []


def test_changes_while_a_client_reads_pages_are_told_once(
    follower: Follower, mailbox: MailboxModel
) -> None:
    ids = [made(mailbox) for _ in range(10)]
    follower.page(4)
    mailbox.update(ids[9], subject="seen already")
    mailbox.update(ids[0], subject="not seen yet")
    mailbox.delete(ids[1])
    changes, _ = follower.page(2)
    assert changes == [("Create", ids[0]), ("Update", ids[9])]
    follower.round(3)
    assert follower.known == set(ids) - {ids[1]}


def test_a_change_of_an_occurrence_is_an_update_of_its_master_unless_kept_secret(
    follower: Follower, mailbox: MailboxModel, clock: Clock
) -> None:
    item_id = made(mailbox, recurrence=Recurrence("daily", DAY.date(), count=5))
    follower.round()
    second = mailbox.get(item_id).start + timedelta(days=1)
    clock.forward(minutes=5)
    mailbox.change_occurrence(item_id, second, subject="x", announce=False)
    assert mailbox.get(item_id).modified == clock.now
    assert follower.round() == []
    mailbox.change_occurrence(item_id, second, subject="y")
    assert follower.round() == [("Update", item_id)]


@pytest.mark.parametrize("order", ["delete-first", "create-first"])
def test_an_accepted_invitation_is_a_delete_and_a_create_of_the_same_uid(
    follower: Follower, mailbox: MailboxModel, order: str
) -> None:
    old = made(mailbox, is_organizer=False, my_response="none")
    uid = mailbox.get(old).uid
    follower.round()
    new = mailbox.accept(old, order=order)
    # The feed tells the newest change first.
    told = [("Create", new), ("Delete", old)]
    assert follower.round() == (told if order == "delete-first" else told[::-1])
    assert mailbox.get(new).uid == uid


def test_a_cancelled_meeting_is_marked_at_an_attendee_and_gone_at_the_organizer(
    follower: Follower, mailbox: MailboxModel
) -> None:
    mine = made(mailbox, subject="Mine")
    theirs = made(mailbox, subject="Theirs", is_organizer=False)
    follower.round()
    mailbox.cancel(mine)
    mailbox.cancel(theirs)
    assert follower.round() == [("Update", theirs), ("Delete", mine)]
    assert mailbox.get(theirs).cancelled


def test_a_moved_item_has_another_id_and_the_same_uid(
    follower: Follower, mailbox: MailboxModel
) -> None:
    old = made(mailbox)
    uid = mailbox.get(old).uid
    follower.round()
    new = mailbox.move(old)
    assert sorted(follower.round()) == [("Create", new), ("Delete", old)]
    assert mailbox.get(new).uid == uid


def test_states_are_opaque_bound_to_their_folder_and_case_sensitive(
    simulator: Simulator, follower: Follower, mailbox: MailboxModel
) -> None:
    other = Follower(simulator, simulator.add_mailbox("ben@example.com"))
    other.round()
    follower.round()
    assert follower.state is not None
    wrong = ["garbage", "AAAA", follower.state.swapcase(), follower.state[:-8], other.state]
    for state in wrong:
        told = valid(ask(simulator, sync(state), mailbox=mailbox))
        assert codes(told) == ["ErrorInvalidSyncStateData"]
    mailbox.forget_sync_states()
    told = valid(ask(simulator, sync(follower.state), mailbox=mailbox))
    assert codes(told) == ["ErrorInvalidSyncStateData"]


def test_an_idle_state_is_another_each_time_and_an_old_one_still_holds(
    follower: Follower, mailbox: MailboxModel
) -> None:
    follower.round()
    old = follower.state
    follower.round()
    assert follower.state != old
    new = made(mailbox)
    follower.state = old
    assert follower.round() == [("Create", new)]


def test_deletes_name_the_id_alone(simulator: Simulator, mailbox: MailboxModel) -> None:
    item_id = made(mailbox)
    follower = Follower(simulator, mailbox)
    follower.round()
    mailbox.move_out(item_id)
    told = valid(ask(simulator, sync(follower.state), mailbox=mailbox))
    (deleted,) = told.iter(T + "Delete")
    assert [each.tag for each in deleted] == [T + "ItemId"]


class FollowedCalendar(RuleBasedStateMachine):
    """However changes and pages mix, a client that reads to the end knows what is there."""

    def __init__(self) -> None:
        super().__init__()
        simulator = Simulator(clock=Clock(), seed=1)
        self.mailbox = simulator.add_mailbox("anna@example.com")
        self.follower = Follower(simulator, self.mailbox)
        self.old_state: tuple[str | None, set[str]] = (None, set())

    def _chosen(self, place: int) -> str | None:
        ids = [each.id for each in self.mailbox.items()]
        return ids[place % len(ids)] if ids else None

    @rule(count=st.integers(1, 4))
    def create(self, count: int) -> None:
        for _ in range(count):
            made(self.mailbox)

    @rule(place=st.integers(0, 50))
    def change(self, place: int) -> None:
        if chosen := self._chosen(place):
            self.mailbox.update(chosen, subject="changed")

    @rule(place=st.integers(0, 50))
    def delete(self, place: int) -> None:
        if chosen := self._chosen(place):
            self.mailbox.delete(chosen)

    @rule(place=st.integers(0, 50))
    def move(self, place: int) -> None:
        if chosen := self._chosen(place):
            self.mailbox.move(chosen)

    @rule(most=st.integers(1, 4))
    def read_a_page(self, most: int) -> None:
        self.old_state = self.follower.state, set(self.follower.known)
        self.follower.page(most)

    @rule()
    def lose_the_last_answer(self) -> None:
        self.follower.state, self.follower.known = self.old_state[0], set(self.old_state[1])

    @rule()
    def read_to_the_end(self) -> None:
        self.follower.round(3)
        assert self.follower.known == {each.id for each in self.mailbox.items()}
        self.old_state = self.follower.state, set(self.follower.known)

    @invariant()
    def nothing_is_known_that_never_was(self) -> None:
        assert len(self.follower.known) <= self.mailbox.feed.newest


TestFollowedCalendar = FollowedCalendar.TestCase
TestFollowedCalendar.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
