"""The case table of `reconcile`, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core.appointment import (
    OCCURRENCE_UNREAD,
    Appointment,
    ChangedOccurrence,
    Daily,
    Details,
    Recurrence,
    Sensitivity,
)
from keepstep.core.decisions import (
    Decision,
    Keep,
    KnownRow,
    Mark,
    Note,
    Put,
    RowState,
    SetAside,
    Terms,
    What,
)
from keepstep.core.page import (
    ChangeKind,
    Gone,
    ItemKind,
    ListedChange,
    Listing,
    NotAnAppointment,
    Page,
    ReadItem,
    Unreadable,
)
from keepstep.core.reconcile import must_be_read, reconcile, settle
from keepstep.core.record import ALL, Shown
from keepstep.core.rules import Rule
from keepstep.core.skip import PRIVATE_SUBJECT, Policy, PrivateAppointments

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
TERMS = Terms(NOW)


def single(hours: float, *, item_id: str = "item", key: str = "k1", **given: object) -> Appointment:
    """An appointment of one hour that begins so many hours after the boundary."""
    start = NOW + timedelta(hours=hours)
    known = Appointment(item_id, key, "uid", start, start + HOUR, details=Details(subject="Talk"))
    return replace(known, **given)  # type: ignore[arg-type]


def daily(days: int, *, key: str = "k1", count: int | None = None, hour: int = 9) -> Appointment:
    """A daily series of an hour from so many days after the boundary."""
    start = (NOW + timedelta(days=days)).replace(hour=hour)
    pattern = Recurrence(Daily(), start.date(), count=count)
    return Appointment("item", key, "uid", start, start + HOUR, recurrence=pattern)


def row(appointment: Appointment, state: RowState = RowState.LIVE, number: int = 1) -> KnownRow:
    return KnownRow(number, state, appointment)


def listed(item: Appointment, kind: ChangeKind = ChangeKind.UPDATE) -> ListedChange:
    item_kind = ItemKind.SERIES if item.recurrence else ItemKind.SINGLE
    return ListedChange(
        kind,
        item.item_id,
        item.change_key,
        item_kind,
        item.uid,
        item.start,
        item.end,
        item.last_modified,
        item.details.sensitivity,
    )


def deleted(item_id: str = "item") -> ListedChange:
    return ListedChange(ChangeKind.DELETE, item_id)


def decide(
    changes: list[ListedChange],
    items: dict[str, ReadItem],
    known: list[KnownRow] | None = None,
    twins: list[KnownRow] | None = None,
    terms: Terms = TERMS,
) -> list[Decision]:
    by_id = {each.appointment.item_id: each for each in known or []}
    page = Page(Listing("state", last=True, changes=tuple(changes)), items)
    return reconcile(page, by_id, {"uid": twins or []}, terms)


def one(decisions: list[Decision]) -> Decision:
    (decision,) = decisions
    return decision


def put(decision: Decision) -> Put:
    assert isinstance(decision, Put)
    return decision


def test_an_unknown_appointment_ahead_is_created() -> None:
    item = single(5)

    made = put(one(decide([listed(item)], {"item": item})))

    assert (made.row, made.appointment, made.what) == (None, item, What.CREATED)
    assert (made.shown, made.rule) == (ALL, Rule.ENDS_AFTER_BOUNDARY)


def test_one_that_is_under_way_counts_as_ahead() -> None:
    item = single(-0.5)

    assert put(one(decide([listed(item)], {"item": item}))).what is What.CREATED


@pytest.mark.parametrize("hours", [-1, -5, -400])
def test_an_unknown_single_one_that_is_over_is_skipped_without_being_read(hours: int) -> None:
    item = single(hours)

    assert not must_be_read(listed(item), None, TERMS)
    note = one(decide([listed(item)], {}))
    assert note == Note("item", "uid", What.SKIPPED, Rule.ENDED_BEFORE)


def test_an_unknown_series_is_read_to_know_when_it_ends() -> None:
    over, going_on = daily(-10, count=5), daily(-10)
    assert must_be_read(listed(over), None, TERMS)

    note = one(decide([listed(over)], {"item": over}))
    made = put(one(decide([listed(going_on)], {"item": going_on})))

    assert isinstance(note, Note)
    assert note.rule is Rule.ENDED_BEFORE
    assert made.shown == Shown(after=NOW), "its earlier occurrences are not shown"


def test_a_series_that_was_read_and_left_out_is_not_read_again_until_it_changes() -> None:
    over = daily(-10, count=5)
    terms = replace(TERMS, left_out={("item", "k1", None): Rule.ENDED_BEFORE})

    assert not must_be_read(listed(over), None, terms)
    assert must_be_read(listed(replace(over, change_key="k2")), None, terms)


def test_the_same_version_is_kept_without_being_read() -> None:
    item = single(5)

    assert not must_be_read(listed(item), row(item), TERMS)
    assert isinstance(one(decide([listed(item)], {}, [row(item)])), Keep)


def test_a_version_without_a_change_key_is_never_taken_for_the_same() -> None:
    item = single(5, key="")

    assert must_be_read(listed(item), row(item), TERMS)


def test_a_series_with_an_occurrence_that_could_not_be_read_is_read_again() -> None:
    series = replace(daily(5), warnings=(OCCURRENCE_UNREAD,))

    assert must_be_read(listed(series), row(series), TERMS)
    assert not must_be_read(listed(series), row(daily(5)), TERMS)
    still_unread = one(decide([listed(series)], {"item": series}, [row(series)]))
    assert isinstance(still_unread, Keep)


def test_a_new_version_that_shows_nothing_new_is_no_update() -> None:
    known, now = single(5), single(5, key="k2")

    kept = one(decide([listed(now)], {"item": now}, [row(known)]))

    assert isinstance(kept, Keep)
    assert kept.change_key == "k2"


def test_a_change_of_what_is_ahead_is_an_update() -> None:
    known, now = single(5), single(7, key="k2")

    made = put(one(decide([listed(now)], {"item": now}, [row(known)])))

    assert (made.row, made.what) == (row(known), What.UPDATED)


def test_what_moves_from_the_future_into_the_past_is_moved() -> None:
    known, now = single(5), single(-48, key="k2")
    assert must_be_read(listed(now), row(known), TERMS)

    assert put(one(decide([listed(now)], {"item": now}, [row(known)]))).appointment == now


def test_what_was_over_and_is_over_is_left_without_being_read() -> None:
    known, now = single(-5), single(-7, key="k2")

    assert not must_be_read(listed(now), row(known), TERMS)
    left = one(decide([listed(now)], {}, [row(known)]))
    assert isinstance(left, Note)
    assert (left.what, left.rule) == (What.LEFT, Rule.OVER_BEFORE_AND_AFTER)


def test_what_was_over_and_turned_private_loses_its_details_all_the_same() -> None:
    known = single(-5)
    details = replace(known.details, sensitivity=Sensitivity.PRIVATE)
    now = replace(known, change_key="k2", details=details)
    assert must_be_read(listed(now), row(known), TERMS)

    made = put(one(decide([listed(now)], {"item": now}, [row(known)])))

    assert made.scrub
    assert made.appointment.details.subject == PRIVATE_SUBJECT


def test_what_was_over_stands_where_it_was_when_it_moves_and_turns_private() -> None:
    known = single(-30)
    moved = single(-20, key="k2", details=Details(subject="Talk", sensitivity=Sensitivity.PRIVATE))

    made = put(one(decide([listed(moved)], {"item": moved}, [row(known)])))

    assert made.scrub
    now = made.appointment
    assert (now.start, now.end, now.change_key) == (known.start, known.end, "k2")
    assert (now.details.subject, now.masked) == (PRIVATE_SUBJECT, True)


def test_a_private_one_is_brought_in_without_its_details() -> None:
    item = single(5, details=Details(subject="Secret", sensitivity=Sensitivity.CONFIDENTIAL))

    made = put(one(decide([listed(item)], {"item": item})))

    assert made.appointment.masked
    assert "Secret" not in repr(made)


def test_a_private_occurrence_of_an_open_series_loses_only_its_own_details() -> None:
    series = daily(1, count=5)
    secret = Details(subject="Secret", sensitivity=Sensitivity.PRIVATE)
    changed = ChangedOccurrence(series.start, series.start, series.end, "occ", details=secret)
    series = replace(series, changed=(changed,), details=Details(subject="Stand-up"))

    made = put(one(decide([listed(series)], {"item": series})))

    assert "Secret" not in repr(made)
    assert made.appointment.details.subject == "Stand-up"
    assert not made.appointment.masked


def test_the_policy_skip_leaves_private_ones_out_unread_and_removes_known_ones() -> None:
    skip = Terms(NOW, Policy(private_appointments=PrivateAppointments.SKIP))
    item = single(5, details=Details(sensitivity=Sensitivity.PRIVATE), key="k2")
    assert not must_be_read(listed(item), None, skip)

    note = one(decide([listed(item)], {}, terms=skip))
    mark = one(decide([listed(item)], {}, [row(single(5))], terms=skip))

    assert note == Note("item", "uid", What.SKIPPED, Rule.PRIVATE_SKIPPED)
    assert isinstance(mark, Mark)
    assert (mark.state, mark.scrub) == (RowState.REMOVED, True)


def test_a_masked_row_is_read_again_once_the_policy_is_full() -> None:
    full = Terms(NOW, Policy(private_appointments=PrivateAppointments.FULL))
    item = single(5, masked=True)

    assert must_be_read(listed(item), row(item), full)


def test_a_cancelled_meeting_is_an_update_told_apart() -> None:
    now = single(5, key="k2", details=Details(subject="Talk", cancelled=True))

    made = put(one(decide([listed(now)], {"item": now}, [row(single(5))])))

    assert (made.what, made.rule) == (What.CANCELLED, Rule.CANCELLED_IN_EXCHANGE)


def test_a_delete_of_what_is_ahead_is_pending_and_of_what_is_over_is_left() -> None:
    pending = one(decide([deleted()], {}, [row(single(5))]))
    left = one(decide([deleted()], {}, [row(single(-5))]))

    assert isinstance(pending, Mark)
    assert pending.state is RowState.PENDING
    assert isinstance(left, Note)
    assert left.rule is Rule.DELETED_AFTER_ITS_END


@pytest.mark.parametrize("state", [RowState.PENDING, RowState.HELD, RowState.KEPT])
def test_a_delete_of_the_unknown_or_of_what_is_gone_already_changes_nothing(
    state: RowState,
) -> None:
    assert decide([deleted()], {}) == []
    assert decide([deleted()], {}, [row(single(5), state)]) == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_delete_and_a_create_of_one_meeting_on_a_page_are_one_change(order: int) -> None:
    known, now = single(5), single(5, item_id="new", key="k2")
    changes = [deleted(), listed(now, ChangeKind.CREATE)][::order]
    known_row = row(known)

    decision = one(decide(changes, {"new": now}, [known_row], [known_row]))

    assert isinstance(decision, Keep)
    assert (decision.row, decision.item_id) == (known_row, "new")


def test_a_create_takes_over_a_pending_removal_of_the_same_meeting() -> None:
    pending = row(single(5), RowState.PENDING)
    now = single(5, item_id="new", details=Details(subject="Accepted"))

    made = put(one(decide([listed(now)], {"new": now}, twins=[pending])))

    assert (made.row, made.rule) == (pending, Rule.SAME_MEETING_NEW_ITEM_ID)


def test_a_create_of_a_removed_meeting_revives_its_row() -> None:
    removed = row(single(5), RowState.REMOVED)
    now = single(5, item_id="new")

    made = put(one(decide([listed(now)], {"new": now}, twins=[removed])))

    assert (made.row, made.what) == (removed, What.REVIVED)


def test_another_start_under_the_same_uid_is_another_meeting() -> None:
    pending = row(single(5), RowState.PENDING)
    now = single(9, item_id="new")

    assert put(one(decide([listed(now)], {"new": now}, twins=[pending]))).row is None


def test_two_items_of_one_meeting_on_one_page_make_one_row() -> None:
    first, second = single(5, item_id="a"), single(5, item_id="b")

    made = put(one(decide([listed(first), listed(second)], {"a": first, "b": second})))

    assert made.appointment == second


def test_an_item_gone_before_it_was_read_or_of_another_kind_is_passed_over() -> None:
    item = single(5)

    assert decide([listed(item)], {"item": Gone()}) == []
    assert decide([listed(item)], {"item": NotAnAppointment()}) == []


def test_an_unreadable_item_is_set_aside_and_its_row_stands() -> None:
    now = single(5, key="k2")
    broken = Unreadable("item-unreadable", "Start")

    aside = one(decide([listed(now)], {"item": broken}, [row(single(5))]))

    assert aside == SetAside("item", "uid", "item-unreadable", "Start")


def test_an_update_of_a_series_leaves_its_past_in_a_record() -> None:
    known, now = daily(-10), daily(-10, key="k2", hour=15)

    made = put(one(decide([listed(now)], {"item": now}, [row(known)])))

    assert made.record == Shown(until=NOW)
    assert made.shown.after == NOW


def test_settling_removes_what_is_pending_and_leaves_the_past_of_a_series() -> None:
    going = [row(single(5)), row(daily(-10), number=2)]

    first, second = settle(going, [], 10, TERMS)

    assert isinstance(first, Mark)
    assert first.state is RowState.REMOVED
    assert isinstance(second, Mark)
    assert (second.state, second.shown) == (RowState.RECORD, Shown(until=NOW))


@pytest.mark.parametrize(
    ("going", "upcoming", "held"),
    [(20, 20, False), (21, 42, False), (21, 41, True), (21, 21, True), (300, 601, False)],
)
def test_more_than_half_and_more_than_twenty_are_held(
    going: int, upcoming: int, held: bool
) -> None:
    rows = [row(single(5), number=number) for number in range(going)]

    decisions = settle(rows, [], upcoming, TERMS)

    expected = RowState.HELD if held else RowState.REMOVED
    assert {each.state for each in decisions if isinstance(each, Mark)} == {expected}
    assert len(decisions) == going


def test_absence_removes_only_what_is_ahead() -> None:
    absent = [row(single(5)), row(single(-5), number=2), row(daily(-9, count=3), number=3)]

    (decision,) = settle([], absent, 10, TERMS)

    assert isinstance(decision, Mark)
    assert decision.rule is Rule.ABSENT_IN_FULL_ROUND
