"""When each enabled job is due. Pure: the present is passed in, in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from keepstep.core.job_schedule import EveryMinutes, next_runs
from keepstep.store.jobs import JobDefinition


class Agenda:
    """Keeps when jobs are due. A job is due once, however late it is noticed."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[JobDefinition, datetime]] = {}

    @property
    def jobs(self) -> list[JobDefinition]:
        """Give the enabled jobs."""
        return [job for job, _ in self._due.values()]

    def find(self, name: str) -> JobDefinition | None:
        """Give an enabled job by its name, None where there is none."""
        known = self._due.get(name)
        return None if known is None else known[0]

    def plan(self, definitions: Sequence[JobDefinition], now: datetime) -> None:
        """Go by these jobs from now on.

        A new one that runs every so many minutes is due at once; a changed schedule is counted
        from now.
        """
        self._due = {
            each.name: (each, self._first(each, now)) for each in definitions if each.enabled
        }

    def _first(self, job: JobDefinition, now: datetime) -> datetime:
        known = self._due.get(job.name)
        if known is not None and known[0].schedule == job.schedule:
            return known[1]
        if known is None and isinstance(job.schedule, EveryMinutes):
            return now
        return next_runs(job.schedule, now, 1)[0]

    def take_due(self, now: datetime) -> list[JobDefinition]:
        """Give the jobs that are due, which are next due as their schedules say."""
        found = [job for job, due in self._due.values() if due <= now]
        self._due |= {job.name: (job, next_runs(job.schedule, now, 1)[0]) for job in found}
        return found

    def until_next(self, now: datetime) -> timedelta | None:
        """Give how long it is to the next instant at which a job will be due, None without one."""
        return min((due - now for _, due in self._due.values() if due > now), default=None)
