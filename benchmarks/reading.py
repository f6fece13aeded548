"""CPU of reading: an operator's month, a team's, a body, the heavier pages."""

from __future__ import annotations

from benchmarks.figure import Figure, Goal
from benchmarks.harness import in_child


def months() -> list[Figure]:
    """CPU of one month, where each operator has 40 series."""
    found = in_child("benchmarks.calendar_run", {})
    notes = {"occurrences": found["occurrences"]}
    return [
        Figure.once("one operator's month", "ms", 1000 * found["one"], goal=Goal(most=10)),
        Figure.once(
            "a team of 50, a month", "ms", 1000 * found["team"], goal=Goal(most=200), notes=notes
        ),
        Figure.once("  as the page reads it", "ms", 1000 * found["page"], goal=Goal(most=200)),
    ]


def bodies() -> list[Figure]:
    """CPU of a body that the server gives as text, beside converting its HTML here."""
    found = in_child("benchmarks.bodies_run", {})
    ours, rival = 1000 * found["as_text"], 1000 * found["converted"]
    return [Figure.once("body asked for as text", "ms", ours, rival, "its HTML converted here")]


def pages() -> list[Figure]:
    """CPU of one request of the heavier pages, with 5,000 operators."""
    found = in_child("benchmarks.pages_run", {})
    most = Goal(most=300)
    return [
        Figure.once(f"page: {name}", "ms", 1000 * cost, goal=most) for name, cost in found.items()
    ]
