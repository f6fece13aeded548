"""`keepstep calendar-address`: addresses at which other programs subscribe to calendars."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, print_table, safe
from keepstep.core.errors import UsageError

if TYPE_CHECKING:
    from keepstep.store.calendar_addresses import Subject


@click.group()
def calendar_address() -> None:
    """Addresses by which Outlook, Google, Apple and phones read calendars (iCalendar)."""


def _of_one(command: Callable[..., None]) -> Callable[..., None]:
    team = click.option("--team", "group", metavar="GROUP", help="An access group's calendar.")
    operator = click.option("--operator", "email", metavar="EMAIL", help="Whose calendar.")
    return operator(team(command))


@calendar_address.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def list_(as_json: bool) -> None:
    """List the calendars that have an address; the addresses themselves are not known."""
    from keepstep.store.calendar_addresses import listing

    found = [
        {
            "operator": each.operator.email if each.operator else None,
            "access_group": None if each.operator else each.access_group,
            "made": instant(each.made_at),
            "last_read": instant(each.last_read),
        }
        for each in listing()
    ]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(each["operator"] or f"team {each['access_group']}"),
            str(each["made"]),
            each["last_read"] or "never",
        )
        for each in found
    ]
    print_table(("CALENDAR", "MADE", "LAST READ"), rows)


@calendar_address.command()
@_of_one
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def make(email: str | None, group: str | None, as_json: bool) -> None:
    """Make an address, in place of the one that there is, and print it, this once."""
    from keepstep.store import calendar_addresses
    from keepstep.store.links import DEFAULT_SITE
    from keepstep.store.settings import load

    subject = _subject(email, group)
    token = calendar_addresses.make(subject, datetime.now(UTC))
    site = load(with_secrets=False).site_url or DEFAULT_SITE
    address = site.rstrip("/") + calendar_addresses.path_of(token)
    if as_json:
        print_json({"calendar": subject.words, "address": address})
        return
    click.echo(safe(f"The calendar of {subject.words}; whoever knows the address can read it:"))
    click.echo(address)


@calendar_address.command()
@_of_one
@needs_database
def revoke(email: str | None, group: str | None) -> None:
    """Revoke an address: nobody reads the calendar by it any more."""
    from keepstep.store import calendar_addresses
    from keepstep.store.calendar_addresses import Subject

    # A team may have lost its operators, and its address not.
    left = Subject(access_group=group) if group and email is None else None
    subject = left if left and left.address() else _subject(email, group)
    calendar_addresses.revoke(subject)
    click.echo(safe(f"Revoked the address of {subject.words}."))


def _subject(email: str | None, group: str | None) -> Subject:
    from keepstep.store.calendar_addresses import Subject, of_team
    from keepstep.store.operators import find

    if (email is None) == (group is None):
        raise UsageError("name either --operator EMAIL or --team GROUP.")
    return Subject(find(email)) if email is not None else of_team(group or "")
