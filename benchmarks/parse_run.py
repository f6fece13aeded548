"""A child: the limit of a first round. lxml parses the same answers; as many rows are written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

from lxml import etree

from benchmarks.harness import answer, cpu_seconds, given

TABLES = ("store_appointment", "store_history")


def main() -> None:
    """Give the CPU of parsing the answers and of writing the rows that the product made of them."""
    asked = given()
    bodies = [each.encode("latin-1") for each in asked["answers"]]
    with (
        closing(sqlite3.connect(asked["database"])) as made,
        closing(sqlite3.connect(Path(os.environ["KEEPSTEP_HOME"]) / "limit.sqlite3")) as database,
    ):
        written = [_table(made, database, name) for name in TABLES]
        answer(_measure(bodies, database, written))


def _table(
    made: sqlite3.Connection, database: sqlite3.Connection, name: str
) -> tuple[str, list[list[tuple[Any, ...]]]]:
    """Make a table as the product's is, with its indexes; give how to insert, and its rows."""
    for (made_by,) in made.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", [name]
    ):
        database.execute(made_by)
    columns = [each[1] for each in made.execute(f"PRAGMA table_info({name})")]
    place = columns.index("mailbox_id")
    rows = made.execute(f"SELECT * FROM {name} ORDER BY mailbox_id, id").fetchall()
    marks = ", ".join("?" * len(columns))
    by_mailbox = [list(each) for _, each in groupby(rows, key=lambda row: row[place])]
    return f"INSERT INTO {name} VALUES ({marks})", by_mailbox


def _measure(
    bodies: list[bytes],
    database: sqlite3.Connection,
    written: list[tuple[str, list[list[tuple[Any, ...]]]]],
) -> dict[str, Any]:
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    begun = cpu_seconds()
    for body in bodies:
        etree.fromstring(body)
    parsed = cpu_seconds() - begun
    for statement, by_mailbox in written:
        for rows in by_mailbox:
            database.executemany(statement, rows)
            database.commit()
    return {"cpu": cpu_seconds() - begun, "parse_cpu": parsed}


if __name__ == "__main__":
    main()
