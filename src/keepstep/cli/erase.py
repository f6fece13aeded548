"""`keepstep erase` and `keepstep purge`: what is kept no longer."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import safe


@click.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
@needs_database
def erase(context: click.Context, email: str, yes: bool) -> None:
    """Delete an operator with appointments, history and every mention, for good.

    Exchange is not touched. The operator does not come back but by an import or by hand.
    """
    from keepstep.core.errors import UsageError
    from keepstep.store import operators
    from keepstep.store.erasure import erase as erase_whole
    from keepstep.store.erasure import forget_bytes

    known = operators.find(email).email
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"nobody is there to ask: give --yes to erase {known}.")
        click.confirm(safe(f"Erase all data of {known}? It can't be undone"), abort=True, err=True)
    erased = erase_whole(known)
    click.echo(
        safe(
            f"Erased {erased.email}: {erased.appointments} appointments,"
            f" {erased.history} entries of history."
        )
    )
    for name in erased.named_in:
        click.echo(safe(f"The setting {name} still names the address."), err=True)
    if not forget_bytes():
        click.echo(
            "Another program reads the database: deleted bytes stay in its file until the"
            " nightly purge, or keepstep purge.",
            err=True,
        )
        context.exit(1)


@click.command()
@click.pass_context
@needs_database
def purge(context: click.Context) -> None:
    """Delete what is older than the settings let it be kept; serve does so each night."""
    from keepstep.store.erasure import forget_bytes
    from keepstep.store.retention import Terms, purge_some
    from keepstep.store.settings import load

    settings = load(with_secrets=False)
    terms = Terms.of(settings)
    total: dict[str, int] = {}
    while gone := purge_some(terms, datetime.now(UTC)):
        for kind, count in gone.items():
            total[kind] = total.get(kind, 0) + count
    click.echo("Purged: " + (", ".join(f"{n} {kind}" for kind, n in total.items()) or "nothing"))
    if not forget_bytes():
        click.echo("Another program reads the database: try again later.", err=True)
        context.exit(1)
