"""Exports and subscription addresses from the command line."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from keepstep_simulator import Attendee, Simulator, SimulatorThread
from tests.system.shell import Shell

ANNA, BEN = "anna@example.com", "ben@example.com"
FIRST = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)


@pytest.fixture(scope="module")
def exchange():
    simulator = Simulator(clock=lambda: datetime.now(UTC), seed=7)
    for email in (ANNA, BEN):
        mailbox = simulator.add_mailbox(email)
        for number in range(5):
            start = FIRST + timedelta(days=number)
            mailbox.create(
                subject=f"Meeting {number}",
                start=start,
                end=start + timedelta(minutes=45),
                attendees=(Attendee("Rita", "rita@hansen.example"),),
            )
    with SimulatorThread(simulator) as server:
        yield server


@pytest.fixture(scope="module")
def shell(tmp_path_factory, exchange):
    """A data directory that is filled once: what the tests change is none of the others' affair."""
    shell = Shell(tmp_path_factory.mktemp("reports") / "home")
    settings = ("username=svc", "password=secret", "calendar_integration=on")
    assert shell("settings", "set", f"exchange_url={exchange.url}", *settings).status == 0
    for email, group in ((ANNA, "West"), (BEN, "East")):
        shell("operators", "add", email, f"access_group={group}", "calendar_sync=true")
    assert shell("sync").status == 0
    return shell


def test_meetings_and_contacts_are_written_for_all_a_team_or_one(shell, tmp_path):
    file = tmp_path / "meetings.parquet"
    done = shell("export", "meetings", str(file))
    assert (done.status, done.out) == (0, f"8 meetings are in {file}.\n"), "those until today"
    days = ("--from", f"{FIRST:%Y-%m-%d}", "--to", f"{FIRST + timedelta(days=9):%Y-%m-%d}")
    shell("export", "meetings", str(file), *days)
    assert pq.read_table(file).num_rows == 10
    shell("export", "meetings", str(file), *days, "--team", "West")
    assert set(pq.read_table(file)["operator"].to_pylist()) == {ANNA}
    done = shell("export", "contacts", "-", *days, "--format", "csv", "--operator", BEN)
    (line,) = csv.DictReader(io.StringIO(done.out.removeprefix("\ufeff")))
    assert (line["contact"], line["meetings"], line["total_minutes"]) == (
        "rita@hansen.example",
        "5",
        "225",
    )
    assert "1 contacts of 5 meetings are in standard output." in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("m.txt",), "must end with .csv, .xlsx or .parquet"),
        (("m.csv", "--from", "2026-02-01", "--to", "2026-01-01"), "must be later than --from"),
        (("no/such/folder/m.csv",), "can't write"),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_leaves_no_file(shell, tmp_path, arguments, words):
    file, *rest = arguments
    refused = shell("export", "meetings", str(tmp_path / file), *rest)
    assert (refused.status, refused.out) == (2, "")
    assert words in refused.err
    assert len(refused.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_address_is_made_listed_and_revoked(shell):
    shell("settings", "set", "site_url=https://keepstep.example.com")
    made = shell("calendar-address", "make", "--operator", ANNA.upper())
    assert made.status == 0
    address = made.out.splitlines()[-1]
    assert address.startswith("https://keepstep.example.com/ical/")
    team = shell("calendar-address", "make", "--team", "East", "--json").json
    assert (team["calendar"], team["address"][-4:]) == ("team East", ".ics")
    listed = shell("calendar-address", "list", "--json").json
    assert {(each["operator"], each["access_group"]) for each in listed} == {
        (ANNA, None),
        (None, "East"),
    }
    assert address.partition("/ical/")[2][:43] not in shell("audit").out
    assert shell("calendar-address", "revoke", "--operator", ANNA).status == 0
    again = shell("calendar-address", "revoke", "--operator", ANNA)
    assert (again.status, "has no calendar address" in again.err) == (2, True)
    shell("operators", "edit", BEN, "access_group=South")  # so East has no operator any more
    assert shell("calendar-address", "revoke", "--team", "East").status == 0
    assert shell("calendar-address", "make", "--team", "Nowhere").status == 2


def test_help_and_rounds_load_none_of_what_only_exports_and_feeds_need(shell):
    heavy = {"icalendar", "pyarrow", "openpyxl", "keepstep.feeds", "keepstep.exports"}
    for command in (("export", "meetings", "--help"), ("sync",), ("calendar-address", "list")):
        assert not heavy & loaded(shell, command), command


def loaded(shell: Shell, command: tuple[str, ...]) -> set[str]:
    """Give the modules that a command had loaded when it ended."""
    code = (
        "import sys; from keepstep.cli import main; main(sys.argv[1:]);"
        "print('\\n' + ' '.join(sys.modules), file=sys.stderr)"
    )
    environment = {**shell.environment, "KEEPSTEP_HOME": str(Path(shell.home))}
    done = subprocess.run(
        [sys.executable, "-c", code, *command], env=environment, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    return set(done.stderr.splitlines()[-1].split())
