"""The import of operators: what it would do, doing it, and what of the file is to be mended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Lower

from keepstep.core.errors import UsageError
from keepstep.store import audit
from keepstep.store.import_columns import Columns, by_saved, ignored, named
from keepstep.store.import_files import Table, read_table, read_upload
from keepstep.store.import_plan import (
    Known,
    Outcome,
    Plan,
    PlannedRow,
    Progress,
    Purpose,
    Refusal,
    keys,
    plan,
)
from keepstep.store.models import Mailbox, Operator
from keepstep.store.operators import FIELDS, try_soon

__all__ = ["Imported", "Purpose", "Refusal", "import_operators", "load", "preview"]

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do; `notes` are for the person who gave the file.

    `stored` is False for a dry run, and where all or nothing was asked for and some row is
    refused: nothing was changed then, and `added` and `updated` tell what would have been.
    """

    added: int
    updated: int
    unchanged: int
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()
    stored: bool = field(default=True, compare=False)
    plan: Plan = field(default=Plan(()), compare=False, repr=False)
    table: Table = field(default=Table((), ()), compare=False, repr=False)


def import_operators(
    path: Path,
    purpose: Purpose = Purpose.ADD_OR_UPDATE,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    mapping: str | None = None,
    all_or_nothing: bool = False,
    by: str = audit.COMMAND_LINE,
) -> Imported:
    """Load a CSV or XLSX file. Raises UsageError for a file of no use.

    Its columns are those called as the fields, or those that the saved `mapping` names.
    """
    return _import(
        read_table(path),
        str(path),
        path.name,
        purpose,
        dry_run=dry_run,
        progress=progress,
        mapping=mapping,
        all_or_nothing=all_or_nothing,
        by=by,
    )


def import_upload(
    name: str,
    content: bytes,
    purpose: Purpose = Purpose.ADD_OR_UPDATE,
    *,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    by: str,
) -> Imported:
    """Load what is in an uploaded file of this name, as `import_operators` does."""
    return _import(
        read_upload(name, content),
        name,
        name,
        purpose,
        dry_run=dry_run,
        progress=None,
        mapping=None,
        all_or_nothing=all_or_nothing,
        by=by,
    )


def _import(
    table: Table,
    place: str,
    name: str,
    purpose: Purpose,
    *,
    dry_run: bool,
    progress: Progress | None,
    mapping: str | None,
    all_or_nothing: bool,
    by: str,
) -> Imported:
    columns, notes = _columns(place, table, mapping)
    notes = (*table.notes, *notes)
    if dry_run:
        return _told(preview(table, columns, purpose), table, notes, stored=False)
    done = load(
        table,
        columns,
        purpose,
        name=name,
        all_or_nothing=all_or_nothing,
        by=by,
        progress=progress,
    )
    return replace(done, notes=notes)


def preview(table: Table, columns: Columns, purpose: Purpose) -> Plan:
    """Give what loading the table would do with every row now. Changes nothing."""
    return plan(table, columns, purpose, _known(table, columns))


def load(
    table: Table,
    columns: Columns,
    purpose: Purpose,
    *,
    name: str,
    all_or_nothing: bool = False,
    by: str = audit.COMMAND_LINE,
    progress: Progress | None = None,
) -> Imported:
    """Load the good rows of a table, in one transaction; or none if one of them is refused.

    `columns` as `import_columns` gives them, `name` is the file's, `by` who did it, for the
    audit. `progress` is told (rows stored, rows to store), from within the transaction. Raises
    UsageError where somebody else adds the same operators at the same time.
    """
    try:
        with transaction.atomic():
            planned = plan(table, columns, purpose, _known(table, columns, lock=True))
            stored = not (all_or_nothing and planned.refusals)
            if stored:
                _store(planned, name, by, progress or _unheard)
    except IntegrityError:
        raise UsageError(
            "somebody else added some of these operators meanwhile: load the file again."
        ) from None
    return _told(planned, table, (), stored=stored)


