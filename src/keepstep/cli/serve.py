"""`keepstep serve`."""

from __future__ import annotations

import click

from keepstep.cli.address import Bind
from keepstep.cli.database import needs_database


@click.command()
@click.option("--bind", type=Bind(), default="127.0.0.1:8000", show_default=True)
@click.pass_context
@needs_database
def serve(context: click.Context, bind: tuple[str, int]) -> None:
    """Run the scheduler, the workers and the web pages in one process, until it is stopped."""
    from keepstep.sync.server import serve as serve_until_stopped

    host, port = bind
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Keepstep runs; its health is at http://{shown}:{port}/health. Ctrl-C ends it.")
    context.exit(serve_until_stopped(host, port))
