"""What an independent reader expands of a feed is what Keepstep shows."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from icalendar import Event

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Appointment,
    ChangedOccurrence,
    Daily,
    Details,
    Pattern,
    RelativeMonthly,
    RelativeYearly,
    Sensitivity,
    Weekday,
    Weekly,
    Zone,
)
from keepstep.core.ical.events import Window
from keepstep.core.record import ALL, Shown, overtake, shown_occurrences, succeed
from keepstep.core.timezones import local
from tests.feeds.feeding import TEXTS, Row, around, feed_of
from tests.feeds.reader import Seen, components, in_order, read, shown
from tests.unit.core import test_record
from tests.unit.core.builders import BERLIN, CUSTOM_NEW_YORK, series, utc
from tests.unit.core.rrule_model import Case
from tests.unit.core.series_cases import cases
from tests.unit.core.test_series_against_rrule import appointment_of

SOAK = os.environ.get("KEEPSTEP_SOAK") == "1"
DAY = timedelta(days=1)
BEYOND = 120 * DAY
SAMOA_WENT_WEST = utc("2011-12-30 10:00")


def ours(rows: list[Row], start: datetime, end: datetime) -> list[Seen]:
    found = [
        shown(each)
        for appointment, what in rows
        for each in shown_occurrences(appointment, what, start, end)
    ]
    return in_order([each._replace(subject=each.subject or TEXTS.no_subject) for each in found])


def certain(found: list[Seen], window: Window, zone: Zone) -> list[Seen]:
    """Leave out what the edges of a window decide: dates lie in no zone, readers take their own.

    Beyond the horizon only the pattern is told, so what is at a clock change is the reader's own
    affair. This one reads a skipped wall time of a zone that it knows by VTIMEZONE alone with the
    offset after the change, against RFC 5545, 3.3.5, as Keepstep and python-dateutil read it.
    """
    kept = []
    for each in found:
        first, last = (
            at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
            for at in (each.start, each.end)
        )
        if isinstance(each.start, datetime):
            if first < window.horizon or _is_settled(first, last, zone):
                kept.append(each)
        elif last > window.start + 2 * DAY and first < window.horizon + BEYOND - 2 * DAY:
            kept.append(each)
    return kept


def _is_settled(start: datetime, end: datetime, zone: Zone) -> bool:
    """Say whether no clock change is within two days."""
    offsets = {
        local(each, zone) - each.replace(tzinfo=None) for each in (start - 2 * DAY, end + 2 * DAY)
    }
    return len(offsets) == 1


def _is_on(seen: Seen, window: Window) -> bool:
    start, end = seen.start, seen.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return True
    return end > window.start or start == end == window.start


def agree(rows: list[Row], window: Window) -> None:
    text = feed_of(rows, window)
    end, zone = window.horizon + BEYOND, rows[0][0].zone
    # From some days before: the reader takes what ends across a clock change for an hour shorter.
    found = read(text, window.start - 4 * DAY, end)
    read_back = certain([each for each in found if _is_on(each, window)], window, zone)
    assert read_back == certain(ours(rows, window.start, end), window, zone), text.decode()


@settings(max_examples=5000 if SOAK else 80, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_any_series_with_any_exceptions_in_any_zone(drawn: tuple[Case, Zone]) -> None:
    case, zone = drawn
    # Readers differ about the day that Samoa left out in 2011; no feed reaches back to it.
    assume(zone.name != "Pacific/Apia" or not case.start < SAMOA_WENT_WEST < case.end + 40 * DAY)
    agree([(appointment_of(case, zone), ALL)], Window(case.start, case.end + 40 * DAY))


@settings(max_examples=2000 if SOAK else 40, deadline=None)
@given(versions=st.lists(test_record.SERIES, min_size=2, max_size=4))
def test_a_series_whose_past_is_recorded_separately(versions: list[Appointment]) -> None:
    """The record's versions and the present one share a UID, and the calendar's days."""
    boundary = test_record.NOW
    known, what = versions[0], ALL
    records: list[Row] = []
    for now in versions[1:]:
        records = [(each, overtake(each, seen, now, boundary)) for each, seen in records]
        succession = succeed(known, what, now, boundary)
        if succession.record is not None:
            records.append((known, succession.record))
        known, what = now, succession.shown
        boundary += timedelta(hours=30)
    rows = [*records, (known, what)]
    window = around(test_record.NOW, 60)
    agree(rows, window)
    named = [
        (str(each["UID"]), str(each["RECURRENCE-ID"].dt) if "RECURRENCE-ID" in each else "")
        for each in components(feed_of(rows, window))
    ]
    assert len(named) == len(set(named))


PATTERNS: list[tuple[Pattern, str, str]] = [
    (Daily(), "2026-01-07 09:00", "FREQ=DAILY"),
    (Daily(3), "2026-01-07 09:00", "FREQ=DAILY;INTERVAL=3"),
    (
        Weekly(2, frozenset({Weekday.TUESDAY, Weekday.THURSDAY}), Weekday.MONDAY),
        "2026-01-08 09:00",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=MO",
    ),
    (AbsoluteMonthly(1, 15), "2026-01-15 09:00", "FREQ=MONTHLY;BYMONTHDAY=15"),
    (AbsoluteMonthly(1, 31), "2026-01-31 09:00", "FREQ=MONTHLY;BYMONTHDAY=-1"),
    (
        RelativeMonthly(2, frozenset({Weekday.FRIDAY}), -1),
        "2026-01-30 09:00",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=FR;BYSETPOS=-1",
    ),
    (
        RelativeMonthly(1, frozenset(list(Weekday)[:5]), 2),
        "2026-01-02 09:00",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2",
    ),
    (AbsoluteYearly(2, 29), "2024-02-29 09:00", "FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2"),
    (AbsoluteYearly(11, 31), "2024-11-30 09:00", "FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=11"),
    (
        RelativeYearly(11, frozenset({Weekday.THURSDAY}), 4),
        "2025-11-27 09:00",
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=11;BYSETPOS=4",
    ),
]


@pytest.mark.parametrize(("pattern", "first", "rule"), PATTERNS, ids=lambda each: str(each)[:40])
def test_each_pattern_is_a_rule_without_end(pattern: Pattern, first: str, rule: str) -> None:
    made = series(pattern, first)
    window = around(utc("2026-06-01"), 400)
    (event,) = components(feed_of([made], window))
    assert event["RRULE"].to_ical().decode() == rule
    agree([(made, ALL)], window)


@pytest.mark.parametrize("day", [29, 30])
@pytest.mark.parametrize("interval", [1, 2, 5])
def test_a_day_that_february_lacks_is_told_by_a_rule_of_its_own(day: int, interval: int) -> None:
    """Outlook reads no rule that says both, and has a last day of February by the first of them."""
    made = series(AbsoluteMonthly(interval, day), f"2025-12-{day} 09:00")
    window = around(utc("2026-06-01"), 400)
    rules = {each["RRULE"].to_ical().decode(): each for each in components(feed_of([made], window))}
    every = f";INTERVAL={interval}" if interval > 1 else ""
    months = rules.pop(f"FREQ=MONTHLY{every};BYMONTHDAY={day}")
    (rule,) = rules
    assert rule.startswith("FREQ=YEARLY")
    assert rule.endswith("BYMONTHDAY=-1;BYMONTH=2")
    assert f"{2030 if interval == 5 else 2026}0228T090000" in _left_out(months)
    leap_day = f"{2040 if interval == 5 else 2028}0229T090000"
    assert (leap_day in _left_out(rules[rule])) == (day == 29)
    agree([(made, ALL)], window)
    start, end = utc("2026-01-01"), utc("2050-01-01")
    assert read(feed_of([made], window), start, end) == ours([(made, ALL)], start, end)


def _left_out(event: Event) -> str:
    found = event.get("EXDATE", [])
    return " ".join(
        each.to_ical().decode() for each in (found if isinstance(found, list) else [found])
    )


def test_the_last_start_ends_a_rule_and_deleted_ones_are_left_out_by_their_wall_time() -> None:
    made = series(Daily(), "2026-10-23 09:00", count=5)
    gone = replace(made, deleted=(utc("2026-10-25 08:00"),))
    (event,) = components(feed_of([gone], around(utc("2026-10-25"))))
    assert event["RRULE"].to_ical() == b"FREQ=DAILY;UNTIL=20261027T080000Z"
    assert event["EXDATE"].to_ical() == b"20261025T090000"
    assert event["EXDATE"].params["TZID"] == "Europe/Berlin"


def test_what_readers_reckon_differently_at_a_clock_change_is_told_as_exceptions() -> None:
    """At 02:30 on a day without it; and a night that is an hour shorter, or longer."""
    window = around(utc("2026-06-01"))
    early = components(feed_of([series(Daily(), "2026-01-01 02:30")], window))
    skipped, doubled = early[1:]
    assert skipped["DTSTART"].to_ical() == b"20260329T033000"
    assert skipped["RECURRENCE-ID"].to_ical() == b"20260329T023000"
    assert doubled["DTSTART"].to_ical() == b"20261025T023000", "it lasts two hours by the watch"
    night = series(Daily(), "2026-01-01 22:00", length=timedelta(hours=8))
    exceptions = components(feed_of([night], window))[1:]
    lengths = [each["DTEND"].dt - each["DTSTART"].dt for each in exceptions]
    assert [str(each["RECURRENCE-ID"].dt.date()) for each in exceptions] == [
        "2026-03-28",
        "2026-10-24",
    ]
    assert lengths == [timedelta(hours=8)] * 2, "by the wall clock; by the watch 7 and 9 hours"


@pytest.mark.parametrize(("start", "end"), [("01:30", "02:30"), ("00:30", "01:30")])
def test_what_touches_the_second_of_two_doubled_hours_is_told_in_utc(start: str, end: str) -> None:
    times = utc(f"2026-10-25 {start}"), utc(f"2026-10-25 {end}")
    second = Appointment("id", "key", "uid", *times, zone=BERLIN)
    (event,) = components(feed_of([second], around(utc("2026-10-25"))))
    assert event["DTSTART"].to_ical().endswith(b"Z")
    assert event["DTEND"].to_ical().endswith(b"Z")
    agree([(second, ALL)], around(utc("2026-10-25")))


def test_all_day_is_told_by_dates_whatever_the_zone() -> None:
    holiday = series(
        Weekly(1, frozenset({Weekday.MONDAY})), "2026-11-02 00:00", length=DAY, all_day=True
    )
    moved = ChangedOccurrence(
        utc("2026-11-15 23:00"), utc("2026-11-17 23:00"), utc("2026-11-18 23:00"), "x", all_day=True
    )
    made = replace(holiday, changed=(moved,), deleted=(utc("2026-11-22 23:00"),))
    master, exception = components(feed_of([made], around(utc("2026-11-20"))))
    assert master["DTSTART"].to_ical() == b"20261102"
    assert master["EXDATE"].to_ical() == b"20261123"
    assert exception["RECURRENCE-ID"].to_ical() == b"20261116"
    assert (exception["DTSTART"].dt, exception["DTEND"].dt) == (
        date(2026, 11, 18),
        date(2026, 11, 19),
    )
    agree([(made, ALL)], around(utc("2026-11-20")))


def test_a_private_occurrence_of_an_open_series_is_blocked_time_of_its_own() -> None:
    secret = Details(subject="Dentist", location="Main St", sensitivity=Sensitivity.PRIVATE)
    open_series = series(Daily(), "2026-11-02 09:00", details=Details(subject="Stand-up"))
    private = ChangedOccurrence(
        utc("2026-11-05 08:00"),
        utc("2026-11-05 12:00"),
        utc("2026-11-05 13:00"),
        "x",
        False,
        secret,
    )
    text = feed_of([replace(open_series, changed=(private,))], around(utc("2026-11-20")))
    assert b"Dentist" not in text
    assert b"Main St" not in text
    master, blocked = sorted(components(text), key=lambda each: "RRULE" not in each)
    assert master["EXDATE"].to_ical() == b"20261105T090000"
    assert (str(blocked["SUMMARY"]), str(blocked["CLASS"])) == (TEXTS.private, "PRIVATE")
    assert "uid" not in str(blocked["UID"]).split("-"), "nor is it known by the series' UID"
    assert "RECURRENCE-ID" not in blocked


def test_a_series_far_ahead_and_one_with_exceptions_far_ahead_come_whole() -> None:
    window = around(utc("2026-06-01"), 30)
    late = series(AbsoluteMonthly(2, 31), "2031-01-31 09:00", zone=CUSTOM_NEW_YORK)
    far = replace(late, deleted=(utc("2031-03-31 13:00"),))
    text = feed_of([far], window)
    start, end = utc("2030-01-01"), utc("2032-01-01")
    assert read(text, start, end) == ours([(far, ALL)], start, end)
    assert len(components(text)) == 1


def test_a_row_that_shows_some_days_only_tells_these() -> None:
    daily = series(Daily(), "2026-11-01 09:00")
    some = Shown(
        after=utc("2026-11-10"), also=frozenset({date(2026, 11, 3)}), never={date(2026, 11, 12)}
    )
    agree([(daily, some)], around(utc("2026-11-10"), 30))
    assert len(read(feed_of([(daily, some)], around(utc("2026-11-10"), 30)),
                    utc("2026-11-01"), utc("2026-11-15"))) == 5  # fmt: skip
