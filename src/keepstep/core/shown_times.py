"""Where on a calendar's days something is drawn that begins and ends at two instants.

Wall times are marked as UTC here, as in `series`: sums of aware datetimes are quick.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

# What has no length, or none by the clock, is drawn this long so that it can be seen.
LEAST = timedelta(minutes=15)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class WallClock:
    """The clocks of a zone: what they show at an instant.

    Within `first` to `last` (aware) the offsets are worked out before, which makes it ten times
    as quick as asking the zone each time.
    """

    def __init__(self, zone: tzinfo, first: datetime, last: datetime) -> None:
        self._zone = zone
        self._first, self._last = first.astimezone(UTC), last.astimezone(UTC)
        self._changes: list[datetime] = []
        self._offsets = [self._asked(self._first)]
        at = self._first
        while at < self._last:
            following = min(at + _DAY, self._last)
            if self._asked(following) != self._offsets[-1]:
                self._changes.append(self._change_between(at, following))
                self._offsets.append(self._asked(following))
            at = following

    def __call__(self, instant: datetime) -> datetime:
        """Give the wall time at an aware instant, marked as UTC."""
        if not self._first <= instant <= self._last:
            return instant.astimezone(UTC) + self._asked(instant)
        return instant + self._offsets[bisect_right(self._changes, instant)]

    def _asked(self, instant: datetime) -> timedelta:
        return instant.astimezone(self._zone).utcoffset() or timedelta(0)

    def _change_between(self, before: datetime, after: datetime) -> datetime:
        """Give the first instant, to the second, at which the later offset holds."""
        offset = self._asked(before)
        while after - before > _SECOND:
            middle = before + (after - before) / 2
            before, after = (middle, after) if self._asked(middle) == offset else (before, middle)
        return after.replace(microsecond=0)


class Drawn(NamedTuple):
    """Wall times, marked as UTC; `is_exact` says whether they are the true ones.

    They are not where the clock was put back in between, or the length is nothing: a drawing
    can't end before it begins.
    """

    start: datetime
    end: datetime
    is_exact: bool


def drawn(start: datetime, end: datetime, clock: WallClock) -> Drawn:
    """Give where to draw what begins and ends at instants (UTC), on the days of a clock."""
    begins, ends = clock(start), clock(end)
    if ends > begins:
        return Drawn(begins, ends, True)
    return Drawn(begins, begins + max(end - start, LEAST), False)


def utc_offset(instant: datetime, zone: tzinfo) -> str:
    """Give the offset of a zone at an aware instant as `+05:30`."""
    offset = instant.astimezone(zone).utcoffset() or timedelta(0)
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
