"""`keepstep sync`: one run of CalendarSynchronization."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import Progress, print_json, safe
from keepstep.cli.traces import traced
from keepstep.core.failures import FAILURES

if TYPE_CHECKING:
    from keepstep.sync.run import RunResult


@click.command()
@click.option("--operator", "emails", metavar="EMAIL", multiple=True, help="Only this operator.")
@click.option("--full", is_flag=True, help="Read the whole calendars again.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
@needs_database
@traced
def sync(context: click.Context, emails: tuple[str, ...], full: bool, as_json: bool) -> None:
    """Synchronize the calendars once, now, to the end.

    Whether the job is enabled does not matter; calendar integration must be on.
    """
    from keepstep.store.operators import find_all
    from keepstep.sync.service import sync_now

    named = [each.email for each in find_all(emails)] or None
    begun = time.monotonic()
    with Progress("Synchronizing") as progress:
        result = sync_now(named, full=full, progress=progress)
    report(result, time.monotonic() - begun, as_json=as_json)
    warn_of_mail()
    if is_partial(result):
        context.exit(1)


def warn_of_mail() -> None:
    """Say on standard error if failure e-mails wait, and why: nobody would hear of it else."""
    from keepstep.notices.outbox import trouble
    from keepstep.store import notices
    from keepstep.store.settings import load

    outbox = notices.outbox()
    found = trouble(load(with_secrets=False), outbox) if outbox.waiting else None
    if found is not None:
        remedy = FAILURES[found.code].remedy
        click.echo(safe(f"{found.code}: {found.message} {remedy}"), err=True)


def is_partial(result: RunResult) -> bool:
    """Say whether some of the run failed."""
    return bool(result.failed or result.failures)


def report(result: RunResult, seconds: float, *, as_json: bool) -> None:
    """Print what a run did, and each failure with code and remedy."""
    if as_json:
        print_json(asdict(result))
        return
    if not result.mailboxes:
        click.echo("No operator has calendar sync on: keepstep operators enable EMAIL")
        return
    click.echo(
        f"{_mailboxes(result.mailboxes)}: {result.succeeded} in step, {result.failed} failed"
        f" ({result.requests} requests, {seconds:.1f} s)."
    )
    click.echo(
        f"{result.created} created, {result.updated} updated, {result.removed} removed,"
        f" {result.skipped} skipped."
    )
    for each in result.failures:
        line = f"{each['operator']}: {each['code']}: {each['message']} {each['remedy']}"
        click.echo(safe(line), err=True)


def _mailboxes(count: int) -> str:
    return f"{count} mailbox" if count == 1 else f"{count} mailboxes"
