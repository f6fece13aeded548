"""`keepstep createadmin`: an administrator of the pages, the first one above all."""

from __future__ import annotations

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import safe
from keepstep.cli.pairs import read_secret


@click.command()
@click.option("--email", required=True, help="Who it is.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@needs_database
def createadmin(email: str, password_stdin: bool) -> None:
    """Make an administrator of the pages.

    Without a password a one-time address is printed, at which it is set. It begins with the
    setting site_url, or with the address at which serve listens by default.
    """
    from keepstep.cli.people import print_link
    from keepstep.core.roles import Role
    from keepstep.store import accounts

    password = read_secret("password") if password_stdin else ""
    account = accounts.create(email, Role.ADMINISTRATOR, password)
    click.echo(f"{safe(account.email)} is an administrator.")
    if not password:
        print_link(account)
