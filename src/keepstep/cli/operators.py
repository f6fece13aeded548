"""`keepstep operators`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import Progress, instant, print_json, print_table, safe
from keepstep.cli.pairs import read_pairs

if TYPE_CHECKING:
    from keepstep.store.imports import Imported
    from keepstep.store.operator_search import Search
    from keepstep.store.operators import ShownOperator

P = ParamSpec("P")

_json = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
_all = click.option("--all", "everybody", is_flag=True, help="Every operator.")
_STATUSES = ("off", "waiting", "in_step", "retrying", "failed")
_SEARCH_OPTIONS = (
    click.option("--search", "text", help="Words in the address, the name or the access group."),
    click.option("--status", type=click.Choice(_STATUSES), help="Only those of this status."),
    click.option("--group", "access_group", help="Only this access group; '' for those in none."),
    click.option("--failure", "failure_code", help="Only those with this failure, by its code."),
)


def _searching(command: Callable[P, None]) -> Callable[P, None]:
    """Decorate a command: it takes the options that say which operators are looked for."""
    for option in reversed(_SEARCH_OPTIONS):
        command = option(command)
    return command


@click.group()
def operators() -> None:
    """Import, list and edit the people whose calendars are kept in step."""


@operators.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--purpose",
    type=click.Choice(["add", "add-or-update"]),
    default="add-or-update",
    show_default=True,
    help="Whether operators that are known may be changed.",
)
@click.option("--dry-run", is_flag=True, help="Check the file and say what would be done.")
@_json
@click.pass_context
@needs_database
def import_(context: click.Context, file: Path, purpose: str, dry_run: bool, as_json: bool) -> None:
    """Load operators from a CSV or XLSX file with the column email.

    Further columns: name, calendar_sync (true/false), access_group, time_zone (IANA). Good rows
    are loaded, each other one is reported. A column that is missing leaves what is stored; so
    does an empty cell of calendar_sync or time_zone.
    """
    from keepstep.store.imports import Purpose, import_operators

    with Progress("Importing") as progress:
        done = import_operators(file, Purpose(purpose), dry_run=dry_run, progress=progress)
    for note in done.notes:
        click.echo(f"keepstep: {safe(note)}", err=True)
    if as_json:
        print_json(_import_json(done))
    else:
        _print_import(done, dry_run=dry_run)
    if done.refused:
        context.exit(1)


@operators.command("list")
@_searching
@_json
@needs_database
def list_(as_json: bool, **asked: str | None) -> None:
    """List operators with the sync status: all, or those looked for."""
    from keepstep.store.operator_search import every

    found = every(_search(asked), datetime.now(UTC))
    if as_json:
        print_json([operator_json(each) for each in found])
        return
    rows = [
        (
            each.email,
            each.name,
            each.access_group,
            each.time_zone,
            each.status.value,
            instant(each.last_success) or "never",
            each.failure.code if each.failure else "",
        )
        for each in found
    ]
    print_table(
        ("EMAIL", "NAME", "ACCESS GROUP", "TIME ZONE", "STATUS", "LAST SUCCESS", "FAILURE"), rows
    )


@operators.command()
@click.argument("emails", metavar="[EMAIL ...]", nargs=-1)
@_all
@_searching
@needs_database
def enable(emails: tuple[str, ...], everybody: bool, **asked: str | None) -> None:
    """Switch calendar sync on for these operators, for those looked for, or for all."""
    _switch(emails, asked, everybody=everybody, on=True)


@operators.command()
@click.argument("emails", metavar="[EMAIL ...]", nargs=-1)
@_all
@_searching
@needs_database
def disable(emails: tuple[str, ...], everybody: bool, **asked: str | None) -> None:
    """Switch calendar sync off for these operators, for those looked for, or for all.

    Their calendars stay as they are.
    """
    _switch(emails, asked, everybody=everybody, on=False)


@operators.command()
@click.argument("email")
@click.argument("pairs", metavar="[NAME=VALUE ...]", nargs=-1)
@needs_database
def add(email: str, pairs: tuple[str, ...]) -> None:
    """Add one operator. Fields: name, calendar_sync, access_group, time_zone."""
    from keepstep.store.operators import add as add_operator

    click.echo(f"Added {safe(add_operator(email, read_pairs(pairs)).email)}.")


@operators.command()
@click.argument("email")
@click.argument("pairs", metavar="NAME=VALUE ...", nargs=-1, required=True)
@needs_database
def edit(email: str, pairs: tuple[str, ...]) -> None:
    """Change fields of one operator: email, name, calendar_sync, access_group, time_zone.

    With a changed e-mail address the appointments stay.
    """
    from keepstep.store.operators import edit as edit_operator

    click.echo(f"Changed {safe(edit_operator(email, read_pairs(pairs)).email)}.")


def _switch(
    emails: tuple[str, ...], asked: Mapping[str, str | None], *, everybody: bool, on: bool
) -> None:
    from keepstep.core.errors import UsageError
    from keepstep.store.operator_search import switch_found
    from keepstep.store.operators import switch

    looked_for = any(each is not None for each in asked.values())
    if (bool(emails), everybody, looked_for).count(True) != 1:
        raise UsageError("say whom: by address, by --search and the like, or --all.")
    if emails:
        changed = switch(emails, on=on)
    else:
        changed = switch_found(_search(asked), datetime.now(UTC), on=on)
    word = "on" if on else "off"
    for each in changed:
        click.echo(f"Calendar sync is {word} for {safe(each.email)}.")
    if not changed:
        click.echo(f"Calendar sync was {word} already.")


def _search(asked: Mapping[str, str | None]) -> Search:
    from keepstep.core.schedule import Status
    from keepstep.store.operator_search import Search

    status = asked["status"]
    return Search(
        text=asked["text"] or "",
        status=None if status is None else Status(status),
        access_group=asked["access_group"],
        failure_code=asked["failure_code"],
    )


def _print_import(done: Imported, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    click.echo(
        f"{done.added} {would}added, {done.updated} {would}updated, {done.unchanged} unchanged,"
        f" {len({each.line for each in done.refused})} {would}refused."
    )
    for each in done.refused:
        column = f", {each.column}" if each.column else ""
        click.echo(safe(f"line {each.line}{column}: {each.reason}"), err=True)


def _import_json(done: Imported) -> dict[str, Any]:
    refused = [
        {"line": each.line, "column": each.column, "value": each.value, "reason": each.reason}
        for each in done.refused
    ]
    return {
        "added": done.added,
        "updated": done.updated,
        "unchanged": done.unchanged,
        "refused": refused,
    }


def operator_json(operator: ShownOperator) -> dict[str, Any]:
    """Give an operator as `operators list --json` has it."""
    failure = operator.failure
    return {
        "email": operator.email,
        "name": operator.name,
        "calendar_sync": operator.calendar_sync,
        "access_group": operator.access_group,
        "time_zone": operator.time_zone,
        "status": operator.status.value,
        "last_success": instant(operator.last_success),
        "failure": failure
        and {
            "code": failure.code,
            "message": failure.message,
            "remedy": failure.remedy,
            "since": instant(failure.since),
        },
    }
