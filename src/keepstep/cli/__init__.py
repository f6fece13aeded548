"""The command line of Keepstep: one file for each group of commands.

Exit status: 0 done; 1 the job ran and some of it failed; 2 a usage or settings error, one line on
standard error; 130 interrupted; 141 nobody reads the output any more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from keepstep import __version__
from keepstep.cli.group import Entry, LazyGroup

INTERRUPTED = 130
BROKEN_PIPE = 141
REFUSED = 2
_STANDARD_STREAMS = 3

ENTRIES = {
    "migrate": Entry("keepstep.cli.migrate:migrate", "Create or upgrade the database."),
    "move": Entry("keepstep.cli.move:move", "Move everything from SQLite to PostgreSQL."),
    "settings": Entry("keepstep.cli.settings:settings", "Change and show application settings."),
    "operators": Entry("keepstep.cli.operators:operators", "Import, list, edit operators."),
    "jobs": Entry("keepstep.cli.jobs:jobs", "The job schedulers: list, enable, change, run."),
    "skip": Entry("keepstep.cli.skip:skip", "Preview which appointments conditions leave out."),
    "sync": Entry("keepstep.cli.sync:sync", "Synchronize the calendars once, now."),
    "appointments": Entry("keepstep.cli.appointments:appointments", "Show the sales calendar."),
    "export": Entry("keepstep.cli.export:export", "Write meetings to a file, for reports."),
    "calendar-address": Entry(
        "keepstep.cli.calendar_address:calendar_address",
        "Addresses to subscribe to calendars at: make, revoke.",
    ),
    "explain": Entry("keepstep.cli.explain:explain", "Say why a meeting is here, or is not."),
    "verify": Entry("keepstep.cli.verify:verify", "Compare with Exchange, mend, report drift."),
    "holds": Entry("keepstep.cli.holds:holds", "Held mass removals: list, release, discard."),
    "doctor": Entry("keepstep.cli.doctor:doctor", "Check the connection to Exchange."),
    "bench": Entry("keepstep.cli.bench:bench", "Test how much your Exchange bears (--server)."),
    "autodiscover": Entry("keepstep.cli.autodiscover:autodiscover", "Find the Exchange URL."),
    "audit": Entry("keepstep.cli.audit:audit", "Show who changed what, and when."),
    "createadmin": Entry("keepstep.cli.createadmin:createadmin", "Make an administrator."),
    "people": Entry("keepstep.cli.people:people", "Who may sign in: list, invite, change."),
    "tokens": Entry("keepstep.cli.tokens:tokens", "Tokens for programs that use the API."),
    "secrets": Entry("keepstep.cli.secrets:secrets", "Renew the key that encrypts secrets."),
    "testmail": Entry("keepstep.cli.testmail:testmail", "Send a test e-mail now."),
    "erase": Entry("keepstep.cli.erase:erase", "Delete an operator's data for good."),
    "purge": Entry("keepstep.cli.erase:purge", "Delete what is too old to be kept."),
    "serve": Entry("keepstep.cli.serve:serve", "Run the scheduler and the web pages."),
    "worker": Entry("keepstep.cli.worker:worker", "Run one more worker, on any machine."),
    "workers": Entry("keepstep.cli.workers:workers", "List the processes that share the work."),
    "simulator": Entry("keepstep.cli.simulator:simulator", "Run a stand-in Exchange server."),
    "demo": Entry("keepstep.cli.demo:demo", "See it all at work, with made-up data.", hidden=True),
}


@click.group(
    cls=LazyGroup,
    entries=ENTRIES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="keepstep", message="%(prog)s %(version)s")
def keepstep() -> None:
    """Keep the calendars of a sales team in step with Microsoft Exchange."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments (default: the process's) name; give the exit status.

    Whatever happens, the terminal sees no traceback.
    """
    _have_standard_streams()
    _be_lenient_about_encodings()
    try:
        status = _invoke(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback is shown
        status = _failed(error)
        try:
            sys.stdout.flush()
        except (OSError, ValueError):
            _discard_output()
    return status


def _invoke(arguments: list[str]) -> int:
    try:
        with keepstep.make_context("keepstep", arguments) as context:
            keepstep.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return REFUSED
    except click.ClickException as error:
        _say(" ".join(error.format_message().split()))
        return REFUSED
    return 0


def _failed(error: Exception) -> int:
    # Imported here: what fails seldom shall not be paid for by each command.
    from keepstep.cli.errors import is_expected, log, plain

    if not is_expected(error):
        from keepstep.cli.logs import log_to_file

        log_to_file()
        log.error("a command failed", exc_info=error)
    _say(plain(error))
    return REFUSED


def _say(line: str) -> None:
    from keepstep.cli.output import safe

    with suppress(BrokenPipeError):
        click.echo(f"keepstep: {safe(line)}", err=True)


def _have_standard_streams() -> None:
    """Open what the caller closed, lest a file that is opened later stands in its place."""
    while (nowhere := os.open(os.devnull, os.O_RDWR)) < _STANDARD_STREAMS:
        pass
    os.close(nowhere)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _be_lenient_about_encodings() -> None:
    """Let what a terminal's encoding lacks show as a question mark, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _discard_output() -> None:
    """Keep the interpreter from failing at its end, when it flushes what can't be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nowhere, sys.stdout.fileno())
