"""What was over stands, what is ahead follows, and nothing is shown twice or lost between."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from keepstep.core.appointment import (
    Appointment,
    ChangedOccurrence,
    Daily,
    Details,
    Recurrence,
    Zone,
)
from keepstep.core.record import ALL, Shown, overtake, shown_occurrences, succeed

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = [date(2026, 11, 24) + timedelta(days=n) for n in range(-8, 9)]


def series(
    first: int = -8,
    hour: int = 12,
    count: int = 16,
    changed: dict[int, int] | None = None,
    deleted: tuple[int, ...] = (),
) -> Appointment:
    """A daily series; `changed` moves the occurrence of a day so many hours, `deleted` days."""
    start = datetime(2026, 11, 24, hour, tzinfo=UTC) + timedelta(days=first)
    original = {n: start + timedelta(days=n) for n in range(count)}
    return Appointment(
        "item",
        "key",
        "uid",
        start,
        start + HOUR,
        zone=Zone("UTC"),
        recurrence=Recurrence(Daily(), start.date(), count=count),
        changed=tuple(
            ChangedOccurrence(
                original[n],
                original[n] + timedelta(hours=shift),
                original[n] + timedelta(hours=shift) + HOUR,
                f"occ {n}",
                details=Details(subject=f"moved {shift}"),
            )
            for n, shift in sorted((changed or {}).items())
            if n in original and n not in deleted
        ),
        deleted=tuple(original[n] for n in deleted if n in original),
    )


def look(appointment: Appointment, shown: Shown) -> dict[date, tuple[datetime, str]]:
    """What a row shows, by the day of the original start."""
    found = shown_occurrences(
        appointment, shown, NOW - timedelta(days=90), NOW + timedelta(days=90)
    )
    return {
        (each.recurrence_id or each.start).date(): (each.start, each.details.subject)
        for each in found
    }


SERIES = st.builds(
    series,
    first=st.integers(-8, 3),
    hour=st.integers(0, 22),
    count=st.integers(1, 16),
    changed=st.dictionaries(st.integers(0, 15), st.integers(-200, 200), max_size=3),
    deleted=st.lists(st.integers(0, 15), max_size=3, unique=True).map(tuple),
)


@settings(max_examples=2000 if os.environ.get("KEEPSTEP_SOAK") else 150, deadline=None)
@given(versions=st.lists(SERIES, min_size=2, max_size=5), gaps=st.lists(st.integers(0, 60)))
def test_each_occurrence_by_itself_follows_the_rule_over_any_number_of_changes(
    versions: list[Appointment], gaps: list[int]
) -> None:
    boundary = NOW
    known, shown = versions[0], ALL
    expected = look(known, shown)
    records: list[tuple[Appointment, Shown]] = []
    for number, now in enumerate(versions[1:]):
        new = look(now, ALL)
        for day in expected.keys() | new.keys():
            ends = [each[day][0] + HOUR for each in (expected, new) if day in each]
            if max(ends) > boundary:
                expected.pop(day, None)
                expected |= {day: new[day]} if day in new else {}
        records = [(each, overtake(each, seen, now, boundary)) for each, seen in records]
        succession = succeed(known, shown, now, boundary)
        if succession.record is not None:
            records.append((known, succession.record))
        known, shown = now, succession.shown
        rows = [*records, (known, shown)]
        actual = sorted(each for row in rows for each in look(*row).items())
        assert actual == sorted(expected.items())
        boundary += timedelta(hours=gaps[number] if number < len(gaps) else 12)


def test_a_change_that_leaves_the_past_alone_makes_no_record() -> None:
    known = series()
    now = replace(known, changed=series(changed={12: 2}).changed)

    succession = succeed(known, ALL, now, NOW)

    assert succession.record is None
    assert succession.shown == ALL
