"""`keepstep migrate`."""

from __future__ import annotations

import click

from keepstep.cli.database import start_django


@click.command()
def migrate() -> None:
    """Create or upgrade the database. Back it up before an upgrade."""
    start_django()
    from django.db import connection

    from keepstep.store import upgrade

    done = upgrade.migrate()
    if connection.vendor == "postgresql":
        from keepstep.sync.fleet.queue import install

        install()
    click.echo(done)
