"""Answers that cast doubt on the sync state are caught; honest ones never are."""

from __future__ import annotations

from keepstep.core.doubt import MOST_PAGES_WITHOUT_A_NEW_ITEM, Watch
from keepstep.core.page import ChangeKind, ListedChange, Listing


def listing(state: str, *ids: str, last: bool = False) -> Listing:
    changes = tuple(ListedChange(ChangeKind.CREATE, each) for each in ids)
    return Listing(state, last, changes)


def test_pages_that_each_name_new_items_are_no_cause_for_doubt_however_many() -> None:
    watch = Watch("")
    for number in range(5000):
        page = listing(f"state {number + 1}", f"item {number}")
        assert not watch.doubt(f"state {number}", page, set())


def test_a_state_that_comes_again_before_the_end_is_a_repeated_page() -> None:
    watch = Watch("")
    assert not watch.doubt("", listing("a", "1"), set())
    assert not watch.doubt("a", listing("b", "2"), set())

    assert watch.doubt("b", listing("a", "1"), set())


def test_the_last_page_may_leave_the_state_as_it_was() -> None:
    assert not Watch("a").doubt("a", listing("a", last=True), set())


def test_a_server_that_never_comes_to_the_end_is_caught_after_a_few_pages() -> None:
    watch = Watch("")
    doubts = [
        bool(watch.doubt(f"state {number}", listing(f"state {number + 1}", "1"), set()))
        for number in range(MOST_PAGES_WITHOUT_A_NEW_ITEM + 2)
    ]

    assert doubts == [False] * (MOST_PAGES_WITHOUT_A_NEW_ITEM + 1) + [True]


def test_a_full_listing_to_a_state_that_was_ours_is_caught() -> None:
    small, large = Watch("ours", known_items=2), Watch("ours", known_items=1000)
    many = {str(number) for number in range(25)}

    assert small.doubt("ours", listing("new", "1", "2", last=True), {"1", "2"})
    assert large.doubt("ours", listing("new", *many, last=True), many)


def test_a_full_listing_of_a_small_calendar_is_caught_though_much_has_changed() -> None:
    watch = Watch("ours", known_items=8)

    assert not watch.doubt("ours", listing("new", "1", "2", "3"), {"1", "2"})
    assert watch.doubt("new", listing("newer", "4", "5", "6", last=True), {"5", "6"})


def test_a_few_creates_of_known_items_among_many_are_no_cause_for_doubt() -> None:
    watch = Watch("ours", known_items=1000)

    assert not watch.doubt("ours", listing("new", "1", "2", last=True), {"1", "2"})
