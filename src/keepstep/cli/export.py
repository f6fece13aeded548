"""`keepstep export`: meetings as tables for reports."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from keepstep.cli.database import needs_database
from keepstep.cli.days import Day
from keepstep.cli.output import safe
from keepstep.core.errors import UsageError

if TYPE_CHECKING:
    from keepstep.exports.files import Format
    from keepstep.store.seen import SeenOperator

_A_YEAR = timedelta(days=365)
_FORMATS = ("csv", "xlsx", "parquet")
_STANDARD_OUTPUT = "-"


@click.group()
def export() -> None:
    """Write meetings to a CSV, XLSX or Parquet file, for reports."""


def _exporting(command: Callable[..., None]) -> Callable[..., None]:
    options: tuple[Callable[[Callable[..., None]], Callable[..., None]], ...] = (
        click.option("--format", "form", type=click.Choice(_FORMATS), help="Default: by FILE."),
        click.option("--to", "last", metavar="DATE", type=Day(), help="Day after the last."),
        click.option("--from", "first", metavar="DATE", type=Day(), help="First day."),
        click.option("--team", "group", metavar="GROUP", help="An access group's."),
        click.option("--operator", "email", metavar="EMAIL", help="One operator's."),
        click.argument("file", type=click.Path(path_type=Path)),
    )
    for option in options:
        command = option(command)
    return command


@export.command()
@_exporting
@click.option("--include-cancelled", is_flag=True, help="Cancelled ones too.")
@needs_database
def meetings(
    file: Path,
    email: str | None,
    group: str | None,
    first: date | None,
    last: date | None,
    form: str | None,
    include_cancelled: bool,
) -> None:
    """Write one line for each meeting in each operator's calendar.

    Of all operators, unless one or a team is named; those that begin within the past 365 days,
    unless dates are named. FILE - is standard output.
    """
    _export("meetings", file, email, group, first, last, form, include_cancelled)


@export.command()
@_exporting
@needs_database
def contacts(
    file: Path,
    email: str | None,
    group: str | None,
    first: date | None,
    last: date | None,
    form: str | None,
) -> None:
    """Write who met whom: one line for each person that an operator met, and how often.

    Of all operators, unless one or a team is named; meetings that begin within the past 365 days,
    unless dates are named. FILE - is standard output.
    """
    _export("contacts", file, email, group, first, last, form, include_cancelled=False)


def _export(
    kind: str,
    file: Path,
    email: str | None,
    group: str | None,
    first: date | None,
    last: date | None,
    form: str | None,
    include_cancelled: bool,
) -> None:
    from keepstep.exports.report import Kind, Report

    chosen = _format(file, form)
    members = _members(email, group)
    last = last or datetime.now(UTC).date() + timedelta(days=1)
    first = first or last - _A_YEAR
    if last <= first:
        raise UsageError(f"--to ({last}) must be later than --from ({first}).")
    report = Report(Kind(kind), first, last, include_cancelled)
    count, of_meetings = _write(file, partial(report.write, members, chosen))
    of = f" of {of_meetings} meetings" if kind == "contacts" else ""
    where = "standard output" if str(file) == _STANDARD_OUTPUT else str(file)
    click.echo(safe(f"{count} {kind}{of} are in {where}."), err=str(file) == _STANDARD_OUTPUT)


def _format(file: Path, form: str | None) -> Format:
    from keepstep.exports.files import Format

    named = form or file.suffix.lower().removeprefix(".")
    if named not in _FORMATS:
        raise UsageError(
            f"{file} must end with .csv, .xlsx or .parquet, or --format say what it is."
        )
    return Format(named)


def _members(email: str | None, group: str | None) -> list[SeenOperator]:
    """Give whose meetings: the command line sees all that is stored."""
    from keepstep.core.roles import Sight
    from keepstep.store import calendar
    from keepstep.store.models import Operator
    from keepstep.store.operators import find
    from keepstep.store.seen import SeenOperator

    if email is not None and group is not None:
        raise UsageError("name --operator EMAIL or --team GROUP, not both.")
    if email is not None:
        chosen = [find(email)]
    elif group is not None:
        chosen = calendar.team(group)
    else:
        chosen = list(Operator.objects.order_by("email"))
    return [SeenOperator(each, Sight.ALL) for each in chosen]


def _write(file: Path, write: Callable[[IO[bytes]], tuple[int, int]]) -> tuple[int, int]:
    """Write the file whole or not at all: beside its place first."""
    if str(file) == _STANDARD_OUTPUT:
        return write(sys.stdout.buffer)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as target:
            counts = write(target)
        beside.replace(file)
    except OSError as error:
        raise UsageError(f"can't write {file}: {error.strerror or error}.") from None
    finally:
        beside.unlink(missing_ok=True)
    return counts
