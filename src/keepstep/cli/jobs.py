"""`keepstep jobs`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from keepstep.cli.database import needs_database
from keepstep.cli.output import Progress, instant, print_json, print_table
from keepstep.cli.pairs import read_pairs
from keepstep.cli.sync import is_partial, report, warn_of_mail
from keepstep.cli.traces import traced

if TYPE_CHECKING:
    from keepstep.store.jobs import ShownJob
    from keepstep.store.models import Run


@click.group()
def jobs() -> None:
    """Look at, change and add job schedulers, which keepstep serve runs."""


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@needs_database
def list_(as_json: bool) -> None:
    """List the jobs, with their next and their last run."""
    from keepstep.store.jobs import listing

    found = listing(datetime.now(UTC))
    if as_json:
        print_json([_job_json(each) for each in found])
        return
    rows = [
        (
            each.definition.name,
            "on" if each.definition.enabled else "off",
            str(each.definition.schedule),
            each.definition.context,
            each.definition.kind,
            instant(each.next_run) or "-",
            _last(each.last_run),
        )
        for each in found
    ]
    heading = ("NAME", "ENABLED", "SCHEDULE", "CONTEXT", "KIND", "NEXT RUN", "LAST RUN")
    print_table(heading, rows)


@jobs.command()
@click.argument("name")
@needs_database
def enable(name: str) -> None:
    """Let the job run on its schedule."""
    _switch(name, on=True)


@jobs.command()
@click.argument("name")
@needs_database
def disable(name: str) -> None:
    """Let the job run no more."""
    _switch(name, on=False)


@jobs.command("set")
@click.argument("name")
@click.argument("pairs", metavar="NAME=VALUE ...", nargs=-1, required=True)
@needs_database
def set_(name: str, pairs: tuple[str, ...]) -> None:
    """Change the job's schedule or context.

    schedule=5 is every five minutes; a cron line of five fields is read in the time zone of this
    machine. context=system means every operator, an access group only those who belong to it.
    """
    from keepstep.store.jobs import change

    change(name, read_pairs(pairs))
    _print_state(name)


@jobs.command()
@click.argument("name")
@click.argument("pairs", metavar="[NAME=VALUE ...]", nargs=-1)
@click.option("--kind", required=True, help="CalendarSynchronization or CalendarVerification.")
@click.option("--enable", "enabled", is_flag=True, help="Let it run from now on.")
@needs_database
def add(name: str, pairs: tuple[str, ...], kind: str, enabled: bool) -> None:
    """Add a job of a kind, with a schedule and a context of its own.

    schedule= and context= as in keepstep jobs set; without them the schedule is that of the
    shipped job of the kind, and the context is system. It is off until it is enabled.
    """
    from keepstep.store.jobs import add as add_job

    job = add_job(name, kind, read_pairs(pairs), enabled=enabled)
    _print_state(job.name)


@jobs.command()
@click.argument("name")
@needs_database
def delete(name: str) -> None:
    """Delete a job that was added; the shipped ones can be disabled."""
    from keepstep.store.jobs import definition
    from keepstep.store.jobs import delete as delete_job

    job = definition(name)
    delete_job(job.name)
    click.echo(f"{job.name} is deleted.")


@jobs.command()
@click.argument("name")
@needs_database
def reset(name: str) -> None:
    """Set a shipped job back to what is shipped."""
    from keepstep.store.jobs import reset as reset_job

    reset_job(name)
    _print_state(name)


@jobs.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
@needs_database
@traced
def run(context: click.Context, name: str, as_json: bool) -> None:
    """Run the job once, now, to the end, over the operators of its context."""
    from keepstep.store.jobs import definition
    from keepstep.sync.service import run_job_now

    job = definition(name)
    begun = time.monotonic()
    with Progress("Synchronizing") as progress:
        result = run_job_now(job, progress)
    report(result, time.monotonic() - begun, as_json=as_json)
    warn_of_mail()
    if is_partial(result):
        context.exit(1)


def _switch(name: str, *, on: bool) -> None:
    from keepstep.store.jobs import switch

    switch(name, on=on)
    _print_state(name)


def _print_state(name: str) -> None:
    from keepstep.store.jobs import definition

    job = definition(name)
    state = "on" if job.enabled else "off"
    click.echo(f"{job.name} is {state}: schedule {job.schedule}, context {job.context}.")


def _last(run: Run | None) -> str:
    if run is None:
        return "never"
    if run.finished is None:
        return f"{instant(run.started)} (not finished)"
    return f"{instant(run.started)} ({run.succeeded} of {run.mailboxes} in step)"


def _job_json(job: ShownJob) -> dict[str, Any]:
    definition, last = job.definition, job.last_run
    return {
        "name": definition.name,
        "enabled": definition.enabled,
        "schedule": str(definition.schedule),
        "context": definition.context,
        "kind": definition.kind,
        "shipped": definition.shipped,
        "changed": job.changed,
        "next_run": instant(job.next_run),
        "next_runs": [instant(each) for each in job.next_runs],
        "last_run": last and _run_json(last),
    }


def _run_json(run: Run) -> dict[str, Any]:
    counts = ("mailboxes", "succeeded", "failed", "created", "updated", "removed", "skipped")
    return {
        "trigger": run.trigger,
        "started": instant(run.started),
        "finished": instant(run.finished),
        **{name: getattr(run, name) for name in (*counts, "requests", "failures")},
    }
