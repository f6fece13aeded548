"""CPU of a first round for each item: the product, exchangelib, and lxml with raw `executemany`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Goal, Pass
from benchmarks.harness import in_child, server
from benchmarks.idle import RIVAL
from benchmarks.recording import recording


def figures(mailboxes: int, items: int, passes: int) -> list[Figure]:
    """Measure in turn: from the listing to a committed row with its history."""
    with (
        server(mailboxes, items) as served,
        tempfile.TemporaryDirectory(prefix="keepstep-bench-") as home,
    ):
        limit = _recorded(served, home)
        found, histories = [], []
        for _ in range(passes):
            ours = in_child("benchmarks.keepstep_run", served)
            rival = in_child("benchmarks.exchangelib_run", served)
            bare = in_child("benchmarks.parse_run", limit)
            count = ours["items"]
            found.append(
                Pass(
                    1000 * ours["cpu"] / count,
                    1000 * rival["cpu"] / rival["items"],
                    1000 * bare["cpu"] / count,
                )
            )
            histories.append(Pass(100 * ours["history_cpu"] / ours["cpu"]))
    return [
        Figure(
            "first round, an item",
            "ms",
            found,
            f"{RIVAL}, rows into SQLite by executemany",
            "lxml's parse of the same answers, and raw executemany of the same rows into SQLite",
            Goal(ratio=12, times=3),
            {"items": count, "limit's parse, share": bare["parse_cpu"] / bare["cpu"]},
        ),
        Figure("  of it the history", "%", histories, goal=Goal(most=5)),
    ]


def _recorded(served: dict[str, Any], home: str) -> dict[str, Any]:
    """Give the answers of a first round of the product's, and the database with what it made."""
    with recording(served["url"]) as (url, passed):
        in_child("benchmarks.keepstep_run", {**served, "url": url}, home)
        answers = [
            each.answer.decode("latin-1")
            for each in passed
            if each.asks(b"SyncFolderItems") or each.asks(b"GetItem")
        ]
    return {"answers": answers, "database": str(Path(home) / "keepstep.sqlite3")}
