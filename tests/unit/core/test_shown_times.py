"""Where on the days of a zone an appointment is drawn, on days of a clock change too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from keepstep.core.shown_times import WallClock, drawn, utc_offset

YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
BERLIN = WallClock(ZoneInfo("Europe/Berlin"), *YEAR)
HOUR = timedelta(hours=1)


def at(month, day, hour, minute=0):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def wall(month, day, hour, minute=0):
    """A wall time, marked as UTC."""
    return at(month, day, hour, minute)


def test_it_is_drawn_at_the_wall_clock_of_the_zone():
    assert drawn(at(11, 24, 9), at(11, 24, 10), BERLIN) == (
        wall(11, 24, 10),
        wall(11, 24, 11),
        True,
    )
    kolkata = WallClock(ZoneInfo("Asia/Kolkata"), *YEAR)
    assert drawn(at(11, 24, 9), at(11, 24, 10), kolkata).start == wall(11, 24, 14, 30)


def test_across_the_skipped_hour_it_is_drawn_from_the_clock_before_to_the_clock_after():
    assert drawn(at(3, 29, 0, 30), at(3, 29, 1, 30), BERLIN) == (
        wall(3, 29, 1, 30),
        wall(3, 29, 3, 30),
        True,
    )


def test_what_ends_by_the_clock_before_it_begins_is_drawn_by_its_length():
    start = at(10, 25, 0, 45)  # 02:45 in summer, until 02:15 in winter
    shown = drawn(start, start + timedelta(minutes=30), BERLIN)
    assert shown == (wall(10, 25, 2, 45), wall(10, 25, 3, 15), False)


def test_in_the_second_of_the_doubled_hours_it_is_drawn_as_the_clock_shows():
    assert drawn(at(10, 25, 1), at(10, 25, 2), BERLIN) == (wall(10, 25, 2), wall(10, 25, 3), True)


def test_what_has_no_length_is_drawn_so_that_it_can_be_seen():
    shown = drawn(at(6, 1, 22), at(6, 1, 22), BERLIN)
    assert shown == (wall(6, 2, 0), wall(6, 2, 0, 15), False)


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("UTC", "+00:00"),
        ("Europe/Berlin", "+02:00"),
        ("Asia/Kathmandu", "+05:45"),
        ("America/St_Johns", "-02:30"),
    ],
)
def test_the_offset_is_written_with_sign_hours_and_minutes(zone, offset):
    assert utc_offset(at(7, 1, 12), ZoneInfo(zone)) == offset


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
    ],
)
def test_a_clock_shows_at_every_quarter_of_an_hour_what_the_zone_says(zone):
    rules = ZoneInfo(zone)
    clock = WallClock(rules, at(2, 1, 0), at(11, 30, 0))
    instant = at(1, 15, 0)
    while instant < at(12, 15, 0):
        shown = instant.astimezone(rules).replace(tzinfo=UTC, fold=0)
        assert clock(instant) == shown, instant
        instant += timedelta(minutes=15)


def test_a_clock_turns_at_the_very_instant_of_the_change():
    assert BERLIN(at(3, 29, 1) - timedelta(seconds=1)) == at(3, 29, 2) - timedelta(seconds=1)
    assert BERLIN(at(3, 29, 1)) == at(3, 29, 3)
