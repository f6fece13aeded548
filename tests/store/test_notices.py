"""Of several processes one names an episode, one sends an e-mail, one has the probe."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connections

from keepstep.store import notices, sign_ins
from keepstep.store.models import Mail, Mailbox, Notice
from tests.engine import NOW, add_operator

pytestmark = pytest.mark.usefixtures("any_database")

HALF_AN_HOUR = timedelta(minutes=30)
LATER = NOW + timedelta(minutes=40)
TO = ("admin@example.com",)
Result = TypeVar("Result")


def at_once(function: Callable[[], Result], times: int = 4) -> list[Result]:
    """Give what several threads get that call it at the same time."""
    begin = Barrier(times)

    def call() -> Result:
        begin.wait()
        try:
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return [each.result() for each in [pool.submit(call) for _ in range(times)]]


def fail(*emails: str) -> None:
    for email in emails:
        Mailbox.objects.filter(pk=add_operator(email)).update(
            failing_since=NOW, failures=3, failure_code="timed-out"
        )


def review() -> int:
    return notices.review(LATER, TO, HALF_AN_HOUR)


def test_episodes_are_named_once_whoever_looks() -> None:
    fail("a@example.com", "b@example.com")
    assert sorted(at_once(review)) == [0, 0, 0, 1]
    assert (Notice.objects.count(), Mail.objects.count()) == (1, 1)


def test_a_recovery_is_told_once_whoever_looks() -> None:
    fail("a@example.com")
    review()
    Mailbox.objects.update(failing_since=None)
    assert sorted(at_once(review)) == [0, 0, 0, 1]
    assert Mail.objects.count() == 2


def test_an_e_mail_is_claimed_by_one() -> None:
    fail("a@example.com")
    review()
    claims = at_once(lambda: notices.claim(LATER))
    assert sum(each is not None for each in claims) == 1


def test_a_claim_passes_when_its_process_was_killed() -> None:
    fail("a@example.com")
    review()
    first = notices.claim(LATER)
    assert first is not None
    assert notices.claim(LATER + timedelta(minutes=9)) is None
    second = notices.claim(LATER + timedelta(minutes=10))
    assert second is not None
    assert (second.message_id, second.attempts) == (first.message_id, 2)


def test_the_probe_is_had_by_one() -> None:
    for _ in range(3):
        sign_ins.refuse("account", NOW)
    claims = at_once(lambda: sign_ins.claim("account", NOW + timedelta(minutes=15)))
    assert sum(each is None for each in claims) == 1


def test_a_right_sign_in_is_held_back_by_nobody() -> None:
    assert sign_ins.claim("account", NOW) is None
    sign_ins.refuse("account", NOW)
    assert sign_ins.claim("account", NOW) is None


def test_the_outbox_is_bounded() -> None:
    for number in range(notices.MOST_WAITING + 3):
        notices._put(notices.FAILURE, TO, (), NOW + timedelta(seconds=number))
    assert Mail.objects.filter(given_up=None).count() == notices.MOST_WAITING
    assert Mail.objects.order_by("pk")[0].given_up is not None
