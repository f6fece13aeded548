"""`keepstep doctor`: the connection to Exchange, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import print_json, safe

if TYPE_CHECKING:
    from keepstep.sync.doctor import Step

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED ", "skipped": "-      "}


@click.command()
@click.option("--operator", "email", metavar="EMAIL", help="Look with this operator's mailbox.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
@needs_database
def doctor(context: click.Context, email: str | None, as_json: bool) -> None:
    """Check the connection to Exchange, and name the first thing that is wrong.

    No setting is changed, and nothing in Exchange. A refused password is sent only once, and not
    at all while Exchange could lock the account for it.
    """
    from keepstep.sync.checkup import check_up
    from keepstep.sync.doctor import is_well

    steps = check_up(email, _ignore if as_json else _print)
    well = is_well(steps)
    if as_json:
        print_json({"ok": well, "steps": [_plain(step) for step in steps]})
    if not well:
        context.exit(1)


def _plain(step: Step) -> dict[str, str | None]:
    return {
        "step": step.step,
        "status": step.status.value,
        "code": step.code,
        "message": step.message,
        "remedy": step.remedy,
    }


def _print(step: Step) -> None:
    code = f" [{step.code}]" if step.code else ""
    click.echo(safe(f"{_MARKS[step.status.value]}  {step.step}: {step.message}{code}"))
    if step.remedy:
        click.echo(safe(f"         {step.remedy}"))


def _ignore(_: Step) -> None:
    """Nothing is shown before the document is whole."""
