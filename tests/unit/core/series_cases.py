"""Series of every kind, at random."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from hypothesis import strategies as st

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    ChangedOccurrence,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekday,
    Weekly,
    Zone,
)
from tests.unit.core.builders import CUSTOM_NEW_YORK
from tests.unit.core.rrule_model import Case, dates

ZONES = [
    Zone("UTC"),
    Zone("Asia/Kathmandu"),
    Zone("Europe/Berlin"),
    Zone("America/New_York"),
    Zone("Australia/Lord_Howe"),
    Zone("America/Sao_Paulo"),
    Zone("Africa/Casablanca"),
    Zone("Pacific/Apia"),
    Zone("America/Havana"),
    CUSTOM_NEW_YORK,
]

# Days on which clocks skip or double a wall time, and times of day (minutes) near it.
CHANGES: list[tuple[Zone, date, list[int]]] = [
    (Zone("Europe/Berlin"), date(2026, 3, 29), [90, 120, 150, 180]),
    (Zone("Europe/Berlin"), date(2026, 10, 25), [90, 120, 150, 180]),
    (Zone("America/New_York"), date(2027, 3, 14), [90, 120, 150, 180]),
    (CUSTOM_NEW_YORK, date(2027, 3, 14), [90, 120, 150, 180]),
    (CUSTOM_NEW_YORK, date(2027, 11, 7), [30, 60, 90, 120]),
    (Zone("Australia/Lord_Howe"), date(2026, 4, 5), [75, 90, 105, 120]),
    (Zone("Australia/Lord_Howe"), date(2026, 10, 4), [105, 120, 135, 150]),
    (Zone("America/Sao_Paulo"), date(2018, 11, 4), [0, 30, 60, 1410]),
    (Zone("America/Sao_Paulo"), date(2018, 2, 18), [0, 30, 1380, 1410]),
    (Zone("Africa/Casablanca"), date(2026, 2, 15), [120, 150, 180]),
    (Zone("America/Havana"), date(2026, 11, 1), [0, 30, 60]),
    (Zone("Pacific/Apia"), date(2011, 12, 30), [0, 540, 1410]),
]

_intervals = st.sampled_from([1, 1, 1, 2, 3, 4, 5, 7, 12, 53])
_weekdays = st.one_of(
    st.frozensets(st.sampled_from(Weekday), min_size=1),
    st.sampled_from(
        [frozenset(Weekday), frozenset(list(Weekday)[:5]), frozenset(list(Weekday)[5:])]
    ),
)
_days = st.sampled_from([1, 2, 15, 27, 28, 29, 29, 30, 30, 31, 31])
_months = st.integers(1, 12)
_positions = st.sampled_from([1, 2, 3, 4, -1])

patterns: st.SearchStrategy[Pattern] = st.one_of(
    st.builds(Daily, _intervals),
    st.builds(Weekly, _intervals, _weekdays, st.sampled_from(Weekday)),
    st.builds(AbsoluteMonthly, _intervals, _days),
    st.builds(RelativeMonthly, _intervals, _weekdays, _positions),
    st.builds(AbsoluteYearly, _months, _days, st.sampled_from([1, 1, 2, 4])),
    st.builds(RelativeYearly, _months, _weekdays, _positions, st.sampled_from([1, 1, 2, 4])),
)

# From 1995 on: before, the rules of the custom zone and of the zone it stands for are not the same.
first_dates = st.one_of(
    st.dates(date(1995, 1, 1), date(2060, 12, 31)),
    st.dates(date(2010, 12, 1), date(2012, 2, 1)),  # a day was left out in Apia
    st.dates(date(2017, 9, 1), date(2026, 12, 31)),  # Sao Paulo gave up its daylight time
)
_minutes = st.sampled_from([0, 0, 30, 60, 90, 120, 150, 180, 540, 555, 1380, 1410])
_lengths = st.sampled_from([0, 15, 30, 60, 60, 90, 480, 1440, 1500, 4320, 20160])


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    """Make a pattern and its range, with either end, both or none."""
    pattern, first = draw(patterns), draw(first_dates)
    kind = draw(st.sampled_from(["never", "never", "count", "date", "both"]))
    count = draw(st.integers(1, 60)) if kind in ("count", "both") else None
    last = None
    if kind in ("date", "both"):
        last = first + timedelta(days=draw(st.integers(0, 3000)))
    return Recurrence(pattern, first, last, count)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Case, Zone]:
    """Make a series with exceptions, a zone for it, and a window near some of its occurrences."""
    all_day = draw(st.integers(0, 4)) == 0
    length = timedelta(minutes=draw(_lengths))
    if draw(st.integers(0, 3)) == 0:
        zone, change, minutes = draw(st.sampled_from(CHANGES))
        first = change - timedelta(days=draw(st.integers(0, 9)))
        every_day: list[Pattern] = [Daily(1), Daily(1), Weekly(1, frozenset(Weekday))]
        pattern = draw(st.sampled_from(every_day))
        recurrence, begins = Recurrence(pattern, first), _time(draw(st.sampled_from(minutes)))
    else:
        recurrence, zone = draw(recurrences()), draw(st.sampled_from(ZONES))
        begins = _time(draw(_minutes))
    if all_day:
        begins, length = time(), timedelta(days=draw(st.sampled_from([1, 1, 2, 7])))
    near = _some_dates(draw, recurrence)
    middle = draw(st.sampled_from(near)) if near else recurrence.first_date
    start = datetime.combine(middle, time(), UTC) - timedelta(hours=draw(st.integers(-30, 900)))
    end = start + timedelta(hours=draw(st.integers(0, 1500)))
    case = Case(recurrence, zone.name, begins, length, all_day, start, end).as_told()
    return _with_exceptions(draw, case, near, middle), zone


def _with_exceptions(draw: st.DrawFn, case: Case, near: list[date], middle: date) -> Case:
    deleted = draw(st.frozensets(st.sampled_from(near), max_size=3)) if near else frozenset()
    orphan = middle + timedelta(days=draw(st.integers(-3, 3)))
    chosen = draw(st.lists(st.sampled_from([*near, orphan]), max_size=4, unique=True))
    changed = {
        day: _changed(draw, case, day)
        for day in chosen
        if day not in deleted and (day in near or not _holds(case.recurrence, day))
    }
    return replace(case, deleted=deleted, changed=changed)


def _time(minutes: int) -> time:
    return time(*divmod(minutes, 60))


def _some_dates(draw: st.DrawFn, recurrence: Recurrence) -> list[date]:
    """Give a run of the series' dates, sometimes far from its beginning."""
    skipped = draw(st.sampled_from([0, 0, 1, 5, 20, 60, 150, 400]))
    if draw(st.integers(0, 60)) == 60:
        skipped = 4000 if isinstance(recurrence.pattern, Daily | Weekly) else 1500
    found = list(islice(dates(recurrence), skipped, skipped + 12))
    return found or list(islice(dates(recurrence), 12))


def _holds(recurrence: Recurrence, day: date) -> bool:
    for each in dates(recurrence):
        if each >= day:
            return each == day
    return False


def _changed(draw: st.DrawFn, case: Case, day: date) -> ChangedOccurrence:
    """Move the occurrence of a day by anything from nothing to weeks."""
    original = case.times(day)[0]
    minutes = draw(st.sampled_from([0, 0, 15, -60, 1440, -1440, 4320, -20000, 40000]))
    start = original + timedelta(minutes=minutes)
    end = start + timedelta(minutes=draw(st.sampled_from([0, 30, 60, 1440])))
    return ChangedOccurrence(original, start, end, f"changed {day}")
