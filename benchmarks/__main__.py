"""`make bench`: prints each figure beside a rival's from this run, and keeps a record of it."""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import delay, feed, fleet
from benchmarks.harness import Figure, in_child, server, table

RIVAL = "exchangelib, 16 threads"


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--record", type=Path, help="file for the machine-readable record")
    parser.add_argument("--mailboxes", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--told", type=int, default=1000, help="mailboxes that are told of")
    parser.add_argument("--changing", type=int, default=30, help="seconds of changes")
    parser.add_argument("--idle", type=int, default=120, help="seconds without any")
    parser.add_argument("--shared", type=int, default=4000, help="mailboxes that workers share")
    parser.add_argument("--table", type=int, default=100_000, help="idle mailboxes in the table")
    given = parser.parse_args()
    figures = [
        idle_poll(given.mailboxes, given.rounds),
        *first_round(),
        month(),
        bodies(),
        *pages(),
        *feed.figures(),
        *delay.figures(given.told, given.changing, given.idle),
        *fleet.figures(given.shared, given.table),
    ]
    print(table(figures))
    print(
        "\nCPU of the process measured, user and system; ratios are of one run. Machines are noisy:"
    )
    print("compare ratios, not seconds. How to read it: docs/performance.md.")
    _keep(figures, given.record)


def idle_poll(mailboxes: int, rounds: int) -> Figure:
    """CPU of an idle poll, whole product: taking, request, answer, notes, the run's record."""
    with server(mailboxes, 0) as served:
        asked = {**served, "idle_rounds": rounds}
        ours = in_child("benchmarks.keepstep_run", asked)
        rival = in_child("benchmarks.exchangelib_run", asked)
    return Figure(
        "idle poll",
        "ms",
        1000 * ours["idle_cpu"] / ours["polls"],
        1000 * rival["idle_cpu"] / rival["polls"],
        RIVAL,
        goal=10,
        notes={"polls": ours["polls"]},
    )


def first_round() -> list[Figure]:
    """CPU of a first round for each item: from the listing to a committed row with history."""
    with server(20, 150) as served:
        asked = {**served, "idle_rounds": 0}
        ours = in_child("benchmarks.keepstep_run", asked)
        rival = in_child("benchmarks.exchangelib_run", asked)
    per_item = 1000 * ours["first_cpu"] / ours["items"]
    history = 1000 * ours["history_cpu"] / ours["items"]
    return [
        Figure(
            "first round, an item",
            "ms",
            per_item,
            1000 * rival["first_cpu"] / rival["items"],
            RIVAL,
            goal=8,
            notes={"items": ours["items"]},
        ),
        Figure("  of it the history", "%", 100 * history / per_item, goal=5),
    ]


def month() -> Figure:
    """CPU of one month of 50 operators with 40 series each."""
    found = in_child("benchmarks.calendar_run", {})
    return Figure(
        "month of 50 x 40 series",
        "s",
        found["cpu"],
        goal=1,
        notes={"occurrences": found["occurrences"]},
    )


def bodies() -> Figure:
    """CPU of a body that the server gives as text, beside converting its HTML here."""
    found = in_child("benchmarks.bodies_run", {})
    return Figure(
        "body asked for as text",
        "ms",
        1000 * found["as_text"],
        1000 * found["converted"],
        "converted from HTML",
    )


def pages() -> list[Figure]:
    """CPU of one request of the heavier pages, with 5,000 operators."""
    found = in_child("benchmarks.pages_run", {})
    return [Figure(f"page: {name}", "ms", 1000 * cost, goal=300) for name, cost in found.items()]


def _keep(figures: list[Figure], record: Path | None) -> None:
    now = datetime.now(UTC)
    file = record or Path(tempfile.gettempdir()) / f"keepstep-bench-{now:%Y%m%dT%H%M%SZ}.json"
    kept = {
        "at": now.isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [asdict(each) | {"ratio": each.ratio} for each in figures],
    }
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    print(f"Record: {file}")


if __name__ == "__main__":
    main()
