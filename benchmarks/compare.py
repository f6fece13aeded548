"""Compares two commits, or the records of two runs; fails where a ratio has become a tenth worse.

    python -m benchmarks.compare COMMIT COMMIT [--only NAME,…] [--times N]
    python -m benchmarks.compare RECORD.json RECORD.json

Of commits, the benchmarks of this checkout measure the product of each, in turn, so that both meet
the same noise. Exit status 1: at least one figure is worse; 2: it could not be compared.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.record import Record, changes, read_record, table_of_changes
from benchmarks.rows import chosen
from benchmarks.worktrees import Unready, measured_in, worktree

# Quick to measure, and each beside a rival or a limit.
BY_DEFAULT = "idle,first,start"


def main() -> int:
    """Compare what is named; give the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", help="a commit, or the record of a run")
    parser.add_argument("after", help="another")
    parser.add_argument("--only", default=BY_DEFAULT, metavar="NAME,…", help=f"not {BY_DEFAULT}")
    parser.add_argument("--times", type=int, default=3, help="how often each is measured")
    parser.add_argument("--quick", action="store_true", help="a short look, of less of everything")
    given = parser.parse_args()
    try:
        chosen(given.only)
    except ValueError as error:
        parser.error(str(error))
    if given.before.endswith(".json") and given.after.endswith(".json"):
        return report([read_record(Path(given.before))], [read_record(Path(given.after))])
    options = ["--only", given.only, *(["--quick"] if given.quick else [])]
    try:
        return report(*_measured(given.before, given.after, options, given.times))
    except Unready as reason:
        print(reason, file=sys.stderr)
        return 2


def _measured(
    before: str, after: str, options: list[str], times: int
) -> tuple[list[Record], list[Record]]:
    found: tuple[list[Record], list[Record]] = ([], [])
    with worktree(before) as old, worktree(after) as new:
        for number in range(times):
            turn = [(old, found[0]), (new, found[1])]
            for folder, records in turn if number % 2 == 0 else reversed(turn):
                records.append(measured_in(folder, options))
    return found


def report(before: list[Record], after: list[Record]) -> int:
    """Print the comparison; give the exit status."""
    found = changes(before, after)
    if not found:
        print("No figure is in both.", file=sys.stderr)
        return 2
    print(f"before: {before[0]['commit']}\nafter:  {after[0]['commit']}\n")
    print(table_of_changes(found))
    losses = [each.name for each in found if each.is_loss]
    if losses:
        print(f"\nWorse by more than a tenth: {', '.join(losses)}.")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
