"""The machine-readable record of a run, and what two records say about each other."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figure import Figure

# A loss is to be told from noise.
ALLOWED = 0.10

Record = Mapping[str, Any]


def record_of(figures: Sequence[Figure], at: datetime) -> dict[str, Any]:
    """Give what is kept of a run: of which commit, when, on what, and the figures."""
    return {
        "commit": _commit(),
        "at": at.isoformat(),
        "python": platform.python_version(),
        "machine": _machine(),
        "figures": [_figure(each) for each in figures],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    names = ("ours", "rival", "limit", "ratio", "times", "reached")
    return asdict(figure) | {name: getattr(figure, name) for name in names}


def _commit() -> str:
    """Give the commit of the product that is imported, with a plus where it was changed since."""
    found = find_spec("keepstep")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
        return done.stdout.strip()

    return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", ".") else "")


def _machine() -> dict[str, Any]:
    uname = platform.uname()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "system": f"{uname.system} {uname.release}",
        "architecture": uname.machine,
        "processor": models[0] if models else uname.processor,
        "processors": len(models),
    }


def read_record(file: Path) -> Record:
    """Read a record. Raises SystemExit where the file holds none."""
    try:
        record: Record = json.loads(file.read_text(encoding="utf-8"))
        [each["name"] for each in record["figures"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise SystemExit(f"{file} holds no record of a run of the benchmarks.") from None
    return record


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a figure from one commit to another: `change` 0.1 is a tenth better.

    `measure` is what was compared: "ratio" to the rival, "x limit" where there is no rival, and
    "ours", which on another machine or in another hour tells nothing, where there is neither.
    """

    name: str
    measure: str
    before: float
    after: float
    change: float

    @property
    def is_loss(self) -> bool:
        """Say whether the figure has become worse by more than noise explains."""
        return self.measure != "ours" and self.change < -ALLOWED


def changes(before: Sequence[Record], after: Sequence[Record]) -> list[Change]:
    """Compare runs of two commits: the median of each figure that both of them have."""
    old, new = _by_name(before), _by_name(after)
    return [found for name in old if name in new and (found := _change(name, old[name], new[name]))]


def _by_name(records: Iterable[Record]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        for each in record["figures"]:
            found.setdefault(each["name"].strip(), []).append(each)
    return found


def _change(
    name: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Change | None:
    for key, measure in (("ratio", "ratio"), ("times", "x limit"), ("ours", "ours")):
        pair = [[each[key] for each in side if each.get(key) is not None] for side in (old, new)]
        if all(pair):
            before, after = map(median, pair)
            better, worse = (after, before) if key == "ratio" else (before, after)
            return Change(name, measure, before, after, better / worse - 1 if worse else 0.0)
    return None


def table_of_changes(found: Sequence[Change]) -> str:
    """Give the comparison as a table of text, losses marked."""
    rows = [("figure", "measure", "before", "after", "change", "")]
    rows += [
        (
            each.name,
            each.measure,
            f"{each.before:.3g}",
            f"{each.after:.3g}",
            f"{100 * each.change:+.0f} %",
            "LOSS" if each.is_loss else "",
        )
        for each in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
