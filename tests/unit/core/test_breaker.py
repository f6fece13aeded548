"""A server that fails is paused as a whole, probed, and comes back in growing batches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core import breaker as rules
from keepstep.core.breaker import Breaker, Closed, Go, Paused, Refuse, Returning, Wait
from keepstep.core.failures import FAILURES

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Story:
    """A breaker, its clock, and what befalls it."""

    def __init__(self, breaker: Breaker | None = None) -> None:
        self.breaker: Breaker = breaker or Closed()
        self.now = NOW

    def fails(self, mailbox: str, code: str = "connection-refused", pause: float = 0) -> None:
        self.breaker = rules.failed(
            self.breaker, mailbox, code, self.now, pause=timedelta(seconds=pause), jitter=0
        )

    def is_answered(self, mailbox: str) -> None:
        self.breaker = rules.answered(self.breaker, mailbox, self.now)

    def asks(self, mailbox: str) -> rules.Admission:
        self.breaker, admission = rules.admit(self.breaker, mailbox, self.now)
        return admission

    def passes(self, **length: float) -> None:
        self.now += timedelta(**length)


def paused() -> Story:
    story = Story()
    for mailbox in ("a", "b", "c"):
        story.fails(mailbox)
    return story


def test_three_mailboxes_that_cannot_reach_it_pause_the_server() -> None:
    story = Story()
    story.fails("a")
    story.fails("b")
    assert story.asks("d") == Go()
    story.fails("c")
    assert story.asks("d") == Refuse("connection-refused", NOW + rules.FIRST_PAUSE)


def test_one_mailbox_that_always_times_out_pauses_nobody() -> None:
    story = Story()
    for _ in range(50):
        story.fails("a", "timed-out")
    assert story.asks("b") == Go()


def test_an_answer_between_failures_begins_the_count_anew() -> None:
    story = Story()
    for mailbox in "abcdefgh":
        story.fails(mailbox)
        story.is_answered("x")
    assert story.breaker == Closed()


def test_ten_mailboxes_failing_inside_pause_the_server() -> None:
    story = Story()
    for number in range(9):
        story.fails(f"m{number}", "server-error")
    assert story.asks("x") == Go()
    story.fails("m9", "store-unavailable")
    assert isinstance(story.asks("x"), Refuse)


@pytest.mark.parametrize(
    "code", ["no-such-mailbox", "impersonation-refused", "mailbox-moving", "sign-in-refused"]
)
def test_a_mailboxs_own_trouble_pauses_nobody_else(code: str) -> None:
    story = Story()
    for number in range(100):
        story.fails(f"m{number}", code)
    assert story.breaker == Closed()


def test_after_a_pause_one_probe_goes_and_the_others_wait_for_it() -> None:
    story = paused()
    story.passes(seconds=1)
    assert story.asks("d") == Go()
    assert isinstance(story.asks("e"), Wait)
    assert isinstance(story.asks("a"), Wait)


def test_pauses_double_to_a_quarter_of_an_hour() -> None:
    story = paused()
    lengths = []
    for _ in range(14):
        assert isinstance(story.breaker, Paused)
        lengths.append((story.breaker.until - story.now).total_seconds())
        story.now = story.breaker.until
        assert story.asks("d") == Go()
        story.fails("d")
    assert lengths[:4] == [1, 2, 4, 8]
    assert lengths[-1] == 900


def test_what_does_not_pass_by_itself_is_probed_hourly_at_last() -> None:
    story = Story(Paused("certificate-expired", NOW, pauses=30, probe="a"))
    story.fails("a", "certificate-expired")
    assert story.asks("b") == Refuse("certificate-expired", NOW + timedelta(hours=1))


def test_a_pause_that_the_server_names_is_not_cut_short() -> None:
    story = paused()
    story.fails("late", "server-busy", pause=300)
    story.passes(seconds=299)
    assert isinstance(story.asks("d"), Refuse)


def test_a_probe_that_never_spoke_to_the_server_makes_way_for_another() -> None:
    story = paused()
    story.passes(seconds=1)
    story.asks("d")
    story.breaker = rules.left(story.breaker, "d")
    assert story.asks("e") == Go()


def test_a_probe_that_is_told_of_its_own_trouble_shows_that_the_server_is_back() -> None:
    story = paused()
    story.passes(seconds=1)
    story.asks("gone")
    story.fails("gone", "no-such-mailbox")
    assert isinstance(story.breaker, Returning)


def test_mailboxes_come_back_in_batches_that_double() -> None:
    story = paused()
    story.passes(seconds=1)
    story.asks("probe")
    story.is_answered("probe")
    batches, batch = [], 0
    waiting = [f"m{number}" for number in range(200)]
    while waiting:
        if story.asks(waiting[0]) == Go():
            story.is_answered(waiting.pop(0))
            batch += 1
        else:
            batches.append(batch)
            batch = 0
            story.passes(seconds=1)
    assert batches[:6] == [2, 4, 8, 16, 32, 64]
    assert story.breaker == Closed()


def test_a_batch_that_mostly_fails_pauses_the_server_again_for_longer() -> None:
    story = paused()
    story.passes(seconds=1)
    story.asks("probe")
    story.is_answered("probe")
    for mailbox in ("d", "e"):
        story.asks(mailbox)
        story.fails(mailbox)
    assert story.asks("f") == Refuse("connection-refused", story.now + timedelta(seconds=2))


def test_one_that_hangs_does_not_hold_up_the_next_batch() -> None:
    story = paused()
    story.passes(seconds=1)
    story.asks("probe")
    story.is_answered("probe")
    story.asks("hangs")
    story.asks("d")
    story.is_answered("d")
    story.passes(seconds=1)
    assert story.asks("e") == Go()


def test_with_few_mailboxes_the_return_ends_by_itself() -> None:
    story = Story(Returning("timed-out", 3, 8, NOW))
    story.asks("a")
    story.is_answered("a")
    story.passes(seconds=61)
    assert story.asks("a") == Go()
    assert story.breaker == Closed()


def test_a_new_process_begins_with_one_probe_where_most_mailboxes_failed_together() -> None:
    assert rules.resumed({"connection-refused": 40}, 50, NOW) == Paused("connection-refused", NOW)
    assert rules.resumed({"connection-refused": 2}, 2, NOW) == Closed()
    assert rules.resumed({"connection-refused": 20}, 50, NOW) == Closed()
    assert rules.resumed({"no-such-mailbox": 50}, 50, NOW) == Closed()


def test_every_code_it_knows_is_in_the_catalogue() -> None:
    assert set(FAILURES) >= rules.SHARED
