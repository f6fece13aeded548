"""The changes feed, as a CRM reads it: `python -m benchmarks.feed` by itself, or with the others.

Both a child's whole HTTP answers (application and JSON, no socket between) and what a round pays
for each item that is written into it. PostgreSQL where KEEPSTEP_TEST_POSTGRESQL names a server.
"""

from __future__ import annotations

import os

from benchmarks.figure import Figure, Goal, table
from benchmarks.harness import in_child

GOAL_PER_SECOND = 10_000


def figures() -> list[Figure]:
    """Give the figures on SQLite, and on PostgreSQL where there is a server for tests."""
    found = _of("SQLite", in_child("benchmarks.feed_run", {}))
    server = os.environ.get("KEEPSTEP_TEST_POSTGRESQL")
    if server:
        found += _of("PostgreSQL", in_child("benchmarks.feed_run", {"server": server}))
    return found


def _of(database: str, found: dict[str, float]) -> list[Figure]:
    goal = 1_000_000 / GOAL_PER_SECOND
    return [
        Figure.once(
            f"change read from the feed, {database}",
            "µs",
            1_000_000 / found["read_per_second"],
            goal=Goal(most=goal),
            notes={"per_second": found["read_per_second"], "entries": found["entries"]},
        ),
        Figure.once(
            f"  with its appointment, {database}",
            "µs",
            1_000_000 / found["expanded_per_second"],
            notes={"per_second": found["expanded_per_second"]},
        ),
        Figure.once(
            f"  entry written, {database}",
            "µs",
            found["written_us"],
            found["written_before_us"],
            "without the feed's column and index",
        ),
    ]


if __name__ == "__main__":
    measured = figures()
    print(table(measured))
    for each in measured:
        if "per_second" in each.notes:
            print(f"{each.name.strip()}: {each.notes['per_second']:,.0f} a second")
