"""A file between the steps of the Data Import wizard: uploaded, looked at, loaded, mended.

It belongs to the account that uploaded it, and is gone a day later at the latest. What was read of
the file is kept, not the file: a hostile one is met by its reader once.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID

from django.db import transaction

from keepstep.core.errors import UsageError
from keepstep.store import import_mappings, imports
from keepstep.store.fields import LONGEST_LINE
from keepstep.store.import_columns import Columns, check, guess, ignored, to_save
from keepstep.store.import_files import Row, Table, read_upload
from keepstep.store.import_plan import Outcome, Plan, Progress, Purpose
from keepstep.store.models import Account, ImportDraft
from keepstep.store.operator_files import Format, MadeFile, refused_file

# An account's older uploads go when it uploads more.
MOST_OF_AN_ACCOUNT = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """An uploaded file: its name, what was read of it, and what was chosen so far.

    `columns` has a target (see `import_columns.TARGETS`) or None for each place of the heading.
    `counts` are those of the import by outcome, empty before it; afterwards `table` has only the
    refused rows.
    """

    id: UUID
    file_name: str
    table: Table
    purpose: Purpose
    columns: Columns
    created: datetime
    imported: datetime | None
    counts: dict[Outcome, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """Give what the person should know of how the file was read."""
        return (*self.table.notes, *ignored(self.table.heading, self.columns))


def begin(
    account: Account, file_name: str, content: bytes, now: datetime, *, mapping: str | None = None
) -> Draft:
    """Read an uploaded file and keep it, with columns guessed (by a saved mapping, if named).

    Raises UsageError for a file of no use; nothing is kept then.
    """
    name = _bare(file_name)
    table = read_upload(name, content)
    if not table.rows:
        raise UsageError(f"{name} has a heading and no rows.")
    saved = import_mappings.find(mapping).columns if mapping else None
    with transaction.atomic():
        mine = ImportDraft.objects.filter(account=account).order_by("-created")
        older = list(mine.values_list("pk", flat=True)[MOST_OF_AN_ACCOUNT - 1 :])
        ImportDraft.objects.filter(pk__in=older).delete()
        row = ImportDraft.objects.create(
            account=account,
            created=now,
            file_name=name,
            table=_packed(table),
            purpose=Purpose.ADD_OR_UPDATE.value,
            columns=list(guess(table, saved)),
        )
    return _draft(row, table)


def get(draft_id: UUID, account: Account) -> Draft:
    """Give a draft of this account. Raises UsageError where there is none (any more)."""
    row = _row(draft_id, account)
    return _draft(row, _unpacked(bytes(row.table)))


def choose(
    draft_id: UUID,
    account: Account,
    *,
    purpose: Purpose | None = None,
    columns: Sequence[str | None] | None = None,
) -> Draft:
    """Note what a person chose, and give the draft as it is then. Raises UsageError."""
    with transaction.atomic():
        row = _row(draft_id, account)
        table = _unpacked(bytes(row.table))
        if columns is not None:
            row.columns = list(check(table.heading, columns))
        if purpose is not None:
            row.purpose = purpose.value
        row.save(update_fields=["columns", "purpose"])
    return _draft(row, table)


def save_mapping(draft_id: UUID, account: Account, name: str, *, by: str) -> None:
    """Keep the draft's columns under a name, for files made alike. Raises UsageError."""
    draft = get(draft_id, account)
    import_mappings.save(name, to_save(draft.table.heading, draft.columns), by=by)


def preview(draft: Draft) -> Plan:
    """Give what the import would do with every row. Raises UsageError for columns of no use."""
    check(draft.table.heading, draft.columns)
    return imports.preview(draft.table, draft.columns, draft.purpose)


def load(
    draft_id: UUID,
    account: Account,
    now: datetime,
    *,
    all_or_nothing: bool = False,
    by: str,
    progress: Progress | None = None,
) -> imports.Imported:
    """Import the draft; what was refused stays to be mended, the rest is kept no longer.

    See `imports.load`. Where nothing was stored the draft stays whole. Raises UsageError, also
    for one that was imported already.
    """
    with transaction.atomic():
        row = ImportDraft.objects.select_for_update().filter(pk=draft_id, account=account).first()
        if row is None or row.imported is not None:
            raise UsageError(_GONE if row is None else "this file was imported already.")
        draft = _draft(row, _unpacked(bytes(row.table)))
        check(draft.table.heading, draft.columns)
        done = imports.load(
            draft.table,
            draft.columns,
            draft.purpose,
            name=draft.file_name,
            all_or_nothing=all_or_nothing,
            by=by,
            progress=progress,
        )
        if done.stored:
            _keep_refused(row, draft, done.plan, now)
    return done


def mend_file(draft_id: UUID, account: Account) -> MadeFile:
    """Give the refused rows as a file like the one uploaded, each with its problem.

    Before the import: those that the preview refuses. Raises UsageError.
    """
    row = _row(draft_id, account)
    draft = _draft(row, _unpacked(bytes(row.table)))
    if row.imported is not None:
        problems = dict(enumerate(row.result["problems"]))
    else:
        problems = preview(draft).problems
    return refused_file(draft.table, problems, draft.file_name, _format(draft.table))


def discard(draft_id: UUID, account: Account) -> None:
    """Forget a draft of this account, if there is one."""
    ImportDraft.objects.filter(pk=draft_id, account=account).delete()


_GONE = "this file is no longer here: upload it again."


def _row(draft_id: UUID, account: Account) -> ImportDraft:
    row = ImportDraft.objects.filter(pk=draft_id, account=account).first()
    if row is None:
        raise UsageError(_GONE)
    return row


def _keep_refused(row: ImportDraft, draft: Draft, planned: Plan, now: datetime) -> None:
    problems = planned.problems
    table = draft.table
    rows = tuple(table.rows[place] for place in problems)
    row.table = _packed(Table(table.heading, rows, table.notes, table.delimiter))
    row.result = {
        "counts": {each.value: count for each, count in planned.counts.items()},
        "problems": list(problems.values()),
    }
    row.imported = now
    row.save(update_fields=["table", "result", "imported"])


def _draft(row: ImportDraft, table: Table) -> Draft:
    return Draft(
        row.id,
        row.file_name,
        table,
        Purpose(row.purpose),
        tuple(row.columns),
        row.created,
        row.imported,
        {Outcome(name): count for name, count in row.result.get("counts", {}).items()},
    )


def _format(table: Table) -> Format:
    return Format.CSV if table.delimiter else Format.XLSX


def _bare(file_name: str) -> str:
    """Give a file's name without folders, on one line, short."""
    name = PureWindowsPath(PurePosixPath(file_name).name).name
    line = "".join(each if each.isprintable() else " " for each in name).strip()
    return line[-LONGEST_LINE:] or "the file"


def _packed(table: Table) -> bytes:
    value = {
        "heading": table.heading,
        "rows": [(row.line, row.cells, row.faults) for row in table.rows],
        "notes": table.notes,
        "delimiter": table.delimiter,
    }
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)


def _unpacked(packed: bytes) -> Table:
    value: dict[str, Any] = json.loads(zlib.decompress(packed))
    rows = tuple(
        Row(line, tuple(cells), tuple((place, reason) for place, reason in faults))
        for line, cells, faults in value["rows"]
    )
    return Table(tuple(value["heading"]), rows, tuple(value["notes"]), value["delimiter"])
