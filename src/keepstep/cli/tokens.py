"""`keepstep tokens`: by which programs use the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, print_table, safe

if TYPE_CHECKING:
    from keepstep.store.tokens import ShownToken


@click.group()
def tokens() -> None:
    """Make, list and revoke the tokens by which programs use the API."""


@tokens.command("list")
@click.argument("email", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def list_(email: str | None, as_json: bool) -> None:
    """List the tokens of everybody, or of one account; never the tokens themselves."""
    from datetime import UTC, datetime

    from keepstep.store import accounts
    from keepstep.store import tokens as service

    found = service.listing(datetime.now(UTC), accounts.find(email) if email else None)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    if not found:
        click.echo("There are no tokens.")
        return
    rows = [
        (
            str(each.number),
            each.account,
            each.name,
            f"{each.hint}…",
            each.state,
            instant(each.expires_at) or "never",
            instant(each.last_used_at) or "never",
        )
        for each in found
    ]
    print_table(("NUMBER", "ACCOUNT", "NAME", "TOKEN", "STATE", "EXPIRES", "LAST USE"), rows)


@tokens.command()
@click.argument("email")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="What it is for; may be given again.")
@click.option("--days", type=int, default=90, show_default=True, help="After how many it expires.")
@click.option("--no-expiry", is_flag=True, help="It lasts until it is revoked.")
@needs_database
def create(email: str, name: str, scopes: tuple[str, ...], days: int, no_expiry: bool) -> None:
    """Make a token called NAME for the account of EMAIL, and print it: it is shown only now."""
    from datetime import UTC, datetime

    from keepstep.store import accounts
    from keepstep.store import tokens as service

    account = accounts.find(email)
    lasts = None if no_expiry else days
    token = service.make(account, name, scopes, datetime.now(UTC), days=lasts)
    click.echo(f"For {safe(account.email)}, shown only now:", err=True)
    click.echo(token)


@tokens.command()
@click.argument("number", type=int)
@needs_database
def revoke(number: int) -> None:
    """Have a token serve no more, at once; NUMBER as keepstep tokens list shows it."""
    from datetime import UTC, datetime

    from keepstep.store import tokens as service

    revoked = service.revoke(number, datetime.now(UTC))
    click.echo(f"Revoked the token {safe(revoked.name)} of {safe(revoked.account)}.")


def _as_json(token: ShownToken) -> dict[str, Any]:
    return {
        "number": token.number,
        "account": token.account,
        "name": token.name,
        "hint": token.hint,
        "scopes": list(token.scopes),
        "state": token.state,
        "created": instant(token.created_at),
        "expires": instant(token.expires_at),
        "last_used": instant(token.last_used_at),
    }
