"""`keepstep testmail`: whether failure e-mails reach people."""

from __future__ import annotations

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import safe


@click.command()
@click.argument("address", required=False)
@click.pass_context
@needs_database
def testmail(context: click.Context, address: str | None) -> None:
    """Send a test e-mail now, to ADDRESS or to those who get failure e-mails.

    Says what went wrong if the mail server does not take it.
    """
    from keepstep.notices.testing import send_test

    sent = send_test(address)
    if sent.problem:
        click.echo(safe(f"The test e-mail was not sent: {sent.problem}."), err=True)
        context.exit(1)
    click.echo(safe(f"{sent.server} took a test e-mail for {', '.join(sent.recipients)}."))
