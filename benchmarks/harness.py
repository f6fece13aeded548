"""What the benchmarks share: a server, measuring children, CPU seconds, a table and a record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: ours beside a rival's, both in the same unit; less is better."""

    name: str
    unit: str
    ours: float
    rival: float | None = None
    rival_name: str = ""
    goal: float | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times the rival costs what we cost."""
        return self.rival / self.ours if self.rival is not None and self.ours else None


def cpu_seconds() -> float:
    """Give the CPU seconds, user and system, that this process has spent so far."""
    times = os.times()
    return times.user + times.system


@contextmanager
def server(mailboxes: int, items: int) -> Iterator[dict[str, Any]]:
    """Run the benchmarks' Exchange in a process of its own; give its `url` and `emails`."""
    command = [sys.executable, "-m", "benchmarks.server"]
    command += ["--mailboxes", str(mailboxes), "--items", str(items)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(timeout=30)


def in_child(module: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run `module` as a program in a new process with an empty home; give the JSON it prints."""
    with tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home:
        environment = {key: each for key, each in os.environ.items() if "KEEPSTEP" not in key}
        environment |= {"KEEPSTEP_HOME": home, "DJANGO_SETTINGS_MODULE": "keepstep.settings"}
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps(given),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=environment,
        )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def given() -> dict[str, Any]:
    """In a child: give what it was asked."""
    asked: dict[str, Any] = json.load(sys.stdin)
    return asked


def answer(found: dict[str, Any]) -> None:
    """In a child: print what was found."""
    print(json.dumps(found), flush=True)


def table(figures: Sequence[Figure]) -> str:
    """Give the figures as a table of text."""
    heading = ("figure", "ours", "rival", "ratio", "expected")
    rows = [heading, *(_row(each) for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    rival = f"{figure.rival:.3g} {figure.unit} ({figure.rival_name})" if figure.rival else "-"
    ratio = f"{figure.ratio:.1f}x" if figure.ratio else "-"
    return (
        figure.name,
        f"{figure.ours:.3g} {figure.unit}",
        rival,
        ratio,
        "" if figure.goal is None else f"{figure.goal:g}{'x' if figure.ratio else figure.unit}",
    )
