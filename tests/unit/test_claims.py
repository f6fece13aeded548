"""Two jobs whose contexts overlap never work on one mailbox at once, and none is forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep.store.jobs import SYNCHRONIZATION, VERIFICATION
from keepstep.sync.claims import Claims

SOON = 0.05


def test_a_mailbox_at_work_is_left_out_until_it_is_let_go() -> None:
    claims = Claims()
    assert claims.claim([1, 2], SYNCHRONIZATION) == [1, 2]
    assert claims.claim([2, 3], SYNCHRONIZATION) == [3]
    claims.release([2])
    assert claims.claim([1, 2, 3], SYNCHRONIZATION) == [2]


async def test_what_is_free_is_claimed_at_once() -> None:
    claims = Claims()
    wanted = claims.reserve([1, 2], VERIFICATION)
    assert await claims.claim_reserved(wanted, VERIFICATION, gather_seconds=60) == [1, 2]


async def test_who_waits_gets_all_once_they_are_let_go_and_no_other_takes_them_before() -> None:
    claims = Claims()
    claims.claim([1, 2], SYNCHRONIZATION)
    wanted = claims.reserve([1, 2, 3], VERIFICATION)
    waiting = asyncio.create_task(claims.claim_reserved(wanted, VERIFICATION, gather_seconds=60))
    for each in (1, 2):
        await asyncio.sleep(0)
        assert not waiting.done()
        claims.release([each])
        assert claims.claim([1, 2, 3], SYNCHRONIZATION) == []
    assert await waiting == [1, 2, 3]


async def test_one_that_is_not_let_go_keeps_the_others_waiting_only_so_long() -> None:
    claims = Claims()
    claims.claim([1], SYNCHRONIZATION)
    wanted = claims.reserve([1, 2], VERIFICATION)
    assert await claims.claim_reserved(wanted, VERIFICATION, gather_seconds=SOON) == [2]
    rest = asyncio.create_task(claims.claim_reserved([1], VERIFICATION, gather_seconds=SOON))
    await asyncio.sleep(2 * SOON)
    assert not rest.done()
    claims.release([1])
    assert await rest == [1]


def test_the_same_work_is_not_waited_for() -> None:
    claims = Claims()
    claims.claim([1], VERIFICATION)
    assert claims.reserve([1, 2], VERIFICATION) == [2]
    assert claims.reserve([2], VERIFICATION) == []


def test_what_was_reserved_in_vain_is_free_again() -> None:
    claims = Claims()
    claims.give_back(claims.reserve([1], VERIFICATION))
    assert claims.claim([1], SYNCHRONIZATION) == [1]


JOBS = st.lists(
    st.tuples(
        st.sampled_from([SYNCHRONIZATION, VERIFICATION]),
        st.sets(st.integers(0, 5)),
        st.integers(0, 4),
    ),
    max_size=8,
)


@given(jobs=JOBS)
@settings(max_examples=150, deadline=None)
def test_whatever_jobs_overlap_no_mailbox_is_worked_on_twice_at_once(
    jobs: list[tuple[str, set[int], int]],
) -> None:
    """Each verification comes to all its mailboxes, and in the end none is at work."""

    async def all_jobs() -> None:
        claims, at_work, verified = Claims(), Counter[int](), Counter[int]()

        async def work(kind: str, ids: list[int], steps: int) -> None:
            at_work.update(ids)
            assert not ids or max(at_work.values()) == 1
            for each in ids:
                for _ in range(steps):
                    await asyncio.sleep(0)
                at_work[each] -= 1
                verified[each] += kind == VERIFICATION
                claims.release([each])

        async def job(kind: str, ids: list[int], steps: int) -> None:
            if kind == SYNCHRONIZATION:
                await work(kind, claims.claim(ids, kind), steps)
                return
            waiting = claims.reserve(ids, kind)
            while waiting:
                found = await claims.claim_reserved(waiting, kind, gather_seconds=0)
                waiting = [each for each in waiting if each not in found]
                await work(kind, found, steps)

        async with asyncio.timeout(5):
            await asyncio.gather(*(job(kind, sorted(ids), n) for kind, ids, n in jobs))
        assert not +at_work
        wanted = {each for kind, ids, _ in jobs if kind == VERIFICATION for each in ids}
        assert wanted == set(+verified)
        assert claims.claim(range(6), SYNCHRONIZATION) == [0, 1, 2, 3, 4, 5]

    asyncio.run(all_jobs())
