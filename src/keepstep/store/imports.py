"""The import of operators from a file: good rows are loaded, each bad one is reported."""

# The packages import_export and tablib have no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Result
from import_export.widgets import Widget
from tablib.core import Dataset

from keepstep.core.errors import UsageError
from keepstep.store.import_files import Table, read_table
from keepstep.store.models import Mailbox, Operator
from keepstep.store.operators import FIELDS

LONGEST_REPORTED = 200
PORTION = 2000
_BATCH = 500
# An empty cell of these says nothing; one of name or access_group says: none.
_EMPTY_IS_NOTHING = frozenset({"calendar_sync", "time_zone"})

Progress = Callable[[int, int], None]


class Purpose(StrEnum):
    """What an import is for."""

    ADD = "add"
    ADD_OR_UPDATE = "add-or-update"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused: its line in the file, the column, what stood there, the reason."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do; `notes` are for the person who gave the file."""

    added: int
    updated: int
    unchanged: int
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()


def import_operators(
    path: Path,
    purpose: Purpose = Purpose.ADD_OR_UPDATE,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Load a CSV or XLSX file. Raises UsageError for a file of no use.

    Rows are stored in portions, so that a long file keeps nobody else from writing for long; one
    that was broken off can simply be loaded again. `progress` is told (rows done, all rows).
    """
    table = read_table(path)
    columns, notes = _columns(path, table)
    plan = _Plan(table, columns)
    resource = _OperatorResource(purpose, plan.lines, progress)
    totals: Counter[str] = Counter()
    refused = plan.refused
    for start in range(0, len(plan.lines), PORTION):
        result = resource.import_portion(plan.dataset, start, dry_run=dry_run)
        totals.update(result.totals)
        refused += _refusals(result, plan.lines[start:])
    return Imported(
        added=totals["new"],
        updated=totals["update"],
        unchanged=totals["skip"],
        refused=tuple(sorted(refused, key=lambda each: each.line)),
        notes=(*table.notes, *notes),
    )


def _columns(path: Path, table: Table) -> tuple[dict[int, str], list[str]]:
    """Give which place of a row is which column, and what to say of the columns not known."""
    names = [cell.strip().casefold() for cell in table.heading]
    columns = {place: name for place, name in enumerate(names) if name in FIELDS}
    if "email" not in columns.values():
        found = ", ".join(name for name in names if name)
        raise UsageError(f"{path} has no column email (its columns: {found[:LONGEST_REPORTED]}).")
    twice = [name for name in FIELDS if names.count(name) > 1]
    if twice:
        raise UsageError(f"{path} has the column {twice[0]} more than once.")
    ignored = [name for name in names if name and name not in FIELDS]
    named = ", ".join(ignored)[:LONGEST_REPORTED]
    return columns, [f"columns ignored: {named}."] if ignored else []


class _Plan:
    """The rows to import, as a dataset, beside what reading them already refused."""

    def __init__(self, table: Table, columns: Mapping[int, str]) -> None:
        self.dataset = Dataset(headers=list(columns.values()))
        self.lines: list[int] = []
        self.refused: list[Refusal] = []
        self._width = len(table.heading)
        for row in table.rows:
            faults = [(columns[place], reason) for place, reason in row.faults if place in columns]
            cells = {
                name: row.cells[place] if place < len(row.cells) else None
                for place, name in columns.items()
            }
            extra = [cell for cell in row.cells[self._width :] if cell.strip()]
            if extra:
                reason = f"the row has more cells than the heading ({self._width})"
                self.refused.append(Refusal(row.line, "", _short(extra[0]), reason))
            elif faults:
                self.refused += [
                    Refusal(row.line, name, _short(cells[name] or ""), reason)
                    for name, reason in faults
                ]
            else:
                self.dataset.append(list(cells.values()))
                self.lines.append(row.line)


class _Reading(Widget):
    """Reads a cell by a function that gives the value or raises ValueError."""

    def __init__(self, read: Callable[[str], object]) -> None:
        super().__init__()
        self._read = read

    def clean(self, value: str, row: object = None, **_: object) -> object:
        return self._read(value)


class _KnownOperators(BaseInstanceLoader):
    """Finds a portion's operators by address, in any case, without a query for each row."""

    def __init__(self, resource: ModelResource, dataset: Dataset | None = None) -> None:
        super().__init__(resource, dataset)
        keys = [(email or "").strip().lower() for email in dataset["email"]] if dataset else []
        self._known: dict[str, Operator] = {}
        for start in range(0, len(keys), _BATCH):
            found = Operator.objects.annotate(key=Lower("email"))
            for each in found.filter(key__in=keys[start : start + _BATCH]):
                self._known[each.email.lower()] = each

    def get_instance(self, row: Mapping[str, str]) -> Operator | None:
        return self._known.get(row["email"].strip().lower())


class _OperatorResource(ModelResource):
    """How a row becomes an operator."""

    email = Field("email", "email", _Reading(FIELDS["email"]))
    name = Field("name", "name", _Reading(FIELDS["name"]))
    calendar_sync = Field("calendar_sync", "calendar_sync", _Reading(FIELDS["calendar_sync"]))
    access_group = Field("access_group", "access_group", _Reading(FIELDS["access_group"]))
    time_zone = Field("time_zone", "time_zone", _Reading(FIELDS["time_zone"]))

    class Meta:
        model = Operator
        fields = tuple(FIELDS)
        import_id_fields = ("email",)
        instance_loader_class = _KnownOperators
        use_bulk = True
        batch_size = _BATCH
        skip_diff = True  # rows are compared by `skip_row`, for a hundredth of the time
        report_skipped = False

    def __init__(self, purpose: Purpose, lines: Sequence[int], progress: Progress | None) -> None:
        super().__init__()
        self._purpose = purpose
        self._lines = lines
        self._start = 0
        self._progress = progress
        self._first_line: dict[str, int] = {}
        self._before: tuple[object, ...] | None = None

    def import_portion(self, dataset: Dataset, start: int, *, dry_run: bool) -> Result:
        """Import the rows from `start` on, `PORTION` at most, in one transaction.

        Raises what failed for another reason than a row's content: the portion is not stored.
        """
        self._start = start
        portion = Dataset(*dataset[start : start + PORTION], headers=dataset.headers)
        result: Result = self.import_data(portion, dry_run=dry_run, use_transactions=True)
        _raise_unexpected(result)
        return result

    def before_import_row(self, row: dict[str, str | None], **kwargs: Any) -> None:
        """Leave out cells that say nothing; refuse an address that stood above."""
        for name, cell in list(row.items()):
            if cell is None or (name in _EMPTY_IS_NOTHING and not cell.strip()):
                del row[name]
        email = row["email"] = row.get("email") or ""
        key = email.strip().lower()
        line = self._lines[self._start + kwargs["row_number"] - 1]
        first = self._first_line.setdefault(key, line)
        if key and first != line:
            raise ValidationError({"email": f"stands in line {first} already"})

    def after_init_instance(
        self, instance: Operator, new: bool, row: object, **kwargs: object
    ) -> None:
        """Remember the operator as stored; refuse a known one if only new ones are to come."""
        if not new and self._purpose is Purpose.ADD:
            raise ValidationError({"email": "is known already, and the purpose is add"})
        self._before = None if new else _values(instance)

    def import_instance(self, instance: Operator, row: dict[str, str], **kwargs: Any) -> None:
        """Set what the row gives; an address that is known keeps its spelling."""
        spelling = instance.email
        super().import_instance(instance, row, **kwargs)
        instance.email = spelling or instance.email

    def skip_row(
        self,
        instance: Operator,
        original: object,
        row: object,
        import_validation_errors: Mapping[str, object] | None = None,
    ) -> bool:
        """Say whether the row changes nothing."""
        return not import_validation_errors and self._before == _values(instance)

    def after_import_row(self, row: object, row_result: object, **kwargs: Any) -> None:
        """Tell how far the import is."""
        if self._progress is not None:
            self._progress(self._start + kwargs["row_number"], len(self._lines))

    def bulk_create(self, *args: Any, **kwargs: Any) -> None:
        """Store new operators, each with a mailbox."""
        new = list(self.create_instances)
        super().bulk_create(*args, **kwargs)
        stored = [each for each in new if each.pk is not None]
        Mailbox.objects.bulk_create([Mailbox(operator=each) for each in stored], batch_size=_BATCH)


def _values(operator: Operator) -> tuple[object, ...]:
    return tuple(getattr(operator, name) for name in FIELDS)


def _refusals(result: Result, lines: Sequence[int]) -> list[Refusal]:
    refused = []
    for invalid in result.invalid_rows:
        values = dict(zip(result.diff_headers, invalid.values, strict=True))
        for column, reasons in invalid.field_specific_errors.items():
            value = _short(str(values[column]))
            refused.append(Refusal(lines[invalid.number - 1], column, value, reasons[0]))
    return refused


def _raise_unexpected(result: Result) -> None:
    """Raise what failed for another reason than the row's content, if anything did."""
    for error in result.base_errors:
        raise error.error
    for row in result.error_rows:
        raise row.errors[0].error


def _short(text: str) -> str:
    return text[:LONGEST_REPORTED]
