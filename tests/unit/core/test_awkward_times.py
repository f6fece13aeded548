"""A table of the world's awkward times: what clocks show, and when a series happens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keepstep.core.appointment import AbsoluteMonthly, Daily, Weekday, Weekly, Zone
from keepstep.core.recurrence import occurrences
from keepstep.core.timezones import instant, local
from tests.unit.core.builders import BERLIN, CUSTOM_NEW_YORK, NEW_YORK, series, utc, wall

# Zone, wall time, the instant at which it is, the wall time that clocks then show.
TIMES = [
    # 02:00 to 03:00 is skipped: shown an hour later.
    ("America/New_York", "2026-03-08 01:59", "2026-03-08 06:59", "2026-03-08 01:59"),
    ("America/New_York", "2026-03-08 02:00", "2026-03-08 07:00", "2026-03-08 03:00"),
    ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:30", "2026-03-08 03:30"),
    ("America/New_York", "2026-03-08 03:00", "2026-03-08 07:00", "2026-03-08 03:00"),
    # 01:00 to 02:00 is doubled: the first, in daylight time.
    ("America/New_York", "2026-11-01 00:59", "2026-11-01 04:59", "2026-11-01 00:59"),
    ("America/New_York", "2026-11-01 01:00", "2026-11-01 05:00", "2026-11-01 01:00"),
    ("America/New_York", "2026-11-01 01:59", "2026-11-01 05:59", "2026-11-01 01:59"),
    ("America/New_York", "2026-11-01 02:00", "2026-11-01 07:00", "2026-11-01 02:00"),
    ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30", "2026-03-29 03:30"),
    ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30", "2026-10-25 02:30"),
    ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00", "2026-10-25 03:00"),
    # Half an hour is skipped and doubled on Lord Howe Island.
    ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45", "2026-10-04 02:45"),
    ("Australia/Lord_Howe", "2026-10-04 02:30", "2026-10-03 15:30", "2026-10-04 02:30"),
    ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45", "2026-04-05 01:45"),
    ("Australia/Lord_Howe", "2026-04-05 02:00", "2026-04-04 15:30", "2026-04-05 02:00"),
    # Three quarters of an hour.
    ("Asia/Kathmandu", "2026-06-01 09:00", "2026-06-01 03:15", "2026-06-01 09:00"),
    ("Asia/Kathmandu", "1985-12-31 09:00", "1985-12-31 03:30", "1985-12-31 09:00"),
    # Sao Paulo skipped midnight itself, and gave daylight time up in 2019.
    ("America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00", "2018-11-04 01:00"),
    ("America/Sao_Paulo", "2018-02-17 23:30", "2018-02-18 01:30", "2018-02-17 23:30"),
    ("America/Sao_Paulo", "2018-12-15 09:00", "2018-12-15 11:00", "2018-12-15 09:00"),
    ("America/Sao_Paulo", "2019-12-15 09:00", "2019-12-15 12:00", "2019-12-15 09:00"),
    # Casablanca leaves its summer time for Ramadan.
    ("Africa/Casablanca", "2026-01-15 09:00", "2026-01-15 08:00", "2026-01-15 09:00"),
    ("Africa/Casablanca", "2026-03-01 09:00", "2026-03-01 09:00", "2026-03-01 09:00"),
    ("Africa/Casablanca", "2026-04-15 09:00", "2026-04-15 08:00", "2026-04-15 09:00"),
    # Apia had no 30 December in 2011.
    ("Pacific/Apia", "2011-12-29 09:00", "2011-12-29 19:00", "2011-12-29 09:00"),
    ("Pacific/Apia", "2011-12-30 09:00", "2011-12-30 19:00", "2011-12-31 09:00"),
    ("Pacific/Apia", "2011-12-31 09:00", "2011-12-30 19:00", "2011-12-31 09:00"),
    # Far in the future today's rules are followed.
    ("Europe/Berlin", "2301-07-01 09:00", "2301-07-01 07:00", "2301-07-01 09:00"),
]


@pytest.mark.parametrize(("zone", "at", "expected", "shown"), TIMES)
def test_a_wall_time_is_an_instant_and_back(zone: str, at: str, expected: str, shown: str) -> None:
    found = instant(wall(at), Zone(zone))
    assert found == utc(expected)
    assert local(found, Zone(zone)) == wall(shown)


@pytest.mark.parametrize(
    ("at", "expected", "shown"),
    [row[1:] for row in TIMES if row[0] == "America/New_York"],
)
def test_a_zone_given_by_its_rules_treats_them_alike(at: str, expected: str, shown: str) -> None:
    found = instant(wall(at), CUSTOM_NEW_YORK)
    assert found == utc(expected)
    assert local(found, CUSTOM_NEW_YORK) == wall(shown)


# Zone, first start, days looked at (UTC, the last exclusive), starts.
DAILY = [
    ("Europe/Berlin", "1995-01-02 09:00", "2026-03-28", "2026-03-31",
     ["2026-03-28 08:00", "2026-03-29 07:00", "2026-03-30 07:00"]),
    ("America/New_York", "2020-01-01 02:30", "2026-03-07", "2026-03-10",
     ["2026-03-07 07:30", "2026-03-08 07:30", "2026-03-09 06:30"]),
    ("America/New_York", "2020-01-01 01:30", "2026-10-31", "2026-11-03",
     ["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"]),
    ("Australia/Lord_Howe", "2020-01-01 02:15", "2026-10-02", "2026-10-05",
     ["2026-10-02 15:45", "2026-10-03 15:45", "2026-10-04 15:15"]),
    ("Asia/Kathmandu", "2020-01-01 09:00", "2026-03-29", "2026-03-31",
     ["2026-03-29 03:15", "2026-03-30 03:15"]),
    ("America/Sao_Paulo", "2015-01-01 09:00", "2018-11-03", "2018-11-05",
     ["2018-11-03 12:00", "2018-11-04 11:00"]),
    ("America/Sao_Paulo", "2015-01-01 09:00", "2019-11-03", "2019-11-05",
     ["2019-11-03 12:00", "2019-11-04 12:00"]),
    ("Africa/Casablanca", "2020-01-01 09:00", "2026-02-14", "2026-02-17",
     ["2026-02-14 08:00", "2026-02-15 09:00", "2026-02-16 09:00"]),
    # The day that was left out falls together with the next: once.
    ("Pacific/Apia", "2011-12-01 09:00", "2011-12-28", "2012-01-01",
     ["2011-12-28 19:00", "2011-12-29 19:00", "2011-12-30 19:00", "2011-12-31 19:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "first", "start", "end", "starts"), DAILY)
def test_a_daily_series_keeps_its_wall_clock(
    zone: str, first: str, start: str, end: str, starts: list[str]
) -> None:
    appointment = series(Daily(), first, zone=Zone(zone))
    found = occurrences(appointment, utc(start), utc(end))
    assert [each.start for each in found] == [utc(each) for each in starts]


def test_a_weekly_series_of_the_day_that_apia_left_out_is_shown_the_day_after() -> None:
    apia = Zone("Pacific/Apia")
    friday = series(Weekly(1, frozenset({Weekday.FRIDAY})), "2011-12-02 09:00", zone=apia)
    found = occurrences(friday, utc("2011-12-25"), utc("2012-01-08"))
    assert [local(each.start, apia) for each in found] == [
        wall("2011-12-31 09:00"),
        wall("2012-01-06 09:00"),
    ]


def test_an_occurrence_across_a_clock_change_ends_at_its_wall_time() -> None:
    night = series(Daily(), "2026-03-01 22:00", length=timedelta(hours=8))
    found = occurrences(night, utc("2026-03-28 12:00"), utc("2026-03-29 12:00"))
    assert [(each.start, each.end) for each in found] == [
        (utc("2026-03-28 21:00"), utc("2026-03-29 04:00"))
    ]


def test_an_occurrence_within_skipped_hours_keeps_its_length() -> None:
    early = series(Daily(), "2026-03-01 02:15", length=timedelta(minutes=30))
    found = occurrences(early, utc("2026-03-29"), utc("2026-03-30"))
    assert [(each.start, each.end) for each in found] == [
        (utc("2026-03-29 01:15"), utc("2026-03-29 01:45"))
    ]


def test_an_occurrence_that_ends_as_the_skipped_hour_ends_keeps_its_length() -> None:
    early = series(Daily(), "2026-03-01 02:00", length=timedelta(hours=1))
    found = occurrences(early, utc("2026-03-29"), utc("2026-03-30"))
    assert [(each.start, each.end) for each in found] == [
        (utc("2026-03-29 01:00"), utc("2026-03-29 02:00"))
    ]


def test_the_zone_of_the_end_is_for_display_and_leaves_the_series_alone() -> None:
    """Berlin and New York change their clocks on different days."""
    flight = series(Daily(), "2026-03-01 09:00", length=timedelta(hours=9), end_zone=NEW_YORK)
    found = occurrences(flight, utc("2026-03-10"), utc("2026-03-11"))
    assert [(each.start, each.end) for each in found] == [
        (utc("2026-03-10 08:00"), utc("2026-03-10 17:00"))
    ]


def test_day_31_is_the_last_of_a_shorter_month() -> None:
    appointment = series(AbsoluteMonthly(1, 31), "2026-01-31 09:00")
    found = occurrences(appointment, utc("2026-01-01"), utc("2026-06-01"))
    assert [local(each.start, BERLIN).date().isoformat() for each in found] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
    ]


def test_a_series_that_begins_in_a_doubled_hour_keeps_a_length() -> None:
    """From 02:30 to 02:15, seen on the clock: three quarters of an hour."""
    first = utc("2026-10-25 00:30")
    appointment = series(Daily(), "2026-10-25 02:30", length=timedelta(0))
    told = type(appointment)(
        "id", "key", "uid", first, utc("2026-10-25 01:15"),
        zone=BERLIN, recurrence=appointment.recurrence,
    )  # fmt: skip
    found = occurrences(told, utc("2026-10-26"), utc("2026-10-27"))
    assert [each.end - each.start for each in found] == [timedelta(minutes=45)]
