"""Our expansion of series and python-dateutil's say the same."""

from __future__ import annotations

import os
import random
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, seed, settings

from keepstep.core.appointment import Appointment, Zone
from keepstep.core.recurrence import ends_after, occurrences, span
from tests.unit.core.rrule_model import Case, Shown, expected
from tests.unit.core.series_cases import cases

EXAMPLES = 20_000 if os.environ.get("KEEPSTEP_SOAK") == "1" else 2_000
SEED = int(os.environ.get("KEEPSTEP_SEED") or random.SystemRandom().randrange(2**32))


def appointment_of(case: Case, zone: Zone) -> Appointment:
    assert case.told
    start, end = case.told
    return Appointment(
        "id",
        "key",
        "uid",
        start,
        end,
        zone=zone,
        all_day=case.all_day,
        recurrence=case.recurrence,
        changed=tuple(case.changed.values()),
        deleted=tuple(case.times(day)[0] for day in case.deleted),
    )


def shown(appointment: Appointment, start: datetime, end: datetime) -> list[Shown]:
    return [
        (
            each.start,
            each.end,
            each.recurrence_id,
            each.is_exception,
            each.first_day,
            each.last_day,
        )
        for each in occurrences(appointment, start, end)
    ]


def test_a_window_shows_what_rrule_and_the_exceptions_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """For every pattern, end, zone and exception; the seed is printed to run it again."""
    with capsys.disabled():
        print(f"\n[{EXAMPLES} series against rrule: KEEPSTEP_SEED={SEED}]")
    tried = 0

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def agree(drawn: tuple[Case, Zone]) -> None:
        nonlocal tried
        tried += 1
        case, zone = drawn
        appointment = appointment_of(case, zone)
        found = shown(appointment, case.start, case.end)
        assert sorted(found, key=lambda each: each[:3]) == expected(case)
        assert [each[0] for each in found] == sorted(each[0] for each in found)
        first, last = span(appointment)
        for each in found:
            assert first <= each[0]
            assert last is None or each[1] <= last
            assert ends_after(appointment, case.start) or each[1] <= case.start

    agree()
    assert tried >= EXAMPLES
