"""Reading a table out of a file that somebody uploads: CSV or XLSX, told apart by content.

The file may be hostile: its size, its rows and what it unpacks to are bounded, nothing in it is
evaluated, and whatever is wrong is said in one line (UsageError).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keepstep.core.errors import UsageError

LARGEST_FILE = 20 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 100
LONGEST_CELL = 100_000

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its line (XLSX: row) number in the file.

    `faults` are the places of cells that can't be used, with the reason.
    """

    line: int
    cells: tuple[str, ...]
    faults: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A heading and the rows below it. `notes` are for the person who gave the file.

    `delimiter` is what separated the cells, "" in a workbook.
    """

    heading: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    delimiter: str = ""


def read_table(path: Path) -> Table:
    """Read the file. Cells are text as typed; blank rows are left out. Raises UsageError."""
    return read_upload(str(path), _content(path))


def read_upload(name: str, content: bytes) -> Table:
    """Read what is in a file of this name, as `read_table` does."""
    if len(content) > LARGEST_FILE:
        raise UsageError(f"{name} is larger than {LARGEST_FILE // 1024**2} MB: split it.")
    notes: tuple[str, ...] = ()
    delimiter = ""
    if content.startswith(_ZIP):
        from keepstep.store.xlsx import read_xlsx  # half a second of imports, often not needed

        rows = read_xlsx(content)
    elif content.startswith(_OLE):
        raise UsageError(
            f"{name} is an old or encrypted Excel file: save it as .xlsx without a password,"
            " or as CSV."
        )
    else:
        text, notes = _decoded(name, content)
        delimiter, skipped = _delimiter(text)
        rows = _csv_rows(text, delimiter, skipped)
    try:
        return _table(name, rows, notes, delimiter)
    except (csv.Error, ValueError) as error:
        raise UsageError(f"{name} can't be read: {error}.") from None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror}.") from None
    return content


def _table(name: str, rows: Iterable[Row], notes: tuple[str, ...], delimiter: str) -> Table:
    filled = (row for row in rows if any(cell.strip() for cell in row.cells))
    heading = next(filled, None)
    if heading is None:
        raise UsageError(f"{name} is empty.")
    if len(heading.cells) > MOST_COLUMNS:
        raise UsageError(f"{name} has more than {MOST_COLUMNS} columns.")
    found: list[Row] = []
    for row in filled:
        found.append(row)
        if len(found) > MOST_ROWS:
            raise UsageError(f"{name} has more than {MOST_ROWS:,} rows: split it.")
    return Table(heading.cells, tuple(found), notes, delimiter)


def _decoded(name: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """Give the text: UTF-16 by its mark, UTF-8, or else what Excel writes in the West."""
    notes: tuple[str, ...] = ()
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = content.decode("utf-16")
        else:
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = _western(name, content)
        notes = (f"{name} is not UTF-8 and was read as Windows-1252: check letters with accents.",)
    if "\0" in text:
        raise UsageError(f"{name} is neither CSV nor XLSX.")
    return text, notes


def _western(name: str, content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        raise UsageError(f"{name} is neither UTF-8 nor Windows-1252: save it as UTF-8.") from None


def _csv_rows(text: str, delimiter: str, skipped: int) -> Iterator[Row]:
    lines = io.StringIO(text, newline="")
    for _ in range(skipped):
        lines.readline()
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = skipped + 1
    try:
        for cells in reader:
            yield Row(line, tuple(cells))
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {line}: {_plainly(error)}") from None


def _plainly(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quotation mark is opened and never closed"
    if "field larger" in text:
        return f"a cell has more than {LONGEST_CELL:,} characters (is a quotation mark not closed?)"
    return text


def _delimiter(text: str) -> tuple[str, int]:
    """Give what separates cells, and how many lines come before the heading.

    Excel names the separator in a first line of its own (`sep=;`), if asked to.
    """
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    if text.startswith(first) and first.strip().lower() in {f"sep={each}" for each in ",;"}:
        return first.strip()[-1], 1
    quoted = False
    counts = dict.fromkeys(_DELIMITERS, 0)
    for character in first:
        if character == '"':
            quoted = not quoted
        elif character in counts and not quoted:
            counts[character] += 1
    return max(_DELIMITERS, key=lambda each: counts[each]), 0
