"""What was over when it turns private loses its details, and nothing else of it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core.appointment import Appointment, Details, Sensitivity, ShowAs
from keepstep.core.decisions import Decision, KnownRow, Note, Put, RowState, Terms, What
from keepstep.core.page import ChangeKind, ItemKind, ListedChange, Listing, Page
from keepstep.core.reconcile import reconcile
from keepstep.core.skip import PRIVATE_SUBJECT

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAS = Details(subject="Talk", location="Room 1", show_as=ShowAs.TENTATIVE, cancelled=True)
SECRET = Details(
    subject="Geheimrat",
    location="Geheimrat",
    sensitivity=Sensitivity.PRIVATE,
    show_as=ShowAs.OUT_OF_OFFICE,
)


def held(days: float, key: str, details: Details) -> Appointment:
    start = NOW + days * DAY
    return Appointment("item", key, "uid", start, start + HOUR, details=details)


def decided(known: Appointment, now: Appointment) -> Decision:
    """What is decided of a row when its item is read as it is now."""
    sensitivity = now.details.sensitivity
    change = ListedChange(
        ChangeKind.UPDATE, "item", now.change_key, ItemKind.SINGLE, "uid", now.start, now.end,
        None, sensitivity,
    )  # fmt: skip
    page = Page(Listing("state", last=True, changes=(change,)), {"item": now})
    row = KnownRow(1, RowState.LIVE, known)
    (decision,) = reconcile(page, {"item": row}, {}, Terms(NOW))
    return decision


@pytest.fixture
def stands() -> Put:
    """A meeting that was over is moved, still within the past, and turned private."""
    decision = decided(held(-30, "1", WAS), held(-20, "2", SECRET))
    assert isinstance(decision, Put)
    return decision


def test_it_stands_where_it_was(stands: Put) -> None:
    now, known = stands.appointment, held(-30, "1", WAS)
    assert (now.start, now.end, now.zone, now.uid) == (known.start, known.end, known.zone, "uid")


def test_how_the_time_was_blocked_stands_too(stands: Put) -> None:
    details = stands.appointment.details
    assert (details.show_as, details.cancelled) == (ShowAs.TENTATIVE, True)


def test_of_its_details_nothing_stands_neither_the_old_nor_the_new(stands: Put) -> None:
    assert stands.scrub
    assert stands.appointment.masked
    assert stands.appointment.details.subject == PRIVATE_SUBJECT
    for word in ("Talk", "Room 1", "Geheimrat"):
        assert word not in repr(stands.appointment)


def test_it_has_the_version_that_was_read_so_that_it_is_not_read_again(stands: Put) -> None:
    assert stands.appointment.change_key == "2"
    again = decided(stands.appointment, held(-20, "3", SECRET))
    assert isinstance(again, Note)
    assert again.what is What.LEFT


def test_one_that_moves_into_the_future_is_moved_all_the_same() -> None:
    moved = decided(held(-30, "1", WAS), held(3, "2", SECRET))
    assert isinstance(moved, Put)
    assert moved.appointment.start == NOW + 3 * DAY
    assert (moved.appointment.details.show_as, moved.scrub) == (ShowAs.OUT_OF_OFFICE, True)


def test_one_that_was_ahead_is_moved_into_the_past() -> None:
    moved = decided(held(3, "1", WAS), held(-3, "2", SECRET))
    assert isinstance(moved, Put)
    assert moved.appointment.start == NOW - 3 * DAY
    assert "Talk" not in repr(moved.appointment)


def test_one_that_was_over_and_private_and_moves_is_left() -> None:
    masked = replace(held(-30, "1", Details(subject=PRIVATE_SUBJECT)), masked=True)
    left = decided(masked, held(-20, "2", SECRET))
    assert isinstance(left, Note)
