"""`keepstep serve`."""

from __future__ import annotations

import click

from keepstep.cli.address import Bind
from keepstep.cli.database import needs_database
from keepstep.cli.traces import traced


@click.command()
@click.option("--bind", type=Bind(), default="127.0.0.1:8000", show_default=True)
@click.pass_context
@needs_database
@traced
def serve(context: click.Context, bind: tuple[str, int]) -> None:
    """Run the scheduler, the workers and the web pages in one process, until it is stopped."""
    from keepstep.sync.server import serve as serve_until_stopped
    from keepstep.web.asgi import application

    host, port = bind
    site = f"http://{_reached(host)}:{port}"
    begin = _how_to_begin(site)

    def say() -> None:
        click.echo(f"Keepstep runs at {site}/; its health is at {site}/health. Ctrl-C ends it.")
        for line in begin:
            click.echo(line)

    context.exit(serve_until_stopped(host, port, application, say))


def _reached(host: str) -> str:
    """Give the host as a browser on this machine reaches it."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what was asked for
    name = everywhere.get(host, host)
    return f"[{name}]" if ":" in name else name


def _how_to_begin(site: str) -> list[str]:
    """Give the lines that say where the first administrator is made, none if there is one."""
    from keepstep.store.links import has_administrator, set_up_link
    from keepstep.store.settings import load

    if has_administrator():
        return []
    return [
        "Nobody can sign in yet. Make the first administrator, within a day, at:",
        set_up_link(load(with_secrets=False).site_url or site),
    ]
