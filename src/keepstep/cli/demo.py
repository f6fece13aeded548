"""`keepstep demo`: the main job at work, with made-up calendars that change as one looks."""

from __future__ import annotations

import csv
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from keepstep.cli.appointments import calendar_lines
from keepstep.cli.database import start_django
from keepstep.cli.output import fit

if TYPE_CHECKING:
    from keepstep.store.changes import SeenChange
    from keepstep.sync.run import RunResult
    from keepstep_simulator import Deed, Life, Simulator

MAILBOXES = 5
POLL_SECONDS = 2.0
SAMPLE_DAYS = 2
SAMPLE_LINES = 9
BATCH_SIZE = 50
ADMINISTRATOR = "demo@example.com"
USERNAME = "svc"
PASSWORD = "secret"  # noqa: S105 - of made-up data, reached from this machine only
_COLUMNS = 79
_NOT_OF_THE_DEMO = (
    "KEEPSTEP_DATABASE_URL", "KEEPSTEP_DATABASE_URL_FILE", "KEEPSTEP_PASSWORD",
    "KEEPSTEP_PASSWORD_FILE",
)  # fmt: skip
_SIGNS = {"created": "+ came in", "revived": "+ came in", "cancelled": "x cancelled"}
_SIGNS |= {"updated": "~ changed", "removed": "- went"}


