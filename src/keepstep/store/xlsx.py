"""Reading the first sheet of an XLSX workbook that may be hostile.

An XLSX file is a zip of XML: before a parser sees it, what it unpacks to is bounded and a document
type (the way to entities) is refused.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from keepstep.core.errors import UsageError
from keepstep.store.import_files import LONGEST_CELL, MOST_COLUMNS, Row

LARGEST_UNPACKED = 100 * 1024 * 1024
MOST_PARTS = 1000
MOST_LINES = 1_048_576
_CHUNK = 1024 * 1024
_DOCTYPE = "<!DOCTYPE"
_FORMULA = "is a formula: paste it as a value"
_BROKEN = "the file is no XLSX workbook, or is damaged: save it again, or as CSV."


def read_xlsx(content: bytes) -> Iterator[Row]:
    """Give the rows of the workbook's first sheet, blank ones with no cells. Raises UsageError."""
    _check(content)
    try:
        yield from _rows(content)
    except UsageError:
        raise
    except Exception as error:  # a parser of hostile input may fail in any way
        raise UsageError(f"{_BROKEN} ({type(error).__name__})") from error


def _check(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED:
                raise UsageError(
                    f"the workbook unpacks to more than {LARGEST_UNPACKED // 1024**2} MB:"
                    " save only the sheet with the operators."
                )
            for part in parts:
                _check_part(archive, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise UsageError(_BROKEN) from None


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse a document type in any encoding that an XML parser would guess."""
    marks = (_DOCTYPE.encode(), _DOCTYPE.encode("utf-16-le"), _DOCTYPE.encode("utf-16-be"))
    overlap = len(marks[1])
    tail = b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            seen = tail + chunk
            if any(mark in seen for mark in marks) and part.filename.endswith((".xml", ".rels")):
                raise UsageError("the workbook holds a document type, which is not accepted.")
            tail = seen[-overlap:]


def _rows(content: bytes) -> Iterator[Row]:
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    try:
        if not workbook.worksheets:
            raise UsageError("the workbook has no sheet.")
        sheet = workbook.worksheets[0]
        # The size that a sheet states of itself need not be true.
        sheet.reset_dimensions()
        width = MOST_COLUMNS + 1
        for line, cells in enumerate(sheet.iter_rows(max_col=width), start=1):
            if line > MOST_LINES:
                raise UsageError(f"the sheet has more than {MOST_LINES:,} rows.")
            row = _row(line, cells[:width])
            if row.cells and width > MOST_COLUMNS:
                width = len(row.cells) + 1  # of the heading: what lies right of it is of no use
            yield row
    finally:
        workbook.close()


def _row(line: int, cells: tuple[Any, ...]) -> Row:
    texts = [_text(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    faults = [(place, _FORMULA) for place, cell in enumerate(cells) if cell.data_type == "f"]
    return Row(line, tuple(texts), tuple(faults))


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)[:LONGEST_CELL]
