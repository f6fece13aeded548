"""`keepstep audit`: who changed what, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, print_table

if TYPE_CHECKING:
    from keepstep.store.audit import Change, ShownEntry


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--before", type=click.IntRange(1), help="Only entries before this number.")
@click.option("--subject", help="Only changes of this operator, or job.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def audit(limit: int, before: int | None, subject: str | None, as_json: bool) -> None:
    """Show who changed what, and when, the newest first."""
    from keepstep.store import audit as service

    found = service.listing(before, limit, subject)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    rows = [
        (
            str(each.number),
            instant(each.at) or "",
            each.by,
            each.action,
            each.subject,
            ", ".join(_in_words(name, change) for name, change in each.changes.items()),
        )
        for each in found
    ]
    print_table(("NUMBER", "AT", "BY", "ACTION", "SUBJECT", "CHANGES"), rows)


def _in_words(name: str, change: Change) -> str:
    if isinstance(change, str):
        return f"{name} {change}"
    old, new = ("-" if each in (None, "") else str(each) for each in change)
    return f"{name} {old} → {new}"


def _as_json(entry: ShownEntry) -> dict[str, object]:
    return {
        "number": entry.number,
        "at": instant(entry.at),
        "by": entry.by,
        "action": entry.action,
        "subject": entry.subject,
        "changes": {
            name: change if isinstance(change, str) else list(change)
            for name, change in entry.changes.items()
        },
    }
