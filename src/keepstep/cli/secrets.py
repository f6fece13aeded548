"""`keepstep secrets`."""

from __future__ import annotations

import click

from keepstep.cli.database import needs_database


@click.group()
def secrets() -> None:
    """Renew the key that encrypts secrets."""


@secrets.command()
@needs_database
def rotate() -> None:
    """Make a new key, and encrypt all secrets with it. Interrupted, it loses none: repeat it.

    The old key is kept until all is done. Sessions of the pages end. A key that comes from
    KEEPSTEP_SECRET_KEY is changed to KEEPSTEP_NEW_SECRET_KEY.
    """
    from keepstep import environment
    from keepstep.store import rotation

    count = rotation.rotate()
    click.echo(f"Encrypted anew: {count} {'secret' if count == 1 else 'secrets'}.")
    if environment.variable(environment.SECRET_KEY):
        click.echo("Now give the new key as KEEPSTEP_SECRET_KEY, and restart what runs.")
