"""`keepstep holds`: mass removals that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, safe

if TYPE_CHECKING:
    from keepstep.store.holds import Hold
    from keepstep.store.models import Operator


@click.group()
def holds() -> None:
    """Look at held mass removals, release or discard them."""


@holds.command(name="list")
@click.argument("email", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def list_(email: str | None, as_json: bool) -> None:
    """List the holds, of all operators or of one."""
    from keepstep.store.holds import listing

    found = listing(_operator(email))
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    if not found:
        click.echo("Nothing is held.")
    for hold in found:
        click.echo(f"{hold.operator}: {len(hold.items)} appointments, since {instant(hold.since)}")
        for item in hold.items:
            click.echo(f"  {instant(item.start)}  {safe(item.subject)}")


@holds.command()
@click.argument("email", required=False)
@needs_database
def release(email: str | None) -> None:
    """Remove what is held (of one operator, or of all), at once."""
    from datetime import UTC, datetime

    from keepstep.store import holds as service

    count = service.release(_operator(email), datetime.now(UTC))
    click.echo(f"{count} appointments were removed.")


@holds.command()
@click.argument("email", required=False)
@needs_database
def discard(email: str | None) -> None:
    """Keep what is held (of one operator, or of all), marked as no longer in Exchange."""
    from datetime import UTC, datetime

    from keepstep.store import holds as service

    count = service.discard(_operator(email), datetime.now(UTC))
    click.echo(f"{count} appointments stay, marked as no longer in Exchange.")


def _operator(email: str | None) -> Operator | None:
    from keepstep.store.operators import find

    return find(email) if email else None


def _as_json(hold: Hold) -> dict[str, object]:
    return {
        "operator": hold.operator,
        "count": len(hold.items),
        "since": instant(hold.since),
        "items": [
            {"uid": item.uid, "subject": item.subject, "start": instant(item.start)}
            for item in hold.items
        ],
    }
