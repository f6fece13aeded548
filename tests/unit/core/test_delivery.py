"""Which way each mailbox gets, decided without a network."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepstep.core.bursts import (
    AT_ONCE_SECONDS,
    CALM_SECONDS,
    LONGEST_SECONDS,
    Told,
    due_at,
)
from keepstep.core.delivery import (
    PROBE_PATIENCE,
    PROBES,
    Delivery,
    Outlook,
    Standing,
    Watched,
    Way,
    covered_until,
    known_in_step,
    plan,
    way_now,
    ways_of,
)

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
BOTH = (Way.PUSH, Way.STREAMING)


def box(number: int = 1, **given: object) -> Watched:
    watched = Watched(number, f"m{number}@example.com", "UTC", f"folder{number}", wanted=True)
    return replace(watched, **given)  # type: ignore[arg-type]


def subscribed(way: Way, number: int = 1, **given: object) -> Watched:
    standing = Standing(
        way, "s", f"folder{number}", f"m{number}@example.com", "w", NOW, None, ours=True
    )
    return box(number, standing=replace(standing, **given))  # type: ignore[arg-type]


def outlook(*ways: Way, proven: bool = True, since: datetime | None = None) -> Outlook:
    return Outlook(ways or BOTH, HALF_HOUR, proven, since)


@pytest.mark.parametrize(
    ("delivery", "has_address", "refused", "ways"),
    [
        (Delivery.AUTOMATIC, True, (), BOTH),
        (Delivery.AUTOMATIC, False, (), (Way.STREAMING,)),
        (Delivery.AUTOMATIC, True, (Way.PUSH,), (Way.STREAMING,)),
        (Delivery.AUTOMATIC, True, BOTH, ()),
        (Delivery.PUSH, False, (), ()),
        (Delivery.STREAMING, True, (), (Way.STREAMING,)),
        (Delivery.POLLING, True, (), ()),
    ],
)
def test_the_best_way_that_the_network_allows_comes_first(
    delivery: Delivery, has_address: bool, refused: tuple[Way, ...], ways: tuple[Way, ...]
) -> None:
    assert ways_of(delivery, has_address=has_address, refused=refused) == ways


def test_all_get_push_once_it_is_proven() -> None:
    boxes = [box(number) for number in range(20)]
    assert plan(boxes, outlook(), NOW).subscribe == tuple((each, Way.PUSH) for each in boxes)


def test_until_push_is_proven_a_few_try_it_out_and_the_others_wait() -> None:
    boxes = [box(number) for number in range(20)]
    asked = plan(boxes, outlook(proven=False, since=NOW), NOW).subscribe
    assert asked == tuple((each, Way.PUSH) for each in boxes[:PROBES])


def test_where_push_does_not_prove_itself_the_others_stream() -> None:
    boxes = [box(number) for number in range(20)]
    asked = plan(boxes, outlook(proven=False, since=NOW - PROBE_PATIENCE), NOW).subscribe
    assert asked[PROBES:] == tuple((each, Way.STREAMING) for each in boxes[PROBES:])


def test_a_subscription_that_stands_is_left_alone() -> None:
    assert plan([subscribed(Way.STREAMING)], outlook(Way.STREAMING), NOW).subscribe == ()


@pytest.mark.parametrize(
    "given",
    [
        {"ours": False},
        {"folder_id": "another"},
        {"address": "other@example.com"},
        {"subscribed_at": NOW - 2 * HALF_HOUR},
    ],
)
def test_it_is_made_anew_after_a_restart_a_move_or_silence(given: dict[str, object]) -> None:
    mailbox = subscribed(Way.PUSH, **given)
    assert plan([mailbox], outlook(Way.PUSH), NOW).subscribe == ((mailbox, Way.PUSH),)


def test_one_that_was_refused_is_asked_for_again_in_its_time() -> None:
    mailbox = box(retry_at=NOW + timedelta(minutes=1))
    assert plan([mailbox], outlook(), NOW).subscribe == ()
    assert plan([mailbox], outlook(), NOW + timedelta(minutes=1)).subscribe


def test_who_is_switched_off_is_unsubscribed() -> None:
    mailbox = replace(subscribed(Way.PUSH), wanted=False)
    assert plan([mailbox, box(2, wanted=False)], outlook(), NOW).end == (mailbox,)


def test_polling_ends_every_subscription() -> None:
    mailbox = subscribed(Way.STREAMING)
    assert plan([mailbox], Outlook((), HALF_HOUR), NOW).end == (mailbox,)


def test_two_minutes_after_a_sign_of_life_was_due_a_mailbox_is_polled_again() -> None:
    assert covered_until(Way.PUSH, NOW, HALF_HOUR) == NOW + timedelta(minutes=32)
    assert covered_until(Way.STREAMING, NOW, HALF_HOUR) == NOW + timedelta(minutes=3)


def test_the_way_shown_is_the_one_that_serves_now() -> None:
    until = NOW + timedelta(minutes=3)
    assert way_now("streaming", until, NOW) is Way.STREAMING
    assert way_now("streaming", until, until) is Way.POLLING
    assert way_now("streaming", None, NOW) is Way.POLLING
    assert way_now("", until, NOW) is Way.POLLING


def test_being_told_of_nothing_is_as_good_as_a_round_unless_rounds_fail() -> None:
    before, until = NOW - HALF_HOUR, NOW + timedelta(minutes=1)
    assert known_in_step(before, until, failing=False, now=NOW) == NOW
    assert known_in_step(before, until, failing=True, now=NOW) == before
    assert known_in_step(before, until, failing=False, now=until) == before
    assert known_in_step(before, None, failing=False, now=NOW) == before


@given(st.lists(st.floats(0, 3), max_size=60), st.none() | st.floats(0, 30))
def test_a_burst_waits_for_quiet_but_never_longer_than_ten_seconds(
    gaps: list[float], before: float | None
) -> None:
    told = Told(100.0, 100.0 + sum(gaps))
    due = due_at(told, None if before is None else 100.0 - before)
    assert 100 <= due <= 100 + LONGEST_SECONDS
    if before is None or before > CALM_SECONDS:
        assert due == 100 + AT_ONCE_SECONDS
    else:
        assert due >= min(told.latest, 100 + LONGEST_SECONDS)
