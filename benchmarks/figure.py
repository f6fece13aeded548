"""A figure: what the product costs, beside its rival and its limit from the same run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Pass:
    """One measuring of all that a figure compares, close together in time. Less is better.

    `limit` is what the machine itself allows: the same work without the product.
    """

    ours: float
    rival: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to be reached.

    `most` of ours in the figure's unit; so many times better than the rival (`ratio`, or
    `at_least` in the worst case); within so many `times` of the limit.
    """

    most: float | None = None
    ratio: float | None = None
    at_least: float | None = None
    times: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table, from one pass or more. The ratios are medians of those of the passes.

    So a machine that is slow for a while is slow for all of a pass, and does no harm.
    """

    name: str
    unit: str
    passes: Sequence[Pass]
    rival_name: str = ""
    limit_name: str = ""
    goal: Goal = Goal()
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def once(
        cls,
        name: str,
        unit: str,
        ours: float,
        rival: float | None = None,
        rival_name: str = "",
        *,
        goal: Goal = Goal(),
        notes: dict[str, Any] | None = None,
    ) -> Self:
        """Give a figure that was measured once, without a limit."""
        return cls(name, unit, (Pass(ours, rival),), rival_name, goal=goal, notes=notes or {})

    @property
    def ours(self) -> float:
        """Give the median of what the product costs."""
        return median(each.ours for each in self.passes)

    @property
    def rival(self) -> float | None:
        """Give the median of what the rival costs, None where there is no rival."""
        return _median(each.rival for each in self.passes)

    @property
    def limit(self) -> float | None:
        """Give the median of what the limit costs, None where there is no limit."""
        return _median(each.limit for each in self.passes)

    @property
    def ratio(self) -> float | None:
        """How many times the rival costs what we cost: more is better."""
        return _median(
            each.rival / each.ours for each in self.passes if each.rival is not None and each.ours
        )

    @property
    def times(self) -> float | None:
        """How many times the limit we cost: less is better."""
        return _median(each.ours / each.limit for each in self.passes if each.limit)

    @property
    def reached(self) -> str:
        """Say whether the goal is reached: yes, no, or that it is "at the least"; "" without one.

        What a goal needs and was not measured is not reached.
        """
        goal, ratio, times = self.goal, self.ratio, self.times
        if goal == Goal():
            return ""
        if goal.most is not None and self.ours > goal.most:
            return "no"
        if goal.times is not None and (times is None or times > goal.times):
            return "no"
        if goal.ratio is None or (ratio is not None and ratio >= goal.ratio):
            return "yes"
        is_enough = goal.at_least is not None and ratio is not None and ratio >= goal.at_least
        return "at the least" if is_enough else "no"


def _median(values: Iterable[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return median(known) if known else None


HEADING = ("figure", "ours", "rival", "ratio", "limit", "x limit", "goal", "reached")


def table(figures: Sequence[Figure]) -> str:
    """Give the figures as a table of text, and under it what rivals and limits are."""
    rows = [HEADING, *(_row(each) for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADING))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    told = list(dict.fromkeys(line for each in figures for line in _told(each)))
    return "\n".join([*lines, "", *told] if told else lines)


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        _amount(figure.ours, figure.unit),
        _amount(figure.rival, figure.unit),
        "-" if figure.ratio is None else f"{figure.ratio:.1f}x",
        _amount(figure.limit, figure.unit),
        "-" if figure.times is None else f"{figure.times:.2f}",
        _in_words(figure.goal, figure.unit),
        figure.reached,
    )


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{digits} {unit}".rstrip()


def _in_words(goal: Goal, unit: str) -> str:
    parts = []
    if goal.ratio is not None:
        worst = "" if goal.at_least is None else f" ({goal.at_least:g}x at the least)"
        parts.append(f"{goal.ratio:g}x{worst}")
    if goal.times is not None:
        parts.append(f"<= {goal.times:g}x the limit")
    if goal.most is not None:
        parts.append(f"< {_amount(goal.most, unit)}")
    return ", ".join(parts)


def _told(figure: Figure) -> list[str]:
    name = figure.name.strip()
    lines = []
    if figure.rival_name:
        lines.append(f"{name}: the rival is {figure.rival_name}")
    if figure.limit_name:
        lines.append(f"{name}: the limit is {figure.limit_name}")
    if "said" in figure.notes:
        lines.append(f"{name}: {figure.notes['said']}")
    return lines
