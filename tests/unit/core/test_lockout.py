"""A wrong password is not tried so often that the directory locks the account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from keepstep.core.lockout import PROVEN, SignInRecord, after_refusal, claimed

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def refused(times: int) -> SignInRecord:
    record = PROVEN
    for _ in range(times):
        record = after_refusal(record, NOW)
    return record


def test_two_refusals_hold_nobody_back() -> None:
    assert not refused(2).wrong
    assert refused(2).held_until(NOW) is None


def test_the_third_in_a_row_marks_the_sign_in_as_wrong() -> None:
    assert refused(3).wrong
    assert refused(3).held_until(NOW) == NOW + timedelta(minutes=15)
    assert refused(3).held_until(NOW + timedelta(minutes=15)) is None


def test_what_was_under_way_then_makes_the_pause_no_longer() -> None:
    assert refused(20) == refused(3)


def test_pauses_grow_to_an_hour_with_each_probe() -> None:
    record, at, minutes = refused(3), NOW, []
    for _ in range(5):
        until = record.held_until(at)
        assert until is not None
        minutes.append((until - at).total_seconds() / 60)
        at = until
        record = after_refusal(claimed(record, at), at)
    assert minutes == [15, 30, 60, 60, 60]


def test_while_a_probe_is_on_its_way_nobody_else_may() -> None:
    later = NOW + timedelta(minutes=15)
    assert claimed(refused(3), later).held_until(later) == later + timedelta(minutes=30)


def test_no_half_hour_sees_five_attempts() -> None:
    at, record, attempts = NOW, PROVEN, []
    while at < NOW + timedelta(hours=24):
        attempts.append(at)
        record = after_refusal(claimed(record, at) if record.wrong else record, at)
        at = record.held_until(at) or at
    assert len(attempts) < 30
    for first in attempts:
        assert sum(first <= each < first + timedelta(minutes=30) for each in attempts) < 5
