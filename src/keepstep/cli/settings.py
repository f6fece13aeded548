"""`keepstep settings`."""

from __future__ import annotations

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import print_json, print_table
from keepstep.cli.pairs import read_pairs, read_secret


@click.group()
def settings() -> None:
    """Change and show the application settings."""


@settings.command("set")
@click.argument("pairs", metavar="NAME=VALUE ...", nargs=-1, required=True)
@needs_database
def set_(pairs: tuple[str, ...]) -> None:
    """Change settings, all or none; each value is checked.

    password=- reads the password from standard input. An empty value sets back one that may be
    empty. keepstep settings show lists the names.
    """
    from keepstep.store.setting_rules import RULES
    from keepstep.store.settings import change

    values = read_pairs(pairs)
    for name, value in values.items():
        if value == "-" and name in RULES and RULES[name].secret:
            values[name] = read_secret(name)
    notes = change(values)
    click.echo(f"Saved: {', '.join(values)}.")
    for note in notes:
        click.echo(note)


@settings.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, by name.")
@needs_database
def show(as_json: bool) -> None:
    """Show the settings; of secrets only whether they are set."""
    from keepstep.store import settings as stored

    shown = stored.show()
    if as_json:
        print_json({each.name: each.typed for each in shown})
        return
    rows = [(each.name, each.value or "-", each.origin, each.help) for each in shown]
    print_table(("NAME", "VALUE", "FROM", "MEANING"), rows)
