"""`keepstep explain`: why an appointment is, or is not, in the calendar."""

from __future__ import annotations

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, safe


@click.command()
@click.option("--operator", "email", metavar="EMAIL", required=True, help="Whose calendar.")
@click.argument("uid")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def explain(email: str, uid: str, as_json: bool) -> None:
    """Say why the appointment of this UID (or item id) is, or is not, in the calendar."""
    from keepstep.store.explain import STATE_WORDS
    from keepstep.store.explain import explain as explained
    from keepstep.store.operators import find

    found = explained(find(email), uid)
    if as_json:
        changes = [
            {"at": instant(each.at), "what": each.what, "rule": each.rule} for each in found.changes
        ]
        print_json({"uid": found.uid, "state": found.state, "changes": changes})
        return
    click.echo(safe(found.uid))
    click.echo(STATE_WORDS[found.state])
    for each in found.changes:
        click.echo(f"{instant(each.at)}  {each.what:<11}  {each.words} [{each.rule}]")
