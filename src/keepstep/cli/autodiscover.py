"""`keepstep autodiscover`: the Exchange URL of an e-mail address."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import print_json, safe

if TYPE_CHECKING:
    from keepstep.exchange.ews.autodiscover import Discovery


@click.command()
@click.argument("email", metavar="EMAIL")
@click.option(
    "--accept",
    "accepted",
    metavar="HOST",
    multiple=True,
    help="Send the password to this host too, should the search lead to it.",
)
@click.option("--server", metavar="HOST[:PORT]", default="", help="Ask here first and only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
@needs_database
def autodiscover(
    context: click.Context, email: str, accepted: tuple[str, ...], server: str, as_json: bool
) -> None:
    """Search for the Exchange URL, signed in as the service account. Sets nothing.

    The password is sent by https only, to hosts of the address's domain and to those that you
    name.
    """
    from keepstep.sync.discovery import find_url

    found = find_url(email, accepted=accepted, server=server)
    url = shlex.quote(found.urls[0]) if found.urls else ""
    command = f"keepstep settings set exchange_url={url}" if url else ""
    _show(found, command, email, as_json=as_json)
    if not found.urls:
        context.exit(1)


def _show(found: Discovery, command: str, email: str, *, as_json: bool) -> None:
    if as_json:
        asked = [{"url": e.url, "result": e.result, "code": e.code or None} for e in found.asked]
        print_json(
            {
                "email": email,
                "urls": found.urls,
                "asked": asked,
                "unconfirmed": found.unconfirmed or None,
                "command": command or None,
            }
        )
        return
    for each in found.asked:
        code = f" [{each.code}]" if each.code else ""
        click.echo(safe(f"{each.url}: {each.result}{code}"))
    if command:
        click.echo(safe(f"Found: {found.urls[0]}"))
        click.echo(safe(f"To use it: {command}"))
    elif found.unconfirmed:
        host = shlex.quote(found.unconfirmed)
        click.echo(safe(f"If you trust {found.unconfirmed}: repeat it with --accept {host}"))
    else:
        click.echo("No Exchange URL was found.")