def _unheard(done: int, total: int) -> None:
    """Take no notice of how far it is."""


def _columns(name: str, table: Table, mapping: str | None) -> tuple[Columns, tuple[str, ...]]:
    from keepstep.store import import_mappings

    try:
        if mapping is None:
            return named(table)
        columns = by_saved(table.heading, import_mappings.find(mapping).columns)
    except UsageError as error:
        raise UsageError(f"{name} {error}" if mapping is None else f"{name}: {error}") from None
    return columns, ignored(table.heading, columns)


def _told(planned: Plan, table: Table, notes: tuple[str, ...], *, stored: bool) -> Imported:
    counts = planned.counts
    return Imported(
        counts[Outcome.ADDED],
        counts[Outcome.UPDATED],
        counts[Outcome.UNCHANGED],
        planned.refusals,
        notes,
        stored,
        planned,
        table,
    )


def _known(table: Table, columns: Columns, *, lock: bool = False) -> dict[str, Known]:
    """Give the operators whose addresses stand in the table, by key, in a few queries.

    With `lock` they stay as they are until the end of the transaction.
    """
    operators = Operator.objects.annotate(key=Lower("email"))
    if lock:
        operators = operators.select_for_update()
    wanted = list(keys(table, columns))
    known = {}
    for start in range(0, len(wanted), _BATCH):
        some = operators.filter(key__in=wanted[start : start + _BATCH])
        for key, *values in some.values_list("pk", *FIELDS):
            fields = dict(zip(FIELDS, values, strict=True))
            known[str(fields["email"]).lower()] = Known(key, fields)
    return known


def _store(planned: Plan, name: str, by: str, progress: Progress) -> None:
    added, updated = planned.of(Outcome.ADDED), planned.of(Outcome.UPDATED)
    total = len(added) + len(updated)
    for start, rows in _portions(added):
        _add(rows, by)
        progress(start + len(rows), total)
    for start, rows in _portions(updated):
        _update(rows, by)
        progress(len(added) + start + len(rows), total)
    if total:
        counts = {"added": added, "updated": updated, "refused": planned.of(Outcome.REFUSED)}
        changes = {what: (0, len(rows)) for what, rows in counts.items() if rows}
        audit.record(by, "operators.import", name, changes)


def _portions(rows: Sequence[PlannedRow]) -> Iterable[tuple[int, Sequence[PlannedRow]]]:
    for start in range(0, len(rows), _BATCH):
        yield start, rows[start : start + _BATCH]


def _add(rows: Sequence[PlannedRow], by: str) -> None:
    """Store new operators, each with a mailbox."""
    new = [Operator(**{name: value for name, (_, value) in each.changes.items()}) for each in rows]
    stored = Operator.objects.bulk_create(new)
    Mailbox.objects.bulk_create([Mailbox(operator=each) for each in stored])
    audit.record_many(by, "operator.add", [(each.email, each.changes) for each in rows])


def _update(rows: Sequence[PlannedRow], by: str) -> None:
    """Set what changed, with a statement for each set of changed fields."""
    by_fields: dict[tuple[str, ...], list[list[str | bool | int | None]]] = {}
    for each in rows:
        values = [new for _, new in each.changes.values()]
        by_fields.setdefault(tuple(each.changes), []).append([*values, each.key])
    with connection.cursor() as cursor:
        for names, parameters in by_fields.items():
            columns = ", ".join(f"{connection.ops.quote_name(name)} = %s" for name in names)
            # The names are those of fields, never of the file.
            statement = f"UPDATE store_operator SET {columns} WHERE id = %s"  # noqa: S608
            cursor.executemany(statement, parameters)
    audit.record_many(by, "operator.edit", [(each.email, each.changes) for each in rows])
    on = [each.key for each in rows if each.changes.get("calendar_sync") == (False, True)]
    try_soon(each for each in on if each is not None)
