"""`keepstep worker`."""

from __future__ import annotations

import click

from keepstep.cli.database import needs_database
from keepstep.cli.traces import traced


@click.command()
@click.pass_context
@needs_database
@traced
def worker(context: click.Context) -> None:
    """Run a further worker, on this machine or another, until it is stopped (needs PostgreSQL)."""
    from keepstep.sync.worker import work

    context.exit(work(lambda: click.echo("This worker takes its share. Ctrl-C ends it.")))
