"""Exports as files: CSV, XLSX workbooks, Parquet; written line by line, in bounded memory.

No cell of a CSV file or workbook is a formula to a spreadsheet, whatever it holds; in Parquet,
which none evaluates, texts are as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain, islice
from typing import IO, Any

from keepstep.exports.columns import Column, Kind, Line, Value
from keepstep.store.harmless import fit_for_xml, guarded

ROWS_IN_A_GROUP = 10_000
_BETWEEN = "; "
_ROWS_OF_A_SHEET = 1_048_576
_LONGEST_CELL = 32_767
_FIRST_YEAR_OF_EXCEL = 1900
_DATE_FORMAT = "yyyy-mm-dd hh:mm"


class Format(StrEnum):
    """What a file can be."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"

    @property
    def content_type(self) -> str:
        """Give the media type."""
        return _CONTENT_TYPES[self]


_CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def write(
    columns: Sequence[Column], lines: Iterable[Line], form: Format, target: IO[bytes]
) -> None:
    """Write the lines to a file that is open for writing."""
    match form:
        case Format.CSV:
            _write_csv(columns, lines, target)
        case Format.XLSX:
            _write_xlsx(columns, lines, target)
        case Format.PARQUET:
            _write_parquet(columns, lines, target)


def _write_csv(columns: Sequence[Column], lines: Iterable[Line], target: IO[bytes]) -> None:
    # With the mark, Excel knows that it is UTF-8.
    text = io.TextIOWrapper(target, "utf-8-sig", errors="replace", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([each.name for each in columns])
    for line in lines:
        writer.writerow(
            [_text(value, column.kind) for value, column in zip(line, columns, strict=True)]
        )
    text.detach()


def _text(value: Value, kind: Kind) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if kind is Kind.INSTANT else "")
    if isinstance(value, tuple):
        return guarded(_BETWEEN.join(value))
    return guarded(value) if isinstance(value, str) else str(value)


def _write_xlsx(columns: Sequence[Column], lines: Iterable[Line], target: IO[bytes]) -> None:
    # Half a second of imports, often not needed.
    from openpyxl import Workbook  # type: ignore[import-untyped]

    book = Workbook(write_only=True)
    rest = iter(lines)
    first = next(rest, None)
    while True:
        sheet = _sheet(book, columns)
        for number, line in enumerate(chain([] if first is None else [first], rest), start=2):
            if number > _ROWS_OF_A_SHEET:
                first = line
                break
            sheet.append(list(_cells(sheet, line, columns)))
        else:
            break
    book.save(target)


def _sheet(book: Any, columns: Sequence[Column]) -> Any:
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
    from openpyxl.styles import Font  # type: ignore[import-untyped]
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    heading = []
    for place, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = 20
        cell = WriteOnlyCell(sheet, column.name)
        cell.font = Font(bold=True)
        heading.append(cell)
    sheet.append(heading)
    return sheet


def _cells(sheet: Any, line: Line, columns: Sequence[Column]) -> Iterator[Any]:
    from openpyxl.cell import WriteOnlyCell

    for value, column in zip(line, columns, strict=True):
        if isinstance(value, datetime) and value.year >= _FIRST_YEAR_OF_EXCEL:
            # A workbook knows no time zones; the column's name says which it is.
            cell = WriteOnlyCell(sheet, value.replace(tzinfo=None))
            cell.number_format = _DATE_FORMAT
            yield cell
        elif value is None or isinstance(value, (bool, int)):
            yield value
        else:
            cell = WriteOnlyCell(sheet, fit_for_xml(_text(value, column.kind))[:_LONGEST_CELL])
            cell.data_type = "s"
            yield cell


def _write_parquet(columns: Sequence[Column], lines: Iterable[Line], target: IO[bytes]) -> None:
    # Half a second of imports, often not needed.
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    types = {
        Kind.TEXT: pa.string(),
        Kind.TEXTS: pa.list_(pa.string()),
        Kind.INTEGER: pa.int64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.INSTANT: pa.timestamp("us", tz="UTC"),
        Kind.WALL: pa.timestamp("us"),
    }
    schema = pa.schema([pa.field(each.name, types[each.kind]) for each in columns])
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        rest = iter(lines)
        while group := list(islice(rest, ROWS_IN_A_GROUP)):
            values = [[_plain(value) for value in column] for column in zip(*group, strict=True)]
            arrays = [
                pa.array(column, field.type) for column, field in zip(values, schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def _plain(value: Value) -> Any:
    """Give a value as pyarrow takes it: text without halves of a character, lists."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
