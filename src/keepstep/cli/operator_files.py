"""`keepstep operators import`, `export`, `template`, `mappings`: operators in files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.operator_search import read_search, searching
from keepstep.cli.output import Progress, print_json, print_table, safe
from keepstep.cli.pairs import read_pairs
from keepstep.core.errors import UsageError

if TYPE_CHECKING:
    from keepstep.store.import_plan import PlannedRow, Refusal
    from keepstep.store.imports import Imported
    from keepstep.store.operator_files import Format, MadeFile

_file = click.argument("file", type=click.Path(path_type=Path))


@click.command("import")
@_file
@click.option(
    "--purpose",
    type=click.Choice(["add", "add-or-update"]),
    default="add-or-update",
    show_default=True,
    help="Whether operators that are known may be changed.",
)
@click.option("--dry-run", is_flag=True, help="Check the file and say what would be done.")
@click.option("--preview", is_flag=True, help="As --dry-run, and say it of every row.")
@click.option("--mapping", metavar="NAME", help="Columns as a saved mapping names them.")
@click.option("--all-or-nothing", is_flag=True, help="Load nothing if any row is refused.")
@click.option(
    "--refused",
    "mend",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the refused rows there (.csv or .xlsx), to mend and load again.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
@needs_database
def import_(
    context: click.Context,
    file: Path,
    purpose: str,
    dry_run: bool,
    preview: bool,
    mapping: str | None,
    all_or_nothing: bool,
    mend: Path | None,
    as_json: bool,
) -> None:
    """Load operators from a CSV or XLSX file with the column email.

    Further columns: name, calendar_sync (true/false), access_group, time_zone (IANA). Good rows
    are loaded, each other one is reported. A column that is missing leaves what is stored; so
    does an empty cell of calendar_sync or time_zone.
    """
    from keepstep.store.imports import Purpose, import_operators

    with Progress("Importing") as progress:
        done = import_operators(
            file,
            Purpose(purpose),
            dry_run=dry_run or preview,
            progress=progress,
            mapping=mapping,
            all_or_nothing=all_or_nothing,
        )
    for note in done.notes:
        click.echo(f"keepstep: {safe(note)}", err=True)
    if as_json:
        print_json(_as_json(done, with_rows=preview))
    else:
        _print(done, with_rows=preview)
    if mend is not None and done.refused:
        _write_refused(done, mend, file.name)
    if done.refused:
        context.exit(1)


@click.command()
@_file
@searching
@needs_database
def export(file: Path, **asked: str | None) -> None:
    """Write operators, all or those looked for, to a CSV or XLSX file that can be imported."""
    from keepstep.store.operator_files import operators_file
    from keepstep.store.operator_search import every

    found = every(read_search(asked), datetime.now(UTC))
    _write(file, operators_file(found, _format(file)))
    click.echo(f"{len(found)} operators are in {safe(str(file))}.")


@click.command()
@_file
@needs_database
def template(file: Path) -> None:
    """Write an empty CSV or XLSX file with the columns of an import."""
    from keepstep.store.operator_files import template as made

    _write(file, made(_format(file)))


@click.group()
def mappings() -> None:
    """Which columns of a file are what: mappings saved under a name, for operators import."""


@mappings.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def list_(as_json: bool) -> None:
    """List the saved mappings."""
    from keepstep.store import import_mappings

    found = import_mappings.listing()
    if as_json:
        print_json([{"name": each.name, "columns": each.columns} for each in found])
        return
    rows = [
        (each.name, ", ".join(f"{heading}={target or ''}" for heading, target in pairs))
        for each in found
        for pairs in [each.columns.items()]
    ]
    print_table(("NAME", "COLUMNS"), rows)


@mappings.command()
@click.argument("name")
@click.argument("pairs", metavar="HEADING=FIELD ...", nargs=-1, required=True)
@needs_database
def save(name: str, pairs: tuple[str, ...]) -> None:
    """Keep a mapping, in place of one of the same name.

    Fields: email, name (or first_name and last_name), calendar_sync, access_group, time_zone;
    nothing for a column that is ignored.
    """
    from keepstep.store import import_mappings
    from keepstep.store.import_columns import check, to_save

    given = read_pairs(pairs)
    columns = check(list(given), [target.strip() or None for target in given.values()])
    click.echo(f"Saved {safe(import_mappings.save(name, to_save(list(given), columns)).name)}.")


@mappings.command()
@click.argument("name")
@needs_database
def delete(name: str) -> None:
    """Delete a saved mapping."""
    from keepstep.store import import_mappings

    import_mappings.delete(name)


def _format(file: Path) -> Format:
    from keepstep.store.operator_files import Format

    try:
        return Format(file.suffix.lower().removeprefix("."))
    except ValueError:
        raise UsageError(f"{file} must end with .csv or .xlsx, which says what it is.") from None


def _write(file: Path, made: MadeFile) -> None:
    try:
        file.write_bytes(made.content)
    except OSError as error:
        raise UsageError(f"can't write {file}: {error.strerror}.") from None


def _write_refused(done: Imported, file: Path, name: str) -> None:
    from keepstep.store.operator_files import refused_file

    _write(file, refused_file(done.table, done.plan.problems, name, _format(file)))
    click.echo(safe(f"The refused rows are in {file}: mend and load it."), err=True)


def _print(done: Imported, *, with_rows: bool) -> None:
    if with_rows:
        rows = [
            (str(each.line), each.outcome.value, each.email, _in_words(each))
            for each in done.plan.rows
        ]
        print_table(("LINE", "OUTCOME", "EMAIL", "CHANGES"), rows)
    would = "" if done.stored else "would be "
    click.echo(
        f"{done.added} {would}added, {done.updated} {would}updated, {done.unchanged} unchanged,"
        f" {len({each.line for each in done.refused})} {would}refused."
    )
    for each in done.refused:
        column = f", {each.column}" if each.column else ""
        click.echo(safe(f"line {each.line}{column}: {each.reason}"), err=True)


def _in_words(row: PlannedRow) -> str:
    if row.refusals:
        return "; ".join(f"{each.column} {each.reason}".strip() for each in row.refusals)
    return ", ".join(
        f"{name} {_shown(new)}" if old is None else f"{name} {_shown(old)} → {_shown(new)}"
        for name, (old, new) in row.changes.items()
        if name != "email" and old != new and (old is not None or new not in ("", False))
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) or "-"


def _as_json(done: Imported, *, with_rows: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "added": done.added,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "refused": [_refusal(each) for each in done.refused],
    }
    if with_rows:
        told["rows"] = [
            {
                "line": each.line,
                "outcome": each.outcome.value,
                "email": each.email,
                "changes": {name: list(change) for name, change in each.changes.items()},
            }
            for each in done.plan.rows
        ]
    return told


def _refusal(each: Refusal) -> dict[str, Any]:
    return {"line": each.line, "column": each.column, "value": each.value, "reason": each.reason}
