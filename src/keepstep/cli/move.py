"""`keepstep move`."""

from __future__ import annotations

import click

from keepstep.cli.database import needs_database


@click.command()
@click.option("--to", "url", required=True, metavar="URL", help="postgresql://USER@HOST/DATABASE")
@needs_database
def move(url: str) -> None:
    """Move everything from SQLite to an empty PostgreSQL database.

    Stop keepstep serve first. Every row is copied and read back in one transaction: a failure
    leaves both databases as they were. The SQLite file stays as a back-up. Give the password of
    PostgreSQL as KEEPSTEP_DATABASE_PASSWORD (or KEEPSTEP_DATABASE_PASSWORD_FILE), not in the URL.
    """
    from keepstep import environment
    from keepstep.store import moving

    here = environment.database()["NAME"]
    done = moving.move(environment.described(url, "--to"))
    rows = sum(each.rows for each in done)
    click.echo(f"Moved {rows} rows of {len(done)} tables; each was read back and is equal.")
    click.echo("Now set KEEPSTEP_DATABASE_URL to that address, keep the secret key as it is,")
    click.echo(f"run keepstep migrate, and start. {here} stays as a back-up.")
