"""Who is named in a failure e-mail, and when an episode is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from keepstep.core.episodes import Episode, NamedEpisode, all_over, to_be_named

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)


def failing(number: int, minutes: float, code: str = "timed-out") -> Episode:
    since = NOW - timedelta(minutes=minutes)
    return Episode(number, f"m{number}@example.com", code, since)


def named(*episodes: Episode, at: datetime = NOW) -> list[int]:
    return [each.mailbox_id for each in to_be_named(episodes, frozenset(), at, HALF_AN_HOUR)]


def test_nobody_is_named_before_the_time_is_over() -> None:
    assert named(failing(1, 29.9)) == []


def test_one_that_failed_alone_is_named_at_once() -> None:
    assert named(failing(1, 30)) == [1]


def test_those_that_follow_within_a_minute_are_waited_for() -> None:
    together = (failing(1, 30.2), failing(2, 29.8), failing(3, 20))
    assert named(*together) == []
    assert named(*together, at=NOW + timedelta(seconds=13)) == [1, 2]


def test_nobody_waits_for_more_than_a_minute() -> None:
    crowd = [failing(number, 31 - number / 10) for number in range(30)]
    assert sorted(named(*crowd)) == list(range(11))


def test_one_named_already_is_not_named_again() -> None:
    old, new = failing(1, 300), failing(2, 30)
    found = to_be_named([old, new], {old.key}, NOW, HALF_AN_HOUR)
    assert [each.mailbox_id for each in found] == [2]


def test_a_mailbox_that_fails_again_after_success_is_named_again() -> None:
    first, second = failing(1, 300), failing(1, 30)
    assert to_be_named([second], {first.key}, NOW, HALF_AN_HOUR) == [second]


def test_those_named_stand_by_code_and_address() -> None:
    mixed = (failing(3, 40, "timed-out"), failing(2, 40, "server-error"), failing(1, 40))
    assert named(*mixed) == [2, 1, 3]


def test_an_episode_lasts_until_the_mailbox_is_in_step_or_off() -> None:
    since = NOW - HALF_AN_HOUR
    assert not NamedEpisode(1, since, since, enabled=True).over
    assert NamedEpisode(1, since, None, enabled=True).over
    assert NamedEpisode(1, since, NOW, enabled=True).over
    assert NamedEpisode(1, since, since, enabled=False).over


def test_recovery_is_told_when_the_last_one_is_over() -> None:
    since = NOW - HALF_AN_HOUR
    over = NamedEpisode(1, since, None, enabled=True)
    assert not all_over([over, NamedEpisode(2, since, since, enabled=True)])
    assert all_over([over, over])
