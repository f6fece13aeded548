"""How connections to one Exchange are divided: never more than the limit, nobody left without."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keepstep.core.shares import SHARD_SIZE, fair_share, shard_of, shares_of

LIMITS = st.integers(1, 300)


@given(LIMITS)
def test_all_together_never_have_more_connections_than_the_limit(limit: int) -> None:
    shares = shares_of(limit)
    living = shares.living.jobs * shares.living.connections
    first = shares.first.jobs * shares.first.connections
    assert living + first + shares.notified <= limit
    assert living >= 1


@given(LIMITS)
def test_the_living_have_the_most(limit: int) -> None:
    shares = shares_of(limit)
    living = shares.living.jobs * shares.living.connections
    assert living >= shares.first.jobs * shares.first.connections
    assert living >= shares.notified


@given(LIMITS, st.integers(1, 50))
def test_processes_that_have_their_fair_share_leave_nothing_undone(
    limit: int, members: int
) -> None:
    shares = shares_of(limit)
    for each in (shares.living, shares.first):
        share = fair_share(each, members)
        assert share * members >= each.jobs
        assert (share - 1) * members < each.jobs


def test_a_shard_is_of_neighbours() -> None:
    assert [shard_of(each) for each in (0, SHARD_SIZE - 1, SHARD_SIZE)] == [0, 0, 1]
