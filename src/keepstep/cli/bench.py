"""`keepstep bench --server`: a load test of one's own Exchange, which recommends settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import Progress, print_json, print_table, safe

if TYPE_CHECKING:
    from keepstep.core.load_advice import Advice
    from keepstep.core.load_test import Step, Tried
    from keepstep.sync.load_test import Report

INTERRUPTED = 130
REQUESTS = 2000
SECONDS = 60
_ENDED = {
    "all": "All that was to be tried was tried.",
    "flat": "More connections gave hardly more answers.",
    "slow": "More connections made answers slow.",
    "busy": "Exchange was busy: nothing more was sent.",
    "failed": "It failed: nothing more was sent.",
    "mailboxes": "No more mailboxes could be read, and each is asked one thing at a time.",
    "requests": "The requests that were allowed ended (--requests).",
    "seconds": "The time that was allowed ended (--seconds).",
    "interrupted": "Interrupted.",
}


@click.command()
@click.option("--server", is_flag=True, help="Test the Exchange server that the settings name.")
@click.option("--operator", "emails", metavar="EMAIL", multiple=True, help="Only this operator.")
@click.option(
    "--most",
    type=click.IntRange(1, 200),
    metavar="N",
    help="Connections at most.  [default: 10 for Exchange2010, else 27]",
)
@click.option(
    "--requests",
    type=click.IntRange(10, 100_000),
    default=REQUESTS,
    show_default=True,
    metavar="N",
    help="Requests at most.",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 3600),
    default=SECONDS,
    show_default=True,
    metavar="N",
    help="Seconds at most.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def bench(
    context: click.Context,
    server: bool,
    emails: tuple[str, ...],
    most: int | None,
    requests: int,
    seconds: int,
    as_json: bool,
) -> None:
    """Test how much your Exchange bears, and recommend connections and batch_size.

    It reads the calendars of enabled operators, each by one request at a time, with more and more
    connections. Nothing is stored, and nothing in Exchange is changed. It ends by itself: when more
    does not pay, at the bounds given, and at once when Exchange is busy or refuses.
    """
    if not server:
        raise click.UsageError(
            "say --server: keepstep bench --server tests, by reading only, how many connections"
            " and what batch size your Exchange bears (the figures for developers are make bench)."
        )
    _bench(context, emails, most, requests, seconds, as_json)


@needs_database
def _bench(
    context: click.Context,
    emails: tuple[str, ...],
    most: int | None,
    requests: int,
    seconds: int,
    as_json: bool,
) -> None:
    from keepstep.store.operators import find_all
    from keepstep.sync.load_test import load_test_now

    named = [each.email for each in find_all(emails)] or None
    with Progress("Testing") as progress:
        report = load_test_now(
            named, most=most, requests=requests, seconds=seconds, progress=progress
        )
    if as_json:
        print_json(_plain(report))
    else:
        _print(report)
    if report.interrupted:
        context.exit(INTERRUPTED)
    if report.has_failed:
        context.exit(1)


def _plain(report: Report) -> dict[str, Any]:
    advice = report.recommendation
    return {
        "mailboxes": report.mailboxes,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "ended": report.ended.value,
        "pause_seconds": report.pause,
        "connections": [_plain_step(each) for each in report.steps],
        "pages": [_plain_size(each) for each in report.pages],
        "items": [_plain_size(each) for each in report.items],
        "recommendation": {
            "connections": _plain_advice(advice.connections),
            "batch_size": _plain_advice(advice.batch_size),
            "items_per_request": _plain_advice(advice.items),
            "command": advice.command,
        },
        "failures": _failures(report),
    }


def _failures(report: Report) -> list[dict[str, str]]:
    return [*([report.failure] if report.failure else []), *report.left_out]


def _plain_step(step: Step) -> dict[str, Any]:
    return {
        "connections": step.connections,
        "answers": len(step.answers),
        "per_second": round(step.per_second, 3),
        "median_seconds": round(step.median, 6),
        "p95_seconds": round(step.slowest, 6),
        "busy": step.busy,
    }


def _plain_size(tried: Tried) -> dict[str, Any]:
    return {
        "size": tried.size,
        "answers": len(tried.answers),
        "median_seconds": round(tried.median, 6),
        "seconds_per_entry": round(tried.per_entry, 9),
    }


def _plain_advice(advice: Advice) -> dict[str, Any]:
    return {"value": advice.value, "why": advice.why}


def _print(report: Report) -> None:
    if report.pages or report.items:
        rows = [_size_row("page", each) for each in report.pages]
        rows += [_size_row("items", each) for each in report.items]
        print_table(("read", "at once", "half within", "for each"), rows)
        click.echo()
    if report.steps:
        heading = ("connections", "answers", "a second", "half within", "95 of 100 within", "")
        print_table(heading, [_step_row(each) for each in report.steps])
        click.echo()
    mailboxes, requests = (
        _count(report.mailboxes, "mailbox", "es"),
        _count(report.requests, "request"),
    )
    click.echo(f"{mailboxes}, {requests}, {report.seconds:.1f} s.")
    click.echo("Interrupted." if report.interrupted else _ENDED[report.ended.value])
    if report.pause is not None:
        click.echo(f"Exchange asked for a pause of {report.pause:.1f} s.")
    for each in _failures(report):
        line = f"{each['operator']}: {each['code']}: {each['message']} {each['remedy']}"
        click.echo(safe(line), err=True)
    _print_recommendation(report)


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number} {what}{'' if number == 1 else plural}"


def _print_recommendation(report: Report) -> None:
    advice = report.recommendation
    if advice.command is None:
        click.echo("Nothing was learned that speaks for other settings.")
        return
    click.echo()
    for name, each in (
        ("connections", advice.connections),
        ("batch_size", advice.batch_size),
        ("items in one GetItem", advice.items),
    ):
        value = "?" if each.value is None else str(each.value)
        click.echo(f"{name}: {value}. {each.why}")
    click.echo()
    click.echo(advice.command)


def _size_row(what: str, tried: Tried) -> tuple[str, ...]:
    return (what, str(tried.size), _time(tried.median), _time(tried.per_entry))


def _step_row(step: Step) -> tuple[str, ...]:
    remark = "busy" if step.busy else "" if step.is_enough else "cut short"
    return (
        str(step.connections),
        str(len(step.answers)),
        f"{step.per_second:.1f}",
        _time(step.median),
        _time(step.slowest),
        remark,
    )


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.001 else f"{seconds * 1000:.3f} ms"
