"""How many items a request asks for: grown while it pays, shrunk when the server is busy."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from keepstep.core.read_batch import (
    FIRST,
    HELD_FOR,
    JUDGED_BY,
    LEAST,
    MOST,
    ReadBatch,
    answered,
    was_busy,
)


def asked(batch: ReadBatch, times: int, seconds: Callable[[int], float]) -> ReadBatch:
    """Send so many full requests to a server that takes so long for a number of items."""
    for _ in range(times):
        batch = answered(batch, batch.size, batch.size, seconds(batch.size))
    return batch


def test_it_begins_with_what_microsoft_advises() -> None:
    assert ReadBatch().size == FIRST == 10


def test_where_each_request_costs_much_it_grows_to_the_most_there_is() -> None:
    batch = asked(ReadBatch(), 100, lambda items: 1.0 + 0.001 * items)
    assert batch.size == MOST


def test_where_an_item_always_costs_the_same_it_stays_with_the_first() -> None:
    batch = asked(ReadBatch(), JUDGED_BY, lambda items: 0.0625 * items)
    assert batch.size == 2 * FIRST, "one step is tried"
    batch = asked(batch, JUDGED_BY, lambda items: 0.0625 * items)
    assert batch.size == FIRST
    assert asked(batch, HELD_FOR - 1, lambda items: 0.0625 * items).size == FIRST


def test_it_settles_where_more_does_not_pay_any_longer() -> None:
    """Beyond 80 in a request the server slows down, as one does whose memory is short."""
    batch = asked(
        ReadBatch(), 6 * JUDGED_BY, lambda items: 0.04 + 0.01 * items * max(1, items / 80)
    )
    assert batch.size == 80
    assert batch.held


def test_a_busy_server_is_asked_for_half_and_not_soon_for_more() -> None:
    batch = was_busy(ReadBatch(size=80, paid=40, seconds_an_item=0.01))
    assert batch.size == 40
    assert asked(batch, HELD_FOR - 1, lambda items: 1 / items).size == 40
    for _ in range(20):
        batch = was_busy(batch)
    assert batch.size == LEAST


def test_in_the_end_it_is_tried_again() -> None:
    batch = asked(was_busy(ReadBatch(size=40)), HELD_FOR, lambda items: 1.0)
    assert asked(batch, JUDGED_BY, lambda items: 1.0).size == 40


def test_requests_that_are_not_full_or_not_timed_say_nothing() -> None:
    batch = ReadBatch()
    for each in (
        answered(batch, 10, 7, 1.0),
        answered(batch, 5, 5, 1.0),
        answered(batch, 10, 10, 0.0),
    ):
        assert each == batch


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=300))
def test_whatever_happens_the_size_stays_within_its_bounds(story: list[float | None]) -> None:
    batch = ReadBatch()
    for seconds in story:
        full = batch.size
        batch = was_busy(batch) if seconds is None else answered(batch, full, full, seconds)
        assert LEAST <= batch.size <= MOST
