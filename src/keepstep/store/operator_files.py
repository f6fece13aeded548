"""Files of operators to take away: the list, a template to fill in, the refused rows to mend.

No cell of them is a formula to a spreadsheet, whatever it holds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath

from keepstep.store.harmless import fit_for_xml, guarded, unguarded
from keepstep.store.import_columns import PROBLEM
from keepstep.store.import_files import Table
from keepstep.store.operators import FIELDS, ShownOperator

_SHOWN = ("status", "last_success", "failure")
_HELP = {
    "email": "The e-mail address of the Exchange mailbox: it tells who is who. Needed.",
    "name": "The name, as the calendar shows it.",
    "calendar_sync": "true or false: whether the calendar is kept in step. Empty: stays.",
    "access_group": "The team. Its members see each other's calendars.",
    "time_zone": "An IANA time zone such as Europe/Berlin. Empty: stays, UTC for a new one.",
}


class Format(StrEnum):
    """What a file can be."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def content_type(self) -> str:
        """Give the media type."""
        if self is Format.CSV:
            return "text/csv; charset=utf-8"
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file to take away: a name to save it under, its media type, its bytes."""

    name: str
    content_type: str
    content: bytes


def operators_file(operators: Iterable[ShownOperator], form: Format) -> MadeFile:
    """Give operators as a file that can be imported again; the status is beside the fields."""
    rows = [[*FIELDS, *_SHOWN], *map(_cells, operators)]
    return _made("operators", rows, form)


def template(form: Format) -> MadeFile:
    """Give an empty file with the columns of an import; a workbook explains them."""
    return _made("operators-template", [list(FIELDS)], form, explained=form is Format.XLSX)


def refused_file(
    table: Table, problems: Mapping[int, str], file_name: str, form: Format
) -> MadeFile:
    """Give the rows of these places (from 0) with all their columns, and the problem of each.

    Mended, the file can be loaded as it is. `file_name` is that of the original.
    """
    heading = list(table.heading)
    width = len(heading)
    place = heading.index(PROBLEM) if PROBLEM in heading else width
    rows = [[*heading[:place], PROBLEM, *heading[place + 1 :]]]
    for number, problem in problems.items():
        # Cells that an earlier file of ours guarded are not guarded twice.
        cells = [unguarded(cell) for cell in table.rows[number].cells]
        cells += [""] * (width - len(cells))
        rows.append([*cells[:place], problem, *cells[place + (place < width) :]])
    stem = PurePath(file_name).stem or "operators"
    return _made(f"{stem}-refused", rows, form, table.delimiter or ",")


def _cells(operator: ShownOperator) -> list[str]:
    return [
        operator.email,
        operator.name,
        "true" if operator.calendar_sync else "false",
        operator.access_group,
        operator.time_zone,
        operator.status.value,
        _instant(operator.last_success),
        operator.failure.code if operator.failure else "",
    ]


def _instant(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _made(
    stem: str,
    rows: Sequence[Sequence[str]],
    form: Format,
    delimiter: str = ",",
    *,
    explained: bool = False,
) -> MadeFile:
    safe = [[guarded(cell) for cell in row] for row in rows]
    content = _csv(safe, delimiter) if form is Format.CSV else _xlsx(safe, explained=explained)
    return MadeFile(f"{stem}.{form.value}", form.content_type, content)


def _csv(rows: Sequence[Sequence[str]], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    # With the mark, Excel knows that it is UTF-8.
    return text.getvalue().encode("utf-8-sig", errors="replace")


def _xlsx(rows: Sequence[Sequence[str]], *, explained: bool) -> bytes:
    # Half a second of imports, often not needed.
    from openpyxl import Workbook  # type: ignore[import-untyped]
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
    from openpyxl.styles import Font  # type: ignore[import-untyped]
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

    book = Workbook(write_only=True)
    sheets = [("Operators", rows)]
    if explained:
        sheets.append(("Columns", [["column", "meaning"], *map(list, _HELP.items())]))
    for title, lines in sheets:
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for place in range(len(lines[0])):
            sheet.column_dimensions[get_column_letter(place + 1)].width = 24
        for number, line in enumerate(lines):
            cells = []
            for text in line:
                cell = WriteOnlyCell(sheet, fit_for_xml(text))
                cell.data_type = "s"
                if number == 0:
                    cell.font = Font(bold=True)
                cells.append(cell)
            sheet.append(cells)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
