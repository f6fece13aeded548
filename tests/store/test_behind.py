"""How far behind the mailboxes are: the slowest, and what 99 of 100 keep within."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from keepstep.core.delivery import known_in_step
from keepstep.core.freshness import Freshness
from keepstep.store.models import Mailbox, Operator
from keepstep.store.overview import behind

pytestmark = pytest.mark.usefixtures("any_database")

NOW = datetime(2026, 11, 24, 9, 30, 0, 250_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def in_step(*seconds: float, sync: bool = True) -> list[Mailbox]:
    """Make mailboxes whose last rounds were so long ago."""
    operators = Operator.objects.bulk_create(
        Operator(email=f"m{number}{sync}@example.com", calendar_sync=sync)
        for number in range(len(seconds))
    )
    return Mailbox.objects.bulk_create(
        Mailbox(operator=operator, last_success=NOW - timedelta(seconds=each))
        for operator, each in zip(operators, seconds, strict=True)
    )


def test_ninety_nine_of_a_hundred_are_no_further_behind() -> None:
    in_step(*range(1, 101))
    assert behind(NOW) == Freshness(100, 100, 99)


def test_few_are_all_among_the_ninety_nine() -> None:
    in_step(7, 300.5, 20)
    assert behind(NOW) == Freshness(3, 300.5, 300.5)


def test_who_was_never_in_step_or_is_switched_off_does_not_count() -> None:
    in_step(500, sync=False)
    [mailbox] = in_step(5)
    Mailbox.objects.filter(pk=mailbox.pk).update(last_success=None)
    assert behind(NOW) == Freshness(0, None, None)


def test_a_round_later_than_now_is_behind_by_nothing() -> None:
    in_step(-3)
    assert behind(NOW) == Freshness(1, 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_who_is_told_of_counts_as_the_case_table_says(seed: int) -> None:
    random = Random(seed)
    made = in_step(*(random.randrange(10_000) / 10 for _ in range(250)))
    for each in made:
        each.covered_until = random.choice((None, NOW - MINUTE, NOW, NOW + MINUTE))
        each.failing_since = random.choice((None, None, NOW - MINUTE))
    Mailbox.objects.bulk_update(made, ["covered_until", "failing_since"])
    ages = sorted(NOW - known(each) for each in made)
    expected = Freshness(250, ages[-1].total_seconds(), ages[247].total_seconds())
    assert behind(NOW) == expected


def known(mailbox: Mailbox) -> datetime:
    assert mailbox.last_success is not None
    failing = mailbox.failing_since is not None
    return known_in_step(mailbox.last_success, mailbox.covered_until, failing=failing, now=NOW)
