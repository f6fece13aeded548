"""Where on a calendar's days something is drawn that begins and ends at two instants."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

# What has no length, or none by the clock, is drawn this long so that it can be seen.
LEAST = timedelta(minutes=15)


class Drawn(NamedTuple):
    """Wall times, naive; `is_exact` says whether they are the true ones.

    They are not where the clock was put back in between, or the length is nothing: a drawing
    can't end before it begins.
    """

    start: datetime
    end: datetime
    is_exact: bool


def drawn(start: datetime, end: datetime, zone: tzinfo) -> Drawn:
    """Give where to draw what begins and ends at aware instants, on the days of a zone."""
    begins = start.astimezone(zone).replace(tzinfo=None, fold=0)
    ends = end.astimezone(zone).replace(tzinfo=None, fold=0)
    if ends > begins:
        return Drawn(begins, ends, True)
    return Drawn(begins, begins + max(end - start, LEAST), False)


def utc_offset(instant: datetime, zone: tzinfo) -> str:
    """Give the offset of a zone at an aware instant as `+05:30`."""
    offset = instant.astimezone(zone).utcoffset() or timedelta(0)
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
