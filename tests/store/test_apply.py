"""What storing a page promises, on each kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from keepstep.core.appointment import (
    Address,
    Attendee,
    Details,
    Response,
    Role,
    Sensitivity,
    Zone,
)
from keepstep.core.decisions import Keep, RowState, SetAside
from keepstep.core.errors import FenceLost
from keepstep.core.page import ChangeKind, Unreadable
from keepstep.core.schedule import Trouble
from keepstep.core.skip import Policy, PrivateAppointments
from keepstep.store import mailboxes, models, view
from keepstep.store.apply import count
from keepstep.store.mailboxes import IdleNote
from tests.engine import NOW, add_operator
from tests.store.worker import (
    DAY,
    HOUR,
    Worker,
    deleted,
    everything,
    history,
    listed,
    meeting,
    put,
    rows,
    series,
    states,
)

SECRET = "Geheimrat"

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def mailbox() -> int:
    return add_operator("anna@example.com")


# All of it or nothing


def test_a_page_commits_its_rows_its_history_and_its_sync_state_together(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.store(worker.decide([listed(meeting("a"))], {"a": meeting("a")}), "after a", last=False)
    stored = models.Mailbox.objects.get(pk=mailbox)
    assert (stored.sync_state, stored.unsettled, stored.last_success) == ("after a", True, None)
    assert states() == {"a": "live"}
    assert history() == [("a", "created")]
    worker.store([], "the last", last=True)
    stored.refresh_from_db()
    assert (stored.sync_state, stored.unsettled, stored.last_success) == ("the last", False, NOW)


def test_a_failure_in_the_middle_of_a_page_leaves_nothing_of_it(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("known"))
    before = everything()
    doubled = [put("new"), put("twice"), put("twice")]
    aside = SetAside("odd", "odd", "item-unreadable", "no start")
    with pytest.raises(IntegrityError):
        worker.store([aside, *doubled], "never stored")
    assert everything() == before


def test_a_failure_after_the_rows_were_written_takes_them_back(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("known"))
    before = everything()
    nameless = SetAside("odd", "odd", "item-unreadable", None)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        worker.store([put("new"), nameless], "never stored")
    assert everything() == before


def test_who_lost_the_fence_writes_nothing_at_all(mailbox: int) -> None:
    displaced = Worker(mailbox)
    displaced.bring(meeting("a"))
    decisions = displaced.decide([listed(meeting("b")), deleted("a")], {"b": meeting("b")})
    Worker(mailbox)
    before = everything()
    trouble = Trouble(1, NOW, NOW)
    with pytest.raises(FenceLost):
        displaced.store(decisions)
    with pytest.raises(FenceLost):
        displaced.begin_full_round()
    with pytest.raises(FenceLost):
        mailboxes.note_failure(mailbox, displaced.taken.fence, "timed-out", "", trouble, None)
    with pytest.raises(FenceLost):
        mailboxes.read(mailbox, displaced.taken.fence)
    mailboxes.note_idle([IdleNote(mailbox, displaced.taken.fence, "late", NOW + DAY)])
    assert everything() == before


def test_of_idle_rounds_noted_together_only_the_displaced_ones_are_left_out(mailbox: int) -> None:
    other = add_operator("ben@example.com")
    displaced, at_work = Worker(mailbox), Worker(other)
    Worker(mailbox)
    before = mailboxes.overtaken()
    mailboxes.note_idle(
        [
            IdleNote(mailbox, displaced.taken.fence, "late", NOW),
            IdleNote(other, at_work.taken.fence, "in time", NOW),
        ]
    )
    noted = dict(models.Mailbox.objects.values_list("id", "sync_state"))
    assert noted == {mailbox: "", other: "in time"}
    assert mailboxes.overtaken() == before + 1


# Once is as often


def test_a_page_applied_twice_changes_nothing_the_second_time(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("stays"), meeting("changes"), meeting("goes"), series("s", -3, 9))
    page = [meeting("changes", change_key="2", days=3), meeting("new"), series("t", 1, 4)]
    changes = [*(listed(each) for each in page), deleted("goes"), deleted("never seen")]
    items = {each.item_id: each for each in page}
    worker.store(worker.decide(changes, items), last=False)
    once = everything()
    worker.at += HOUR
    repeated = worker.decide(changes, items)
    worker.store(repeated, last=False)
    assert everything() == once
    assert all(isinstance(each, Keep) for each in repeated)


def test_a_changed_series_leaves_one_record_however_often_its_page_is_applied(
    mailbox: int,
) -> None:
    first = Worker(mailbox)
    first.bring(series("s", -5, 20))
    worker = Worker(mailbox)
    renamed = series("s", -5, 20, change_key="2", details=Details(subject="Renamed"))
    for _ in range(3):
        worker.bring(renamed)
    parts = models.Appointment.objects.order_by("part").values_list("part", "state", "subject")
    assert list(parts) == [(0, "live", "Renamed"), (1, "record", "Meeting s")]


# Identity


def test_two_rows_exchange_their_item_ids_on_one_page(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("a"), meeting("b"))
    first, second = (each["id"] for each in rows())
    worker.store([put("b", first, uid="one"), put("a", second, uid="two")])
    assert [(each["item_id"], each["uid"]) for each in rows()] == [("b", "one"), ("a", "two")]


def test_an_item_id_passes_from_a_row_to_a_new_one_on_one_page(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("a"))
    (first,) = (each["id"] for each in rows())
    worker.store([put("moved on", first), put("a")])
    assert [each["item_id"] for each in rows()] == ["moved on", "a"]


def test_an_unchanged_row_takes_the_item_id_that_another_gives_up(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("a"), meeting("b"))
    known = view.known(mailbox, ["a", "b"])
    keep_a = Keep(known["a"], "b", "9", NOW)
    keep_b = Keep(known["b"], "a", "8", NOW)
    worker.store([keep_a, keep_b])
    assert [(each["item_id"], each["change_key"]) for each in rows()] == [("b", "9"), ("a", "8")]


def test_item_ids_differ_by_case_alone_and_may_be_as_long_as_exchange_makes_them(
    mailbox: int,
) -> None:
    long = "AAMk+/" * 85 + "=="
    worker = Worker(mailbox)
    worker.bring(*(meeting(each) for each in ("AbC", "aBc", long, long.swapcase())))
    assert set(states()) == {"AbC", "aBc", long, long.swapcase()}
    assert set(view.known(mailbox, ["abc", "AbC", long])) == {"AbC", long}


@pytest.mark.parametrize("order", ["delete-first", "create-first"])
def test_a_delete_and_a_create_of_one_meeting_are_one_row(mailbox: int, order: str) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("invitation", uid="u"))
    accepted = meeting("accepted", uid="u")
    halves = [[deleted("invitation")], [listed(accepted)]]
    for changes in halves if order == "delete-first" else reversed(halves):
        worker.store(worker.decide(changes, {"accepted": accepted}), last=False)
    worker.settle()
    (row,) = rows()
    assert (row["item_id"], row["state"]) == ("accepted", "live")


def test_two_mailboxes_hold_the_same_meeting_and_even_the_same_item_id(mailbox: int) -> None:
    other = add_operator("ben@example.com")
    Worker(mailbox).bring(meeting("a"))
    Worker(other).bring(meeting("a"))
    assert len(rows()) == 2
    worker = Worker(mailbox)
    worker.store(worker.decide([deleted("a")], {}))
    worker.settle()
    assert list(models.Appointment.objects.order_by("mailbox_id").values_list("state")) == [
        ("removed",),
        ("live",),
    ]


# What is stored is what was read


def test_an_appointment_comes_back_as_it_was_stored(mailbox: int) -> None:
    details = Details(
        subject="客户 🎉 <&> 'quoted' \"twice\" %s \\",
        location="مكتب",
        body="One\nTwo\n",
        organizer=Address("Zoë", "zoe@customer.example"),
        attendees=(
            Attendee("Anna", "anna@example.com", Role.REQUIRED, Response.ACCEPTED),
            Attendee("Room", "room@example.com", Role.RESOURCE),
        ),
        categories=("Key account", "a, b"),
        join_url="https://meet.example.com/x",
        cancelled=True,
    )
    stored = series(
        "a",
        -400,
        1000,
        details=details,
        zone=Zone("America/New_York"),
        end_zone=Zone("Asia/Tokyo"),
        last_modified=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        deleted=(NOW - 399 * DAY,),
        warnings=("no-offset",),
    )
    Worker(mailbox).bring(stored)
    assert view.known(mailbox, ["a"])["a"].appointment == stored
    changed = replace(stored, change_key="2", details=replace(details, subject="Other"))
    Worker(mailbox).bring(changed)
    assert view.known(mailbox, ["a"])["a"].appointment == changed


# Quarantine and history


def test_an_unreadable_item_is_set_aside_and_its_row_stands_until_it_is_read_again(
    mailbox: int,
) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("a"))
    worse = listed(meeting("a", change_key="2"), ChangeKind.UPDATE)
    for number in range(2):
        worker.at = NOW + number * HOUR
        reason = Unreadable("item-unreadable", f"reason {number}")
        decisions = worker.decide([worse], {"a": reason})
        assert count(decisions).quarantined == [("a", "item-unreadable")]
        worker.store(decisions)
    (aside,) = models.Quarantine.objects.all()
    assert (aside.item_id, aside.detail, aside.since) == ("a", "reason 1", NOW + HOUR)
    assert states() == {"a": "live"}
    worker.bring(meeting("a", days=2, change_key="3"))
    assert not models.Quarantine.objects.exists()
    assert history() == [
        ("a", "created"),
        ("a", "quarantined"),
        ("a", "quarantined"),
        ("a", "updated"),
    ]


@pytest.mark.parametrize("known", [True, False])
def test_what_was_set_aside_and_is_deleted_is_no_longer_shown_as_set_aside(
    mailbox: int, known: bool
) -> None:
    worker = Worker(mailbox)
    if known:
        worker.bring(meeting("a"))
    worse = listed(meeting("a", change_key="2"), ChangeKind.UPDATE)
    worker.store(worker.decide([worse], {"a": Unreadable("item-unreadable", "reason")}))

    worker.store(worker.decide([deleted("a")], {}))

    assert not models.Quarantine.objects.exists()


def test_the_history_tells_each_change_once_with_its_rule_and_time(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("a"), meeting("long over", days=-300))
    worker.at = NOW + HOUR
    worker.bring(meeting("a", change_key="2", details=Details(cancelled=True)))
    worker.store(worker.decide([deleted("a")], {}), last=False)
    worker.settle()
    told = models.History.objects.order_by("id").values_list("item_id", "what", "rule", "at")
    assert list(told) == [
        ("a", "created", "ends-after-boundary", NOW),
        ("long over", "skipped", "ended-before", NOW),
        ("a", "cancelled", "cancelled-in-exchange", NOW + HOUR),
        ("a", "removing", "deleted-in-exchange", NOW + HOUR),
        ("a", "removed", "deleted-in-exchange", NOW + HOUR),
    ]


# Full rounds and the hold


def test_a_full_round_removes_what_it_does_not_list_of_what_is_ahead(mailbox: int) -> None:
    first = Worker(mailbox)
    first.bring(
        meeting("listed"),
        meeting("unreadable"),
        meeting("absent"),
        meeting("over", days=-3),
        series("half over", -5, 20),
    )
    worker = Worker(mailbox)
    worker.begin_full_round()
    changes = [listed(meeting("listed")), listed(meeting("unreadable", change_key="2"))]
    aside = {"unreadable": Unreadable("item-unreadable", "no start")}
    worker.store(worker.decide(changes, aside), last=False)
    assert states()["absent"] == "live"
    worker.settle()
    assert {each["item_id"]: each["state"] for each in rows()} == {
        "listed": "live",
        "unreadable": "live",
        "absent": "removed",
        "over": "live",
        "half over": "record",
    }
    assert not models.Mailbox.objects.get(pk=mailbox).in_full_round


def test_a_full_round_that_was_broken_off_is_no_reason_to_remove_in_the_next(
    mailbox: int,
) -> None:
    """Each full round has a number of its own, and what it listed carries that."""
    Worker(mailbox).bring(meeting("a"), meeting("b"))
    broken = Worker(mailbox)
    broken.begin_full_round()
    broken.bring(meeting("a"), last=False)
    worker = Worker(mailbox)
    worker.begin_full_round()
    worker.bring(meeting("b"), last=False)
    absent = view.absent(mailbox, worker.full_round, worker.terms.boundary)
    assert [each.appointment.item_id for each in absent] == ["a"]


def test_a_mass_removal_is_held_and_what_reappears_leaves_the_hold(mailbox: int) -> None:
    ids = [f"item {number}" for number in range(30)]
    Worker(mailbox).bring(*(meeting(each) for each in ids))
    worker = Worker(mailbox)
    worker.store(worker.decide([deleted(each) for each in ids[:21]], {}), last=False)
    assert set(states().values()) == {"live", "pending"}
    held = worker.settle()
    assert count(held).held == 21
    assert sorted(states().values()) == ["held"] * 21 + ["live"] * 9
    worker.bring(meeting(ids[0]), meeting(ids[1], change_key="2"))
    assert {each: states()[each] for each in ids[:3]} == {
        ids[0]: "live",
        ids[1]: "live",
        ids[2]: "held",
    }


def test_pending_removals_stay_visible_until_they_are_settled_by_whoever_comes_next(
    mailbox: int,
) -> None:
    first = Worker(mailbox)
    first.bring(meeting("a"), meeting("b"))
    first.store(first.decide([deleted("a")], {}), last=False)
    next_one = Worker(mailbox)
    assert next_one.taken.unsettled
    assert [each.state for each in view.pending(mailbox)] == [RowState.PENDING]
    next_one.settle()
    assert states() == {"a": "removed", "b": "live"}
    assert not Worker(mailbox).taken.unsettled


# Private appointments


def test_what_turns_private_is_scrubbed_from_row_and_records_with_the_page(mailbox: int) -> None:
    secret = Details(subject=SECRET, body=SECRET, location=SECRET, categories=(SECRET,))
    Worker(mailbox).bring(series("s", -5, 20, details=secret))
    worker = Worker(mailbox)
    worker.bring(series("s", -5, 20, change_key="2", details=replace(secret, body="new")))
    assert len(rows()) == 2
    private = replace(secret, sensitivity=Sensitivity.PRIVATE)
    worker.bring(series("s", -5, 20, change_key="3", details=private))
    assert SECRET not in repr(everything())
    assert {each["state"] for each in rows()} == {"live", "record"}


def test_private_ones_that_are_to_be_skipped_go_with_their_details(mailbox: int) -> None:
    secret = Details(subject=SECRET)
    Worker(mailbox).bring(meeting("a", details=secret))
    worker = Worker(mailbox, Policy(private_appointments=PrivateAppointments.SKIP))
    private = Details(subject=SECRET, sensitivity=Sensitivity.CONFIDENTIAL)
    worker.bring(meeting("a", change_key="2", details=private), meeting("b", details=private))
    assert states() == {"a": "removed"}
    assert SECRET not in repr(everything())


def test_the_day_of_an_all_day_appointment_is_stored_with_its_zone(mailbox: int) -> None:
    start = datetime(2026, 12, 24, 23, 0, tzinfo=UTC)
    berlin = Zone("Europe/Berlin")
    day = meeting("a", start=start, end=start + DAY, all_day=True, zone=berlin)
    Worker(mailbox).bring(day)
    (row,) = rows()
    assert (row["all_day"], row["time_zone"], row["start"]) == (True, "Europe/Berlin", start)
