"""What a load test tries, when it is enough, and what its failures mean."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepstep.core.failures import FAILURES
from keepstep.core.load_test import (
    Bounds,
    Ended,
    Level,
    Plan,
    Sign,
    Step,
    Tried,
    chosen,
    expected_requests,
    may_be_larger,
    most_connections,
    plan,
    sign_of,
    verdict,
)


def step(connections: int, per_second: float, milliseconds: float, *, busy: bool = False) -> Step:
    """Give a step of a hundred answers, which all took equally long."""
    return Step(connections, 100 / per_second, (milliseconds / 1000,) * 100, busy=busy)


def test_connections_double_up_to_the_most() -> None:
    assert plan(Bounds(27, 2000, 60), 100, 2000) == Plan(
        (
            Level(1, 1, 50),
            Level(2, 2, 50),
            Level(4, 4, 50),
            Level(8, 8, 80),
            Level(16, 16, 160),
            Level(27, 27, 270),
        ),
        Ended.ALL,
    )


def test_no_more_connections_than_mailboxes_for_each_is_asked_one_thing_at_a_time() -> None:
    planned = plan(Bounds(27, 2000, 60), 5, 2000)
    assert [each.connections for each in planned.levels] == [1, 2, 4, 5]
    assert planned.ended is Ended.MAILBOXES
    assert plan(Bounds(27, 2000, 60), 0, 2000) == Plan((), Ended.MAILBOXES)


def test_only_steps_that_the_requests_suffice_for_are_planned() -> None:
    planned = plan(Bounds(27, 2000, 60), 100, 51 + 52 + 53)
    assert [each.connections for each in planned.levels] == [1, 2]
    assert planned.ended is Ended.REQUESTS


@given(st.integers(1, 200), st.integers(0, 300), st.integers(0, 5000))
def test_a_plan_never_exceeds_what_it_was_given(most: int, mailboxes: int, requests: int) -> None:
    planned = plan(Bounds(most, 5000, 60), mailboxes, requests)
    levels = [each.connections for each in planned.levels]
    assert sum(each.requests for each in planned.levels) <= requests
    assert levels == sorted(set(levels))
    assert max(levels, default=0) <= min(most, mailboxes)
    assert (planned.ended is Ended.ALL) == (most in levels)


def test_a_test_of_default_size_stays_well_within_its_bounds() -> None:
    for version, most in (("Exchange2010", 10), ("Exchange2013", 27), ("ExchangeSE", 27)):
        assert most_connections(version) == most
        assert expected_requests(Bounds(most, 2000, 60), 1000) < 1000
    assert expected_requests(Bounds(27, 50, 60), 1000) <= 50


@pytest.mark.parametrize(
    ("steps", "ended"),
    [
        ([step(1, 50, 20)], None),
        ([step(1, 50, 20), step(2, 98, 20)], None),
        ([step(1, 50, 20), step(2, 98, 20), step(4, 107, 37)], Ended.FLAT),
        ([step(1, 50, 20), step(2, 98, 20), step(4, 108, 37)], None),
        ([step(1, 50, 20), step(2, 98, 20), step(4, 70, 57)], Ended.FLAT),
        ([step(1, 50, 20), step(2, 70, 28), step(4, 95, 41)], Ended.SLOW),
        ([step(1, 50, 20, busy=True)], Ended.BUSY),
        ([step(1, 50, 20), step(2, 98, 20, busy=True)], Ended.BUSY),
        # What was cut short says nothing.
        ([step(1, 50, 20), Step(2, 9.0, (3.0,) * 9)], None),
        ([step(1, 50, 20), Step(16, 9.0, (3.0,) * 15)], None),
        ([Step(1, 9.0, (3.0,) * 2), step(2, 10, 200)], None),
        # It is compared with the last that says something, and with the quickest.
        ([step(1, 50, 20), Step(2, 9.0, (3.0,) * 2), step(4, 50, 20)], Ended.FLAT),
        ([step(1, 50, 80), step(2, 70, 20), step(4, 95, 41)], Ended.SLOW),
    ],
)
def test_when_more_connections_do_not_pay(steps: list[Step], ended: Ended | None) -> None:
    assert verdict(steps) is ended


def test_what_is_told_of_a_step() -> None:
    told = Step(4, 2.0, tuple(number / 1000 for number in range(100, 0, -1)))
    assert (told.per_second, told.median, told.slowest) == (50.0, 0.0505, 0.095)
    nothing = Step(4, 0.0, (), busy=True)
    assert (nothing.per_second, nothing.median, nothing.slowest) == (0.0, 0.0, 0.0)
    assert not nothing.is_enough


def test_after_a_long_answer_nothing_larger_is_asked_for() -> None:
    assert may_be_larger([])
    assert may_be_larger([Tried(50, (9.0, 4.0, 5.0))])
    assert not may_be_larger([Tried(50, (1.0,)), Tried(100, (5.1, 5.2, 4.0))])


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_any_pause_that_is_asked_for_ends_the_test(code: str) -> None:
    assert sign_of(code, timedelta(seconds=1)) is Sign.BUSY


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        ("server-busy", Sign.BUSY),
        ("timed-out", Sign.BUSY),
        ("sign-in-refused", Sign.ENDS),
        ("token-refused", Sign.ENDS),
        ("connection-refused", Sign.ENDS),
        ("certificate-expired", Sign.ENDS),
        ("wrong-exchange-version", Sign.ENDS),
        ("no-such-mailbox", Sign.OF_MAILBOX),
        ("impersonation-refused", Sign.OF_MAILBOX),
        ("mailbox-moving", Sign.OF_MAILBOX),
        ("answer-unreadable", Sign.OF_MAILBOX),
    ],
)
def test_what_a_failure_means(code: str, sign: Sign) -> None:
    assert code in FAILURES
    assert sign_of(code, None) is sign


def test_mailboxes_are_chosen_all_over_then_others_in_reserve() -> None:
    assert chosen(range(100), 4) == [0, 25, 50, 75, 1, 26, 51, 76]
    assert chosen([5, 6, 7], 27) == [5, 6, 7]
    assert chosen([], 27) == []


@given(st.lists(st.integers(), unique=True, max_size=200), st.integers(1, 60))
def test_no_mailbox_is_chosen_twice(ids: list[int], count: int) -> None:
    found = chosen(ids, count)
    assert len(found) == len(set(found)) == min(len(ids), 2 * count)
    assert set(found) <= set(ids)
