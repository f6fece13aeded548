"""From the import of operators to the sales calendar, command by command."""

from datetime import UTC, datetime, timedelta

import pytest

from keepstep_simulator import Simulator, SimulatorThread

SUBJECT = "Offer \x1b[31mred\u202e \u9a5a\u8a1d"


@pytest.fixture
def exchange():
    simulator = Simulator(clock=lambda: datetime.now(UTC), seed=7)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    for email in ("anna@example.com", "bruno@example.com"):
        mailbox = simulator.add_mailbox(email)
        for place in range(10):
            mailbox.create(
                subject=f"Meeting {place}",
                start=start + timedelta(hours=place),
                end=start + timedelta(hours=place + 1),
            )
    simulator.mailboxes["anna@example.com"].create(
        subject=SUBJECT.replace("\x1b", ""), start=start, end=start + timedelta(hours=1)
    )
    with SimulatorThread(simulator) as server:
        yield server


@pytest.fixture
def shell(ready, exchange):
    settings = ("username=svc", "password=secret", "calendar_integration=on", "batch_size=4")
    assert ready("settings", "set", f"exchange_url={exchange.url}", *settings).status == 0
    return ready


def load(shell, content, *options):
    file = shell.home.parent / "operators.csv"
    file.write_text(content)
    return shell("operators", "import", str(file), *options)


OPERATORS = """email,name,calendar_sync,time_zone
anna@example.com,Anna,true,Europe/Berlin
bruno@example.com,Bruno,true,America/New_York
"""


def test_calendars_come_in_and_then_only_changes_are_read(shell, exchange):
    assert load(shell, OPERATORS).out == "2 added, 0 updated, 0 unchanged, 0 refused.\n"
    first = shell("sync", "--json")
    assert (first.status, first.err) == (0, "")
    assert (first.json["mailboxes"], first.json["created"]) == (2, 21)
    listings = exchange.simulator.requests("SyncFolderItems")
    assert [entry.max_changes for entry in listings] == [4] * 6
    exchange.simulator.log.clear()
    again = shell("sync")
    assert again.status == 0
    assert "2 mailboxes: 2 in step, 0 failed (2 requests" in again.out
    assert [entry.operation for entry in exchange.simulator.log] == ["SyncFolderItems"] * 2
    listed = shell("appointments", "--operator", "anna@example.com", "--json").json
    assert len(listed) == 11
    assert listed == sorted(listed, key=lambda each: each["start"])
    states = {each["email"]: each["status"] for each in shell("operators", "list", "--json").json}
    assert states == {"anna@example.com": "in_step", "bruno@example.com": "in_step"}


def test_one_operator_can_be_synchronized_alone(shell, exchange):
    load(shell, OPERATORS)
    assert shell("sync", "--operator", "BRUNO@example.com", "--json").json["mailboxes"] == 1
    assert {entry.mailbox for entry in exchange.simulator.log} == {"bruno@example.com"}
    unknown = shell("sync", "--operator", "bruna@example.com")
    assert (unknown.status, unknown.out) == (2, "")
    assert "did you mean bruno@example.com?" in unknown.err


def test_a_mailbox_that_fails_is_told_with_code_and_remedy_and_status_1(shell):
    load(shell, OPERATORS + "carla@example.com,Carla,true,UTC\n")
    done = shell("sync", "--json")
    assert done.status == 1
    assert (done.json["succeeded"], done.json["failed"]) == (2, 1)
    (failure,) = done.json["failures"]
    assert (failure["operator"], failure["code"]) == ("carla@example.com", "no-such-mailbox")
    assert failure["remedy"].startswith("Correct the operator's e-mail address")
    told = shell("sync")
    assert told.status == 1
    assert "carla@example.com: no-such-mailbox: Exchange has no mailbox" in told.err


def test_an_import_with_a_bad_row_loads_the_others_and_ends_with_1(shell):
    done = load(shell, OPERATORS + "nobody,X,true,UTC\n", "--json")
    assert done.status == 1
    assert (done.json["added"], len(done.json["refused"])) == (2, 1)
    assert done.json["refused"][0]["line"] == 4
    told = load(shell, OPERATORS + "nobody,X,true,UTC\n", "--purpose", "add", "--dry-run")
    assert told.status == 1
    assert told.out == "0 would be added, 0 would be updated, 0 unchanged, 3 would be refused.\n"
    assert "line 4, email: must be an e-mail address, not 'nobody'" in told.err


def test_a_job_runs_now_over_its_access_group(shell):
    load(shell, OPERATORS)
    shell("operators", "edit", "anna@example.com", "access_group=North")
    assert shell("jobs", "set", "CalendarSynchronization", "context=North").status == 0
    assert shell("jobs", "run", "CalendarSynchronization", "--json").json["mailboxes"] == 1
    (job, *_) = shell("jobs", "list", "--json").json
    assert (job["enabled"], job["context"], job["last_run"]["created"]) == (False, "North", 11)


def test_what_an_appointment_says_cannot_steer_the_terminal(shell):
    load(shell, OPERATORS)
    shell("sync")
    told = shell("appointments", "--operator", "anna@example.com")
    assert "Calendar of anna@example.com" in told.out
    assert "times of Europe/Berlin" in told.out
    assert "\u9a5a\u8a1d" in told.out
    assert "\u202e" not in told.out
