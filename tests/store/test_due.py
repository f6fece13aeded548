"""Which mailboxes are to be polled, where notifications tell of some of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, product

import pytest

from keepstep.core.shares import SHARD_SIZE
from keepstep.store import runs
from keepstep.store.models import Mailbox, Operator
from keepstep.store.runs import Shard

pytestmark = pytest.mark.usefixtures("any_database")

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FLAGS = ("full_round_wanted", "in_full_round", "unsettled")


def mailboxes() -> list[Mailbox]:
    """Make some of each kind: heard of or not, in step or not, polled before or after its turn."""
    kinds = list(
        product(
            (None, NOW - SECOND, NOW, NOW + SECOND),
            (None, NOW - HOUR),
            (*FLAGS, ""),
            (None, 0, 1, -1),
        )
    )
    operators = Operator.objects.bulk_create(
        Operator(email=f"m{number}@example.com", calendar_sync=True)
        for number in range(12 * len(kinds))
    )
    made = []
    for operator, (covered, failing, flag, beside) in zip(operators, 12 * kinds, strict=True):
        # The turn is the rest of its number, which it has only once it is made.
        made.append(
            Mailbox(
                id=operator.pk,
                operator=operator,
                covered_until=covered,
                failing_since=failing,
                last_success=None if beside is None else turn(operator.pk) + beside * SECOND,
                **({flag: True} if flag else {}),
            )
        )
    return Mailbox.objects.bulk_create(made)


def turn(number: int) -> datetime:
    """Give up to when a success is too long ago: a twelfth of a third later for each turn."""
    return NOW - HOUR + (number % 12) * HOUR / 36


def needs_poll(mailbox: Mailbox) -> bool:
    """Say, as docs/delivery.md does, whether it is polled though notifications may tell of it."""
    is_heard_of = mailbox.covered_until is not None and mailbox.covered_until > NOW
    is_in_step = mailbox.failing_since is None and not any(getattr(mailbox, f) for f in FLAGS)
    was_polled = mailbox.last_success is not None and mailbox.last_success > turn(mailbox.pk)
    return not (is_heard_of and is_in_step and was_polled)


def test_all_are_polled_but_those_heard_of_in_step_and_polled_since_their_turn() -> None:
    made = mailboxes()
    expected = [each.pk for each in made if needs_poll(each)]
    assert 0 < len(expected) < len(made)
    assert runs.due_mailboxes("system", NOW, safety_poll=HOUR) == expected
    assert runs.due_mailboxes("system", NOW) == [each.pk for each in made]


def test_what_is_due_of_the_shards_is_together_all_that_is_due() -> None:
    mailboxes()
    shards = runs.due_shards("system", NOW, safety_poll=HOUR)
    found = [runs.due_mailboxes("system", NOW, safety_poll=HOUR, shard=each) for each in shards]
    assert all(found), "a shard was named in which nothing is due"
    assert sorted(chain(*found)) == runs.due_mailboxes("system", NOW, safety_poll=HOUR)
    for shard, ids in zip(shards, found, strict=True):
        assert {each // SHARD_SIZE for each in ids} == {shard.number}


def test_the_long_ones_of_a_shard_are_those_that_need_a_full_round() -> None:
    made = mailboxes()
    number = made[0].pk // SHARD_SIZE
    long = runs.due_mailboxes("system", NOW, shard=Shard(number, long=True))
    assert long == [
        each.pk
        for each in made
        if each.pk // SHARD_SIZE == number
        and (each.last_success is None or each.full_round_wanted or each.in_full_round)
    ]
