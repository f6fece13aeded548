"""`keepstep migrate`."""

from __future__ import annotations

import click

from keepstep.cli.database import start_django


@click.command()
def migrate() -> None:
    """Create or upgrade the database. Back it up before an upgrade."""
    start_django()
    from keepstep.store import upgrade

    click.echo(upgrade.migrate())
