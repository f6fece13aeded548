"""When a job runs next."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from keepstep.core.job_schedule import EveryMinutes, next_runs, parse_schedule

NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)


def at(hour, minute=0, day=24, month=11):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(("text", "minutes"), [("1", 1), (" 5 ", 5), ("1440", 1440)])
def test_a_number_means_so_many_minutes(text, minutes):
    assert parse_schedule(text) == EveryMinutes(minutes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", "must be from 1 to 1440 minutes, not 0"),
        ("1441", "must be from 1 to 1440 minutes, not 1441"),
        ("-3", "must be from 1 to 1440 minutes, not -3"),
        ("9" * 5000, "must be from 1 to 1440 minutes"),
        ("", "must be minutes (1-1440) or a cron line of five fields"),
        ("often", "must be minutes (1-1440) or a cron line of five fields"),
        ("* * * *", "must be minutes (1-1440) or a cron line of five fields"),
        ("0 * * * * *", "must be minutes (1-1440) or a cron line of five fields"),
        ("61 * * * *", "is no cron line: bad minute"),
        ("0 2 31 2 *", "is no cron line: bad day-of-month"),
        ("0 2 * * MOO", "is no cron line: bad day-of-week"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match="^" + reason.replace("(", r"\(").replace(")", r"\)")):
        parse_schedule(text)


def test_minutes_fall_on_the_same_times_whenever_one_asks():
    five = EveryMinutes(5)
    assert next_runs(five, NOON, 3) == [at(12, 5), at(12, 10), at(12, 15)]
    assert next_runs(five, NOON + timedelta(minutes=3), 1) == [at(12, 5)]


def test_a_run_is_later_than_the_instant_asked_about():
    assert next_runs(EveryMinutes(1), at(12), 1) == [at(12, 1)]
    assert next_runs(parse_schedule("* * * * *"), at(12), 1) == [at(12, 1)]


def test_a_cron_line_is_read_in_its_zone_and_given_in_utc():
    nightly = parse_schedule("30 2 * * *", ZoneInfo("America/New_York"))
    assert next_runs(nightly, NOON, 2) == [at(7, 30, day=25), at(7, 30, day=26)]


def test_a_nightly_job_runs_once_on_each_day_of_a_clock_change():
    berlin = ZoneInfo("Europe/Berlin")
    nightly = parse_schedule("30 2 * * *", berlin)
    spring = next_runs(nightly, datetime(2026, 3, 28, 12, tzinfo=UTC), 2)
    assert [run.astimezone(berlin).strftime("%d %H:%M") for run in spring] == [
        "29 03:00",
        "30 02:30",
    ]
    autumn = next_runs(nightly, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert [run.astimezone(berlin).strftime("%d %H:%M") for run in autumn] == [
        "25 02:30",
        "26 02:30",
    ]


@pytest.mark.parametrize("text", ["5", "*/5 8-18 * * 1-5"])
def test_a_schedule_shows_as_it_was_typed(text):
    assert str(parse_schedule(text)) == text
