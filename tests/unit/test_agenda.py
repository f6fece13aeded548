"""When the jobs of a process are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from keepstep.core.job_schedule import EveryMinutes, parse_schedule
from keepstep.store.jobs import JobDefinition
from keepstep.sync.agenda import Agenda

NOW = datetime(2026, 11, 27, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SYNC = JobDefinition("Sync", True, EveryMinutes(1))
NIGHTLY = JobDefinition("Nightly", True, parse_schedule("0 2 * * *"))


def agenda(*jobs: JobDefinition) -> Agenda:
    made = Agenda()
    made.plan(jobs, NOW)
    return made


def test_a_new_job_of_so_many_minutes_is_due_at_once_then_at_the_full_minute() -> None:
    planned = agenda(SYNC)
    assert planned.take_due(NOW) == [SYNC]
    assert planned.until_next(NOW) == timedelta(seconds=30)
    assert planned.take_due(NOW + timedelta(seconds=29.9)) == []
    assert planned.take_due(NOW + timedelta(seconds=30)) == [SYNC]
    assert planned.take_due(NOW + timedelta(seconds=31)) == []


def test_a_cron_line_waits_for_its_time() -> None:
    planned = agenda(NIGHTLY)
    assert planned.take_due(NOW) == []
    assert planned.until_next(NOW) == timedelta(hours=13, minutes=59, seconds=30)


def test_who_was_late_runs_a_job_once_and_not_for_each_time_that_was_missed() -> None:
    planned = agenda(SYNC)
    late = NOW + timedelta(hours=5)
    assert planned.take_due(late) == [SYNC]
    assert planned.take_due(late) == []
    assert planned.until_next(late) == timedelta(seconds=30)


def test_what_is_due_and_not_taken_is_not_waited_for() -> None:
    planned = agenda(SYNC, NIGHTLY)
    assert planned.until_next(NOW) == timedelta(hours=13, minutes=59, seconds=30)
    assert agenda(SYNC).until_next(NOW) is None
    assert agenda().until_next(NOW) is None


def test_read_anew_a_job_keeps_its_time_also_with_another_context() -> None:
    planned = agenda(SYNC)
    planned.take_due(NOW)
    moved = replace(SYNC, context="Service")
    planned.plan([moved], NOW)
    assert planned.take_due(NOW) == []
    assert planned.take_due(NOW + MINUTE) == [moved]
    assert planned.find("Sync") == moved
    assert planned.find("Nightly") is None


def test_a_changed_schedule_is_counted_from_now() -> None:
    planned = agenda(SYNC)
    changed = replace(SYNC, schedule=EveryMinutes(5))
    planned.plan([changed], NOW)
    assert planned.take_due(NOW) == []
    assert planned.until_next(NOW) == timedelta(minutes=4, seconds=30)


def test_a_disabled_job_is_forgotten_and_due_at_once_when_it_is_enabled_again() -> None:
    planned = agenda(SYNC)
    planned.take_due(NOW)
    planned.plan([replace(SYNC, enabled=False)], NOW)
    assert planned.jobs == []
    planned.plan([SYNC], NOW)
    assert planned.take_due(NOW) == [SYNC]
