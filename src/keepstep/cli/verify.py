"""`keepstep verify`: compares with Exchange, mends, reports the drift."""

from __future__ import annotations

from dataclasses import asdict

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import Progress, print_json, safe
from keepstep.cli.sync import warn_of_mail
from keepstep.cli.traces import traced

_WORDS = {
    "changed": "differed from Exchange",
    "missing": "was missing in the sales calendar",
    "extra": "is no longer in Exchange",
}


@click.command()
@click.option("--operator", "emails", metavar="EMAIL", multiple=True, help="Only this operator.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
@needs_database
@traced
def verify(context: click.Context, emails: tuple[str, ...], as_json: bool) -> None:
    """Compare the upcoming appointments with Exchange, mend what differs, report it."""
    from keepstep.store.operators import find_all
    from keepstep.sync.service import verify_now

    named = [each.email for each in find_all(emails)] or None
    with Progress("Verifying") as progress:
        result, found = verify_now(named, progress=progress)
    drift = [asdict(each) for each in found.drift]
    if as_json:
        print_json(
            {
                "mailboxes": result.mailboxes,
                "checked": found.checked,
                "drift": drift,
                "requests": result.requests,
                "failures": result.failures,
            }
        )
    else:
        click.echo(
            f"{result.succeeded} of {result.mailboxes} mailboxes compared,"
            f" {found.checked} appointments, {len(drift)} drifted ({result.requests} requests)."
        )
        for each in found.drift:
            click.echo(f"{safe(each.operator)}: {safe(each.uid)} {_WORDS[each.what]}; mended.")
        for failure in result.failures:
            line = f"{failure['operator']}: {failure['code']}: {failure['message']}"
            click.echo(safe(f"{line} {failure['remedy']}"), err=True)
    warn_of_mail()
    if result.failed or result.failures:
        context.exit(1)
