"""`keepstep simulator`: a stand-in Exchange server, for demos and tests."""

from __future__ import annotations

import click

from keepstep.cli.address import Bind
from keepstep.cli.output import safe
from keepstep.core.errors import UsageError

VERSIONS = ("Exchange2010", "Exchange2013", "Exchange2016", "Exchange2019", "ExchangeSE")
USERNAME = "svc"
PASSWORD = "secret"  # noqa: S105 - of made-up data, and shown when the command starts


@click.command()
@click.option("--bind", type=Bind(), default="127.0.0.1:8025", show_default=True)
@click.option("--mailboxes", type=click.IntRange(0, 10_000), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="The same makes the same.")
@click.option("--items", type=click.IntRange(0, 10_000), default=60, show_default=True)
@click.option("--version", "version", type=click.Choice(VERSIONS), default="Exchange2016")
@click.option("--live", type=click.FloatRange(0.05), help="A change every so many seconds.")
@click.option("--control", is_flag=True, help="Open the control face, for tests.")
def simulator(
    bind: tuple[str, int],
    mailboxes: int,
    seed: int,
    items: int,
    version: str,
    live: float | None,
    control: bool,
) -> None:
    """Run a stand-in Exchange server with made-up calendars, until it is stopped.

    The service account is svc with the password secret.
    """
    from keepstep_simulator import run

    host, port = bind
    shown_host = f"[{host}]" if ":" in host else host
    try:
        run(
            f"{shown_host}:{port}",
            mailboxes,
            seed,
            items_each=items,
            version=version,
            username=USERNAME,
            password=PASSWORD,
            live_every=live,
            control=control,
            say=_say,
        )
    except OSError as error:
        raise UsageError(f"can't listen on {shown_host}:{port}: {error.strerror}.") from None


def _say(line: str) -> None:
    click.echo(safe(line))
