"""Job schedulers: what is shipped, what is changed of it."""

from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core.errors import UsageError
from keepstep.core.job_schedule import EveryMinutes
from keepstep.store import audit, jobs, operators
from keepstep.store.jobs import JobDefinition

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
NAME = "CalendarSynchronization"
HALF = timedelta(minutes=30)
SHIPPED = JobDefinition(NAME, False, EveryMinutes(1), "system")


def test_the_shipped_job_is_off_and_runs_each_minute_for_everybody():
    assert jobs.definition(NAME) == SHIPPED
    assert jobs.listing(NOW)[0].next_run is None


def test_a_job_is_enabled_changed_and_reset():
    operators.add("anna@example.com", {"access_group": "Sales"})
    jobs.switch(NAME, on=True)
    jobs.change("calendarsynchronization", {"schedule": "5", "context": "Sales"})
    assert jobs.definition(NAME) == JobDefinition(NAME, True, EveryMinutes(5), "Sales")
    listed = jobs.listing(NOW)[0]
    assert listed.changed
    assert listed.next_run == datetime(2026, 11, 24, 12, 5, tzinfo=UTC)
    jobs.reset(NAME)
    assert jobs.definition(NAME) == SHIPPED
    assert not jobs.listing(NOW)[0].changed


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"schedule": "0"}, "schedule must be from 1 to 1440 minutes, not 0."),
        (
            {"context": "Sails"},
            "context must be system or the access group of an operator, not 'Sails';"
            " did you mean Sales?",
        ),
        ({"context": ""}, "context must be system or the access group of an operator, not ''."),
        ({"every": "5"}, "a job has no field 'every'; there are schedule and context."),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_changes(values, line):
    operators.add("anna@example.com", {"access_group": "Sales"})
    with pytest.raises(UsageError) as refused:
        jobs.change(NAME, {"schedule": "7", **values})
    assert str(refused.value) == line
    assert jobs.definition(NAME) == SHIPPED


def test_an_unknown_job_is_refused():
    with pytest.raises(UsageError, match=r"no job is called 'CalendarSync'; did you mean"):
        jobs.switch("CalendarSync", on=True)


def test_a_job_is_added_of_a_kind_with_its_own_schedule_and_context():
    operators.add("anna@example.com", {"access_group": "Sales"})
    added = jobs.add(
        " Sales  hourly ", "calendarsynchronization", {"schedule": "60", "context": "Sales"}
    )
    assert added == JobDefinition(
        "Sales hourly", False, EveryMinutes(60), "Sales", jobs.SYNCHRONIZATION, shipped=False
    )
    assert [each.name for each in jobs.definitions()] == [*jobs.KINDS, "Sales hourly"]
    jobs.switch("sales hourly", on=True)
    jobs.change("SALES HOURLY", {"schedule": "0 7 * * 1-5", "context": "system"})
    found = jobs.definition("Sales hourly")
    assert (found.enabled, str(found.schedule), found.context) == (True, "0 7 * * 1-5", "system")


def test_an_added_job_without_values_goes_as_the_shipped_one_of_its_kind():
    added = jobs.add("Second look", jobs.VERIFICATION, {}, enabled=True)
    assert (added.kind, str(added.schedule), added.context) == (
        jobs.VERIFICATION,
        "30 2 * * *",
        "system",
    )
    assert added.enabled


def test_an_added_job_is_deleted_and_a_shipped_one_is_not():
    jobs.add("Extra", jobs.SYNCHRONIZATION, {})
    with pytest.raises(UsageError, match="Extra was added here, there is nothing shipped"):
        jobs.reset("Extra")
    jobs.delete("extra")
    assert [each.name for each in jobs.definitions()] == list(jobs.KINDS)
    with pytest.raises(UsageError, match="CalendarSynchronization is shipped and can't be deleted"):
        jobs.delete(NAME)


@pytest.mark.parametrize(
    ("name", "kind", "values", "line"),
    [
        ("", NAME, {}, "the name of a job must not be empty."),
        ("x" * 61, NAME, {}, "the name of a job must have at most 60 characters, not 61."),
        ("a/b", NAME, {}, "the name of a job must begin with a letter or digit"),
        ("\u202egnat", NAME, {}, "the name of a job must begin with a letter or digit"),
        ("a\nb", NAME, {}, "the name of a job must be one line without control characters."),
        ("CALENDARverification", NAME, {}, "there is a job 'CALENDARverification' already."),
        ("Mine", "CalendarSync", {}, "no kind of job is called 'CalendarSync'; did you mean"),
        (
            "",
            NAME,
            {"schedule": "0", "context": "Nowhere"},
            "the name of a job must not be empty; schedule must be from 1 to 1440 minutes, not 0;"
            " context must be system or the access group of an operator, not 'Nowhere'.",
        ),
    ],
)
def test_a_job_that_can_not_be_added_is_refused_with_every_reason(name, kind, values, line):
    with pytest.raises(UsageError) as refused:
        jobs.add(name, kind, values)
    assert str(refused.value).startswith(line)
    assert [each.name for each in jobs.definitions()] == list(jobs.KINDS)


def test_two_jobs_never_bear_one_name_in_whatever_case():
    jobs.add("Extra", jobs.SYNCHRONIZATION, {})
    with pytest.raises(UsageError, match="there is a job 'EXTRA' already"):
        jobs.add("EXTRA", jobs.SYNCHRONIZATION, {})


def test_the_next_five_runs_are_shown_of_every_job_and_of_a_schedule_not_saved_yet():
    jobs.change(NAME, {"schedule": "30"})
    off = jobs.listing(NOW)[0]
    half_hours = [datetime(2026, 11, 24, 12, 30, tzinfo=UTC) + n * HALF for n in range(5)]
    assert (off.next_run, list(off.next_runs)) == (None, half_hours)
    assert jobs.runs_ahead("30", NOW) == half_hours
    with pytest.raises(UsageError, match=r"^schedule must be from 1 to 1440 minutes, not 0\.$"):
        jobs.runs_ahead("0", NOW)


def test_what_is_added_and_deleted_is_kept_in_the_audit():
    jobs.add("Extra", jobs.SYNCHRONIZATION, {"schedule": "7"}, by="admin@example.com")
    jobs.delete("Extra", by="admin@example.com")
    gone, new = audit.listing(subject="Extra")
    assert (new.action, new.by, new.changes["schedule"]) == (
        "job.add",
        "admin@example.com",
        (None, "7"),
    )
    assert (gone.action, gone.changes["kind"]) == ("job.delete", (jobs.SYNCHRONIZATION, None))


def test_a_job_that_is_refused_leaves_no_entry_in_the_audit():
    with pytest.raises(UsageError):
        jobs.add("Extra", jobs.SYNCHRONIZATION, {"schedule": "often"})
    assert audit.listing() == []
