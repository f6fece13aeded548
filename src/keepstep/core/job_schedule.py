"""When a job runs: every so many minutes, or by a cron line.

Minutes count from midnight UTC of 1970, so that a restart does not shift them. A cron line has
five fields (minute, hour, day of month, month, day of week) and is read in the time zone of the
server, as cron itself does: on the days of a clock change as Debian's cron does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from cronsim import CronSim, CronSimError

MOST_MINUTES = 1440
LONGEST_LINE = 200
_FIELDS = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAP_DAY_AHEAD = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EveryMinutes:
    """Every `minutes` (1-1440) minutes."""

    minutes: int

    def __str__(self) -> str:
        return str(self.minutes)


@dataclass(frozen=True, slots=True)
class CronLine:
    """A cron line of five fields, and the time zone in which it is read."""

    line: str
    zone: tzinfo = UTC

    def __str__(self) -> str:
        return self.line


Schedule = EveryMinutes | CronLine


def parse_schedule(text: str, zone: tzinfo = UTC) -> Schedule:
    """Read minutes ("5") or a cron line ("0 2 * * 1-5"). ValueError: the reason, for a person."""
    words = text.split()
    if len(words) == 1 and words[0].isascii() and words[0].lstrip("-").isdigit():
        return _minutes(words[0])
    line = " ".join(words)
    if len(words) != _FIELDS or len(line) > LONGEST_LINE:
        raise ValueError(
            f"must be minutes (1-{MOST_MINUTES}) or a cron line of five fields"
            f" (minute hour day month weekday), not {line[:60]!r}"
        )
    try:
        next(CronSim(line, _LEAP_DAY_AHEAD))
    except CronSimError as error:
        raise ValueError(f"is no cron line: {str(error).lower()} in {line[:60]!r}") from None
    except StopIteration:
        raise ValueError(f"would never run: {line[:60]!r} names no day that exists") from None
    return CronLine(line, zone)


def next_runs(schedule: Schedule, after: datetime, n: int) -> list[datetime]:
    """Give the next `n` instants (UTC) at which the job runs, each later than `after` (aware)."""
    if isinstance(schedule, CronLine):
        runs = CronSim(schedule.line, after.astimezone(schedule.zone))
        return [run.astimezone(UTC) for run in islice(runs, n)]
    step = timedelta(minutes=schedule.minutes)
    passed = (after - _EPOCH) // step
    return [_EPOCH + (passed + 1 + each) * step for each in range(n)]


def _minutes(word: str) -> EveryMinutes:
    if len(word) < 10 and 1 <= int(word) <= MOST_MINUTES:
        return EveryMinutes(int(word))
    raise ValueError(f"must be from 1 to {MOST_MINUTES} minutes, not {word[:20]}")
