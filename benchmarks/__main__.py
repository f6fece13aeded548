"""`make bench`: prints each figure beside its rival's and its limit's from this run; records it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figure import table
from benchmarks.record import record_of
from benchmarks.rows import ALL, BESIDE, QUICK, Sizes, chosen, measured, possible


def main() -> None:
    """Run the benchmarks that are asked for."""
    parser = _parser()
    given = parser.parse_args()
    try:
        names = list(ALL) if given.all else chosen(given.only)
    except ValueError as error:
        parser.error(str(error))
    if not given.only:
        names = possible(names, _say)
    sizes = QUICK if given.quick else Sizes()
    asked = {name: each for name in _names() if (each := getattr(given, name)) is not None}
    figures = measured(names, replace(sizes, **asked), say=_say)
    print(table(figures))
    print(
        "\nCPU of the process measured, user and system; ratios are of one run. Machines are noisy:"
    )
    print("compare ratios, not seconds. How to read it: docs/performance.md.")
    now = datetime.now(UTC)
    name = f"keepstep-bench-{now:%Y%m%dT%H%M%SZ}.json"
    file = given.record or Path(tempfile.gettempdir()) / name
    record = json.dumps(record_of(figures, now), indent=2)
    file.write_text(record + "\n", encoding="utf-8")
    print(f"Record: {file}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--record", type=Path, help="file for the machine-readable record")
    parser.add_argument(
        "--only", default="", metavar="NAME,…", help=f"some rows of: {', '.join(ALL)}"
    )
    parser.add_argument("--all", action="store_true", help=f"also {' and '.join(BESIDE)}")
    parser.add_argument("--quick", action="store_true", help="a short look, of less of everything")
    sizes = parser.add_argument_group("sizes")
    for name in _names():
        sizes.add_argument(f"--{name.replace('_', '-')}", dest=name, type=int, metavar="N")
    return parser


def _names() -> list[str]:
    return [each.name for each in fields(Sizes)]


def _say(words: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {words}", file=sys.stderr, flush=True)  # noqa: DTZ005


if __name__ == "__main__":
    main()
