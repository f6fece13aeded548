"""Small charts as SVG: a line over a day, and a bar for each hour. Coordinates only, no style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from keepstep.store.overview import Hour, Point

WIDTH, HEIGHT = 600.0, 140.0
_STEPS = (60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800)
_GAP = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Line:
    """A line: paths of its unbroken pieces, the top of its scale in seconds, the last value."""

    paths: tuple[str, ...]
    top: int
    last: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: place and size, the hour it is of (UTC), and what it counts."""

    x: float
    y: float
    width: float
    height: float
    start: datetime
    value: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars side by side, and the top of their scale."""

    bars: tuple[Bar, ...]
    top: int
    total: int


def line(points: Sequence[Point], now: datetime) -> Line | None:
    """Draw how far behind 99 of 100 mailboxes were over the day before `now`.

    Where nothing was noted for 20 minutes the line is broken. None: too little to draw.
    """
    if len(points) < 2:
        return None
    top = _top(max(each.most for each in points))
    paths, piece, before = [], "", points[0]
    for each in points:
        x = WIDTH * (1 - (now - each.at) / timedelta(days=1))
        y = HEIGHT * (1 - min(each.most, top) / top)
        if piece and each.at - before.at > _GAP:
            paths.append(piece)
            piece = ""
        piece += f"{'L' if piece else 'M'}{x:.1f} {y:.1f}"
        before = each
    return Line((*paths, piece), top, points[-1].most)


def bars(hours: Sequence[Hour]) -> Bars:
    """Draw a bar for each hour, as high as its changes."""
    most = max((each.changes for each in hours), default=0)
    top, width = max(most, 1), WIDTH / max(len(hours), 1)
    drawn = [
        Bar(
            round(number * width + 2, 1),
            round(HEIGHT * (1 - each.changes / top), 1),
            round(width - 4, 1),
            round(HEIGHT * each.changes / top, 1),
            each.start,
            each.changes,
        )
        for number, each in enumerate(hours)
    ]
    return Bars(tuple(drawn), most, sum(each.changes for each in hours))


def _top(seconds: float) -> int:
    return next((each for each in _STEPS if each >= seconds), int(seconds) + 1)
