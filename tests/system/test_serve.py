"""`keepstep serve`: runs the jobs, notices what changes, and shares mailboxes with `sync`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from keepstep_simulator import Fault, SimulatorThread
from tests.system.product import Keepstep, terminate, wait_for

EMAILS = [f"{name}@example.com" for name in ("anna", "ben", "cleo", "dora")]
JOB = "CalendarSynchronization"
ITEMS = 60
END_WITHIN = 15
NOTICE_WITHIN = 60
SOON_NOTICED = 15


def fill(exchange: SimulatorThread) -> None:
    """Four mailboxes of 60 appointments each, all ahead."""
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    for email in EMAILS:
        mailbox = exchange.simulator.add_mailbox(email)
        for number in range(ITEMS):
            start = begin + number * timedelta(hours=3)
            end = start + timedelta(hours=1)
            mailbox.create(start=start, end=end, subject=f"Meeting {number}", body="Agenda")


def polls(exchange: SimulatorThread) -> int:
    return len(exchange.simulator.requests("SyncFolderItems"))


def assert_all_in_step(keepstep: Keepstep) -> None:
    for email in EMAILS:
        found = keepstep.appointments(email)
        subjects = sorted(each["subject"] for each in found)
        assert subjects == sorted(f"Meeting {number}" for number in range(ITEMS))
    states = {email: each["status"] for email, each in keepstep.operators().items()}
    assert states == dict.fromkeys(EMAILS, "in_step")


def test_sync_beside_a_running_serve_doubles_nothing_and_both_end_well(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    """Each answer takes its time, so that the command takes mailboxes from rounds under way."""
    fill(exchange)
    keepstep.import_operators(*(f"{email},Europe/Berlin," for email in EMAILS))
    keepstep.set(batch_size="10")
    keepstep.do("jobs", "enable", JOB)
    exchange.simulator.faults.add(Fault("slow", times=None, seconds=0.15))
    with keepstep.serving() as serve:
        wait_for(lambda: polls(exchange) >= len(EMAILS), "the first round to begin")
        result = keepstep.sync()
        assert (result["succeeded"], result["failed"], result["failures"]) == (4, 0, [])
        assert_all_in_step(keepstep)
        assert keepstep.jobs()[JOB]["last_run"]["failed"] == 0
        assert serve.poll() is None
        assert terminate(serve, END_WITHIN) == 0
    begun_anew = [
        each for each in exchange.simulator.requests("SyncFolderItems") if not each.sync_state
    ]
    assert len(begun_anew) <= 2 * len(EMAILS)
    assert_all_in_step(keepstep)


def test_a_round_under_way_keeps_serve_from_ending_no_longer_than_15_seconds(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    fill(exchange)
    keepstep.import_operators(*(f"{email},Europe/Berlin," for email in EMAILS))
    keepstep.do("jobs", "enable", JOB)
    hang = Fault("hang", "GetItem", times=None, seconds=3600)
    exchange.simulator.faults.add(hang)
    with keepstep.serving() as serve:
        asked = exchange.simulator.requests
        wait_for(lambda: len(asked("GetItem")) >= len(EMAILS), "the rounds to hang")
        assert terminate(serve, END_WITHIN) == 0
    exchange.simulator.faults.clear()
    assert keepstep.sync()["succeeded"] == len(EMAILS)
    assert_all_in_step(keepstep)


def test_a_running_serve_notices_that_a_job_is_enabled(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    fill(exchange)
    keepstep.import_operators(*(f"{email},Europe/Berlin," for email in EMAILS))
    with keepstep.serving() as serve:
        keepstep.do("jobs", "enable", JOB)
        wait_for(lambda: succeeded(keepstep), "the job", seconds=NOTICE_WITHIN, every=1)
        assert terminate(serve, END_WITHIN) == 0
    assert_all_in_step(keepstep)


def test_a_running_serve_notices_a_changed_schedule(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    """From once a day to every minute: the day's run, then one at the minute after the notice."""
    fill(exchange)
    keepstep.import_operators(*(f"{email},Europe/Berlin," for email in EMAILS))
    keepstep.do("jobs", "set", JOB, "schedule=1440")
    keepstep.do("jobs", "enable", JOB)
    with keepstep.serving() as serve:
        wait_for(lambda: succeeded(keepstep), "the first run", every=1)
        exchange.simulator.log.clear()
        keepstep.do("jobs", "set", JOB, "schedule=* * * * *")
        longest = NOTICE_WITHIN + 62
        wait_for(lambda: polls(exchange) == len(EMAILS), "a second run", seconds=longest)
        assert terminate(serve, END_WITHIN) == 0
    assert_all_in_step(keepstep)