@click.command()
@click.option("--seconds", type=click.FloatRange(0), envvar="DEMO_SECONDS", help="End after them.")
def demo(seconds: float | None) -> None:
    """Keep five made-up calendars in step, before your eyes, until Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="keepstep-demo-") as home:
        try:
            with _ends_on_sigterm():
                _play(Path(home), seconds)
        except (KeyboardInterrupt, click.Abort):
            click.echo("")
        _close()
    click.echo("\nThe demo is over; all that it made is deleted.")
    click.echo("The real thing: keepstep settings set, operators import, sync, serve.")


def _play(home: Path, seconds: float | None) -> None:
    from keepstep_simulator import Life, Simulator, SimulatorThread

    simulator = Simulator(clock=lambda: datetime.now(UTC), username=USERNAME, password=PASSWORD)
    simulator.seed_calendars(MAILBOXES)
    with SimulatorThread(simulator) as server:
        _say("\nKeepstep demo: all people and appointments in it are made up.\n")
        _say(f"1 Exchange      a stand-in at {server.url}")
        _say(f"                {MAILBOXES} mailboxes, {_items(simulator)} items")
        _prepare(home, server.url)
        _import(home, simulator)
        _first_round()
        _sample(next(iter(simulator.mailboxes.values())).email)
        with _pages():
            _live(Life(simulator), simulator, seconds)


def _prepare(home: Path, url: str) -> None:
    """Set up an empty data directory, as the first command there does."""
    os.environ["KEEPSTEP_HOME"] = str(home)
    for name in _NOT_OF_THE_DEMO:
        os.environ.pop(name, None)
    start_django()
    from keepstep.store.settings import change
    from keepstep.store.upgrade import require_current

    require_current()
    account = {"username": USERNAME, "password": PASSWORD, "batch_size": str(BATCH_SIZE)}
    server = {"exchange_url": url, "exchange_version": "Exchange2016"}
    change({**server, **account, "calendar_integration": "on"})
    _say(f"2 Settings      exchange_url, username, password, batch_size={BATCH_SIZE}")


def _import(home: Path, simulator: Simulator) -> None:
    from keepstep.store.imports import import_operators

    file = home / "operators.csv"
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("email", "name", "calendar_sync", "access_group", "time_zone"))
        for each in simulator.mailboxes.values():
            writer.writerow((each.email, each.name, "true", "Sales", each.zone.iana or "UTC"))
    done = import_operators(file)
    _say(f"3 Operators     {done.added} added from {file.name}")


def _first_round() -> None:
    result, seconds = _poll()
    _say(
        f"4 First round   {result.created} appointments came in, {result.skipped} stayed out,\n"
        f"                {result.requests} requests, {seconds:.1f} s"
    )


def _poll() -> tuple[RunResult, float]:
    from keepstep.sync.service import sync_now

    begun = time.monotonic()
    result = sync_now(None)
    return result, time.monotonic() - begun


def _sample(email: str) -> None:
    from keepstep.store import calendar
    from keepstep.store.operators import find

    operator = find(email)
    first = calendar.today(operator, datetime.now(UTC))
    found = calendar.entries(email, first, first + timedelta(days=SAMPLE_DAYS))
    _say(f"\nFrom the sales calendar of {operator.name} ({operator.time_zone}):")
    lines = calendar_lines(found, ZoneInfo(operator.time_zone), first, _COLUMNS)
    for line in lines[:SAMPLE_LINES]:
        _say(line)


@contextmanager
def _pages() -> Iterator[None]:
    """Serve the pages meanwhile; print where they are, and a one-time address to sign in."""
    from keepstep.core.roles import Role
    from keepstep.store import accounts
    from keepstep.store.links import Purpose, link_of
    from keepstep.web.pages_thread import PagesThread

    account = accounts.create(ADMINISTRATOR, Role.ADMINISTRATOR)
    with PagesThread() as pages:
        _say(f"\n5 Pages         {pages.url}/ shows all this; sign in there, once, by")
        click.echo(link_of(account, Purpose.SIGN_IN, pages.url))
        yield


def _live(life: Life, simulator: Simulator, seconds: float | None) -> None:
    from keepstep.store import changes

    how_long = "press Ctrl-C to end" if seconds is None else f"for {seconds:g} seconds"
    _say(f"\n6 Live          Exchange changes, polled every {POLL_SECONDS:g} s; {how_long}\n")
    seen = changes.last_number()
    totals: Counter[str] = Counter()
    until = None if seconds is None else time.monotonic() + seconds
    polls = 0
    while until is None or time.monotonic() < until:
        for deed in life.step():
            _show_deed(deed)
        result, taken = _poll()
        polls += 1
        for change in changes.since(seen):
            _show_change(change)
            seen = change.number
        totals.update(_counts(result))
        for failure in result.failures:
            _say(f"           ! failed     {_owner(failure['operator'])} {failure['message']}")
        _say(f"           poll       {result.requests} requests, {taken * 1000:.0f} ms")
        time.sleep(_pause(until))
    _say(
        f"\n{polls} polls: {totals['created']} came in, {totals['updated']} changed,"
        f" {totals['removed']} went; {totals['failed']} failed."
    )


def _pause(until: float | None) -> float:
    return POLL_SECONDS if until is None else max(0.0, min(POLL_SECONDS, until - time.monotonic()))


def _counts(result: RunResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in ("created", "updated", "removed", "failed")}


def _show_deed(deed: Deed) -> None:
    local = deed.at.astimezone()
    _say(f"  {local:%H:%M:%S} Exchange   {_owner(deed.mailbox)} {deed.what}: {deed.subject}")


def _show_change(change: SeenChange) -> None:
    when = ""
    if change.start is not None and not change.is_series:
        local = change.start.astimezone()
        when = f"{local:%a %d %b}" if change.all_day else f"{local:%a %d %b %H:%M}"
    elif change.is_series:
        when = "series"
    sign = _SIGNS[change.what.value]
    _say(f"           {sign:12} {_owner(change.operator)} {when:16} {change.subject}")


def _owner(email: str) -> str:
    return fit(email.partition("@")[0], 10)


def _items(simulator: Simulator) -> int:
    return sum(len(each) for each in simulator.mailboxes.values())


def _say(line: str) -> None:
    for each in line.split("\n"):
        click.echo(fit(each, _COLUMNS).rstrip())


def _close() -> None:
    """Let go of the files in the data directory, so that it can be deleted."""
    import logging
    import sys

    logging.shutdown()
    if "django.db" in sys.modules:
        from django.db import connections

        connections.close_all()


@contextmanager
def _ends_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
