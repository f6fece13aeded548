"""`keepstep operators`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.operator_files import export, import_, mappings, template
from keepstep.cli.operator_page import show
from keepstep.cli.operator_search import read_search, searching
from keepstep.cli.output import instant, print_json, print_table, safe, seconds
from keepstep.cli.pairs import read_pairs

if TYPE_CHECKING:
    from keepstep.store.operators import ShownOperator

_json = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
_all = click.option("--all", "everybody", is_flag=True, help="Every operator.")


@click.group()
def operators() -> None:
    """Import, list and edit the people whose calendars are kept in step."""


for each in (show, import_, export, template, mappings):
    operators.add_command(each)


@operators.command("list")
@searching
@_json
@needs_database
def list_(as_json: bool, **asked: str | None) -> None:
    """List operators with the sync status: all, or those looked for."""
    from keepstep.store.operator_search import every

    found = every(read_search(asked), datetime.now(UTC))
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
            each.way.value,
            seconds(each.delay),
            each.failure.code if each.failure else "",
        )
        for each in found
    ]
    print_table(
        (
            "EMAIL",
            "NAME",
            "ACCESS GROUP",
            "TIME ZONE",
            "STATUS",
            "LAST SUCCESS",
            "WAY",
            "DELAY",
            "FAILURE",
        ),
        rows,
    )


@operators.command()
@click.argument("emails", metavar="[EMAIL ...]", nargs=-1)
@_all
@searching
@needs_database
def enable(emails: tuple[str, ...], everybody: bool, **asked: str | None) -> None:
    """Switch calendar sync on for these operators, for those looked for, or for all."""
    _switch(emails, asked, everybody=everybody, on=True)


@operators.command()
@click.argument("emails", metavar="[EMAIL ...]", nargs=-1)
@_all
@searching
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
        changed = switch_found(read_search(asked), datetime.now(UTC), on=on)
    word = "on" if on else "off"
    for each in changed:
        click.echo(f"Calendar sync is {word} for {safe(each.email)}.")
    if not changed:
        click.echo(f"Calendar sync was {word} already.")


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
        "way": operator.way.value,
        "delay_seconds": operator.delay,
        "failure": failure
        and {
            "code": failure.code,
            "message": failure.message,
            "remedy": failure.remedy,
            "since": instant(failure.since),
        },
    }