def succeeded(keepstep: Keepstep) -> bool:
    last = keepstep.jobs()[JOB]["last_run"]
    return last is not None and last["succeeded"] == len(EMAILS)


def test_the_context_of_a_job_limits_it_to_the_operators_of_an_access_group(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    fill(exchange)
    groups = ("West", "East", "West", "")
    lines = [f"{email},UTC,{group}" for email, group in zip(EMAILS, groups, strict=True)]
    keepstep.import_operators(*lines)
    keepstep.do("jobs", "set", JOB, "context=West")
    result = keepstep.do("jobs", "run", JOB, "--json").json
    assert (result["mailboxes"], result["succeeded"]) == (2, 2)
    west = {EMAILS[0], EMAILS[2]}
    assert {each.mailbox for each in exchange.simulator.log} == west
    in_step = {email for email, each in keepstep.operators().items() if each["status"] == "in_step"}
    assert in_step == west
    nowhere = keepstep.run("jobs", "set", JOB, "context=Nowhere")
    assert nowhere.status == 2
    assert keepstep.jobs()[JOB]["context"] == "West"
    keepstep.do("jobs", "set", JOB, "context=system")
    assert keepstep.do("jobs", "run", JOB, "--json").json["mailboxes"] == 4


def test_a_running_serve_runs_an_added_job_over_its_own_access_group(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    """Added, enabled, then deleted while serve runs: it is noticed each time within 15 seconds."""
    fill(exchange)
    groups = ("West", "East", "West", "")
    lines = [f"{email},UTC,{group}" for email, group in zip(EMAILS, groups, strict=True)]
    keepstep.import_operators(*lines)
    with keepstep.serving() as serve:
        arguments = ("--kind", JOB, "--enable", "schedule=1440", "context=West")
        keepstep.do("jobs", "add", "West daily", *arguments)
        wait_for(
            lambda: done(keepstep, "West daily") == 2, "the job", seconds=SOON_NOTICED, every=0.5
        )
        assert {each.mailbox for each in exchange.simulator.log} == {EMAILS[0], EMAILS[2]}
        keepstep.do("jobs", "delete", "West daily")
        assert list(keepstep.jobs()) == [JOB, "CalendarVerification"]
        assert terminate(serve, END_WITHIN) == 0


def test_two_jobs_whose_contexts_overlap_never_work_on_one_mailbox_at_once(
    keepstep: Keepstep, exchange: SimulatorThread
) -> None:
    """Slow answers keep the first job at work: two on one mailbox would read its items twice."""
    fill(exchange)
    keepstep.import_operators(*(f"{email},UTC,West" for email in EMAILS))
    keepstep.set(batch_size="10")
    exchange.simulator.faults.add(Fault("slow", times=None, seconds=0.2))
    keepstep.do("jobs", "enable", JOB)
    for name, kind in (("Again", JOB), ("Look", "CalendarVerification")):
        keepstep.do("jobs", "add", name, "--kind", kind, "--enable", "schedule=1", "context=West")
    with keepstep.serving() as serve:
        wait_for(lambda: done(keepstep, "Look") == len(EMAILS), "the comparison", every=0.5)
        assert terminate(serve, END_WITHIN) == 0
    read = [each for entry in exchange.simulator.requests("GetItem") for each in entry.item_ids]
    assert len(read) == len(set(read)) == len(EMAILS) * ITEMS
    begun = [
        each.max_changes
        for each in exchange.simulator.requests("SyncFolderItems")
        if not each.sync_state
    ]
    assert sorted(begun) == [10] * len(EMAILS) + [512] * len(EMAILS)
    assert_all_in_step(keepstep)
    ran = {name: job["last_run"] for name, job in keepstep.jobs().items() if job["last_run"]}
    assert {name: run["failed"] for name, run in ran.items()} == {JOB: 0, "Again": 0, "Look": 0}


def done(keepstep: Keepstep, job: str) -> int:
    last = keepstep.jobs()[job]["last_run"]
    return last["succeeded"] if last and last["finished"] else 0
