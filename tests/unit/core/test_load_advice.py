"""What is recommended after a load test."""

from __future__ import annotations

import pytest

from keepstep.core.load_advice import (
    Now,
    advise_batch,
    advise_connections,
    advise_items,
    best_size,
    recommend,
)
from keepstep.core.load_test import Ended, Step, Tried

NOW = Now(connections=20, batch_size=100, room=20)


def step(connections: int, per_second: float, milliseconds: float, *, busy: bool = False) -> Step:
    return Step(connections, 100 / per_second, (milliseconds / 1000,) * 100, busy=busy)


def tried(**milliseconds: float) -> list[Tried]:
    """Give sizes tried: of_50=20 is that an answer of 50 took 20 milliseconds."""
    return [
        Tried(int(name.removeprefix("of_")), (each / 1000,)) for name, each in milliseconds.items()
    ]


CLIMB = [step(1, 50, 20), step(2, 98, 20), step(4, 190, 21), step(8, 370, 21)]


@pytest.mark.parametrize(
    ("steps", "ended", "value", "words"),
    [
        ([*CLIMB, step(16, 380, 42)], Ended.FLAT, 8, "16 gave hardly more answers"),
        ([*CLIMB, step(16, 450, 43)], Ended.SLOW, 8, "With 16 an answer took more than twice"),
        ([*CLIMB, step(16, 700, 22, busy=True)], Ended.BUSY, 8, "With 16 Exchange was busy"),
        ([*CLIMB, Step(16, 0.0, (), busy=True)], Ended.BUSY, 8, "with 8 it was not"),
        (CLIMB, Ended.ALL, 8, "All went well up to 8"),
        # The server's own limit leaves nothing to others who use the account.
        ([*CLIMB, step(27, 900, 22)], Ended.ALL, 20, "27 went well; 20 leave room"),
        # Where nothing speaks against what is set, it stays.
        (CLIMB, Ended.MAILBOXES, 20, "Up to 8 went well; each mailbox is read by one"),
        (CLIMB, Ended.SECONDS, 20, "Nothing speaks against what is set."),
        ([*CLIMB, Step(16, 2.0, (0.02,) * 3)], Ended.INTERRUPTED, 20, "Up to 8 went well"),
        ([step(1, 50, 20, busy=True)], Ended.BUSY, None, "busy before anything was learned"),
        ([], Ended.BUSY, None, "busy before anything was learned"),
        ([], Ended.MAILBOXES, None, "Too little was measured"),
        ([Step(1, 2.0, (1.0, 1.0))], Ended.SECONDS, None, "Too little was measured"),
    ],
)
def test_connections(steps: list[Step], ended: Ended, value: int | None, words: str) -> None:
    advice = advise_connections(steps, ended, NOW)
    assert advice.value == value
    assert words in advice.why


def test_more_than_is_set_is_recommended_as_far_as_it_went_well() -> None:
    few = Now(connections=2, batch_size=100, room=20)
    assert advise_connections(CLIMB, Ended.SECONDS, few).value == 8
    more = [*CLIMB, step(16, 700, 21), step(26, 1000, 22)]
    assert advise_connections(more, Ended.MAILBOXES, few).value == 20
    chosen = Now(connections=2, batch_size=100, room=None)
    assert advise_connections(more, Ended.MAILBOXES, chosen).value == 26
    assert advise_connections(more, Ended.ALL, chosen).value == 26


def test_the_smallest_size_that_is_hardly_worse_than_the_best() -> None:
    assert best_size([]) is None
    assert best_size(tried(of_10=30, of_20=40, of_50=50, of_100=95, of_200=190)) == 50
    assert best_size(tried(of_10=30, of_20=40, of_50=50, of_100=90, of_200=180)) == 100
    assert best_size(tried(of_10=10, of_20=20, of_50=60)) == 10


def test_no_size_is_recommended_whose_answers_take_too_long() -> None:
    assert best_size(tried(of_10=2000, of_20=3000, of_50=5100)) == 20
    assert best_size(tried(of_10=9000)) == 10


def test_the_batch_size_is_judged_by_what_an_entry_takes_to_be_listed_and_read() -> None:
    pages = tried(of_50=50, of_100=60, of_200=116, of_512=300)
    items = tried(of_10=30, of_20=40, of_50=50, of_100=95, of_200=190)
    # 50: 1.00 + 1.00, 100: 0.60 + 0.95, 200: 0.58 + 0.95, 512: 0.59 + 0.95
    advice = advise_batch(pages, items, NOW)
    assert advice.value == 100
    assert advice.why == "With so many at once an entry takes 1.55 ms to be listed and read."
    assert advise_items(items).value == 50


def test_quick_pages_do_not_outweigh_slow_items() -> None:
    pages = tried(of_50=3.0, of_100=4.2, of_200=7.0, of_512=16.7)
    items = tried(of_10=30, of_20=60, of_50=150)
    assert best_size(pages) == 200
    assert advise_batch(pages, items, NOW).value == 50
    assert advise_batch(pages, [], NOW).value == 200


def test_no_more_items_are_asked_for_at_once_than_the_batch_size_lets() -> None:
    pages = tried(of_50=10, of_100=20, of_200=80)
    items = tried(of_10=30, of_20=40, of_50=50, of_100=98, of_200=160)
    advice = recommend([], Ended.BUSY, pages, items, NOW)
    assert (advice.batch_size.value, advice.items.value) == (50, 50)
    assert advise_items(items).value == 200


def test_small_calendars_say_nothing_against_a_larger_batch() -> None:
    small = tried(of_10=30, of_20=40)
    advice = advise_batch([], small, NOW)
    assert advice.value == 100
    assert advice.why.endswith("to try more. Nothing speaks against what is set.")
    assert advise_batch([], small, Now(20, 10)).value == 20
    medium = tried(of_50=50, of_100=70)
    assert advise_batch(medium, small, Now(20, 300)).value == 300
    assert advise_batch(medium, small, Now(20, 50)).value == 100
    assert advise_batch([], [], NOW).value is None
    assert advise_items([]).value is None


def test_the_command_sets_what_something_can_be_said_of() -> None:
    pages = tried(of_50=50, of_100=60, of_200=59)
    items = tried(of_10=30, of_20=20, of_50=50, of_100=101)
    both = recommend([*CLIMB, step(16, 380, 42)], Ended.FLAT, pages, items, Now(20, 50))
    assert both.command == "keepstep settings set connections=8 batch_size=200"
    one = recommend([], Ended.BUSY, pages, items, Now(20, 50))
    assert one.command == "keepstep settings set batch_size=200"
    none = recommend([], Ended.BUSY, [], [], NOW)
    assert none.command is None
