"""`keepstep workers`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import instant, print_json, print_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def workers(as_json: bool) -> None:
    """List the processes that share the work (on PostgreSQL), with what they have in hand."""
    from keepstep.store.orders import lanes
    from keepstep.store.workers import listing

    found, queues = listing(datetime.now(UTC)), lanes()
    if as_json:
        told = [asdict(each) for each in found]
        for each in told:
            each |= {name: instant(each[name]) for name in ("started_at", "seen_at")}
        print_json(told)
        return
    if not found:
        click.echo("No process shares the work: on SQLite keepstep serve does all of it.")
        return
    rows = [
        (
            each.host,
            str(each.pid),
            each.kind,
            each.version,
            "alive" if each.alive else "stopped",
            "leads" if each.leads and each.alive else "",
            str(each.shards),
            str(each.overtaken),
            instant(each.seen_at) or "",
        )
        for each in found
    ]
    heading = ("HOST", "PID", "KIND", "VERSION", "STATE", "LEADS", "SHARDS", "OVERTAKEN", "SEEN")
    print_table(heading, rows)
    for lane in queues:
        oldest = f", the oldest for {lane.oldest:.0f} s" if lane.waiting else ""
        click.echo(f"{lane.name}: {lane.waiting} shards wait{oldest}; {lane.in_hand} are in hand.")
