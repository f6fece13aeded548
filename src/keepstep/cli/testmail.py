"""`keepstep testmail`: whether failure e-mails reach people."""

from __future__ import annotations

from uuid import uuid4

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
    from keepstep.core.errors import UsageError
    from keepstep.notices.messages import TEST, words_for
    from keepstep.notices.post import send, server_of
    from keepstep.store.fields import read_email
    from keepstep.store.settings import load

    settings = load()
    recipients = settings.notify_sync_failure_to
    if address is not None:
        try:
            recipients = (read_email(address),)
        except ValueError as error:
            raise UsageError(f"ADDRESS {error}.") from None
    if not recipients:
        raise UsageError(
            "nobody gets failure e-mails: keepstep settings set notify_sync_failure_to=…"
        )
    server = server_of(settings)
    problem = send(server, words_for(TEST, ()), recipients, uuid4().hex)
    if problem:
        click.echo(safe(f"The test e-mail was not sent: {problem}."), err=True)
        context.exit(1)
    click.echo(safe(f"{server.address} took a test e-mail for {', '.join(recipients)}."))
