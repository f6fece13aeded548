"""`keepstep people`: who may sign in to the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, print_table, safe

if TYPE_CHECKING:
    from keepstep.store.links import Purpose
    from keepstep.store.models import Account

ROLES = click.Choice(["administrator", "operator", "auditor"])


@click.group()
def people() -> None:
    """Look at and change who may sign in to the pages, and as what."""


@people.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def list_(as_json: bool) -> None:
    """List everybody who may sign in."""
    from keepstep.store import accounts

    found = accounts.listing()
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    rows = [
        (each.email, each.role, accounts.state(each).value, instant(each.last_login) or "never")
        for each in found
    ]
    print_table(("EMAIL", "ROLE", "STATE", "LAST SIGN-IN"), rows)


@people.command()
@click.argument("emails", metavar="[EMAIL ...]", nargs=-1)
@click.option("--role", type=ROLES, default="operator", show_default=True)
@click.option("--group", help="All operators of this access group that have no account yet.")
@click.option("--send", is_flag=True, help="Send them by e-mail, too: a running serve does so.")
@needs_database
def invite(emails: tuple[str, ...], role: str, group: str | None, send: bool) -> None:
    """Let people sign in; prints for each a one-time address, at which the password is set."""
    from keepstep.core.errors import UsageError
    from keepstep.core.roles import Role
    from keepstep.notices.invitations import require_sendable, send_invitations
    from keepstep.store import accounts

    if send:
        require_sendable()
    if bool(emails) == (group is not None):
        raise UsageError("give e-mail addresses, or --group with the name of an access group.")
    if group is not None:
        invited = accounts.invite_group(group)
    else:
        invited = accounts.invite(emails, Role(role))
    if not invited:
        click.echo("All of them have an account already.")
    if send:
        send_invitations(invited)
    print_invitations(invited)


@people.command()
@click.argument("email")
@click.argument("role", type=ROLES)
@needs_database
def role(email: str, role: str) -> None:
    """Give somebody another role."""
    from keepstep.core.roles import Role
    from keepstep.store import accounts

    account = accounts.find(email)
    accounts.change_role(account, Role(role))
    click.echo(f"The role of {safe(account.email)} is {role}.")


@people.command()
@click.argument("emails", metavar="EMAIL ...", nargs=-1, required=True)
@needs_database
def enable(emails: tuple[str, ...]) -> None:
    """Let people sign in again."""
    _switch(emails, on=True)


@people.command()
@click.argument("emails", metavar="EMAIL ...", nargs=-1, required=True)
@needs_database
def disable(emails: tuple[str, ...]) -> None:
    """Let people no longer sign in, and end their sessions."""
    _switch(emails, on=False)


@people.command()
@click.argument("email")
@needs_database
def delete(email: str) -> None:
    """Delete an account; an operator's calendar stays."""
    from keepstep.store import accounts

    account = accounts.find(email)
    accounts.delete(account)
    click.echo(f"Deleted the account of {safe(account.email)}.")


@people.command()
@click.argument("email")
@needs_database
def unlink(email: str) -> None:
    """Forget who somebody is at the sign-in service, and end their sessions.

    Whoever next signs in there with the e-mail address is linked anew.
    """
    from keepstep.store import accounts, single_sign_on

    account = accounts.find(email)
    linked = single_sign_on.unlink(account)
    state = "is linked to nobody any more" if linked else "was linked to nobody"
    click.echo(f"{safe(account.email)} {state}.")


@people.command()
@click.argument("email")
@click.option("--sign-in", "sign_in", is_flag=True, help="One that signs in at once.")
@needs_database
def link(email: str, sign_in: bool) -> None:
    """Print a one-time address, at which somebody sets a new password and signs in."""
    from keepstep.store import accounts
    from keepstep.store.links import Purpose

    account = accounts.find(email)
    accounts.note_link(account)
    print_link(account, Purpose.SIGN_IN if sign_in else None)


def print_invitations(invited: Sequence[Account]) -> None:
    """Print where those who were invited sign in: a one-time address for each with passwords."""
    from keepstep.store.links import DEFAULT_SITE, sign_in_page
    from keepstep.store.settings import load

    settings = load(with_secrets=False)
    if settings.sso_passwords:
        for each in invited:
            print_link(each)
    elif invited:
        click.echo("Passwords are off: they sign in by single sign-on, at:")
        click.echo(sign_in_page(settings.site_url or DEFAULT_SITE))


def print_link(account: Account, purpose: Purpose | None = None) -> None:
    """Print a one-time address for an account, alone on its line.

    Default: to set a password, or to sign in at once where passwords are off.
    """
    from keepstep.store.links import DEFAULT_SITE, Purpose, lasting, link_of, way_in
    from keepstep.store.settings import load

    settings = load(with_secrets=False)
    chosen = purpose or (way_in(account) if settings.sso_passwords else Purpose.SIGN_IN)
    click.echo(f"For {safe(account.email)}, to be used once, within {lasting(chosen)}:")
    click.echo(link_of(account, chosen, settings.site_url or DEFAULT_SITE))


def _switch(emails: tuple[str, ...], *, on: bool) -> None:
    from keepstep.store import accounts

    word = "may sign in" if on else "may no longer sign in"
    for each in accounts.switch_all(emails, on=on):
        click.echo(f"{safe(each.email)} {word}.")


def _as_json(account: Account) -> dict[str, Any]:
    from keepstep.store import accounts

    return {
        "email": account.email,
        "role": account.role,
        "state": accounts.state(account).value,
        "operator": account.operator.email if account.operator else None,
        "last_sign_in": instant(account.last_login),
    }
