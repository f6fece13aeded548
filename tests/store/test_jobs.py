"""Job schedulers: what is shipped, what is changed of it."""

from datetime import UTC, datetime

import pytest

from keepstep.core.errors import UsageError
from keepstep.core.job_schedule import EveryMinutes
from keepstep.store import jobs, operators
from keepstep.store.jobs import JobDefinition

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
NAME = "CalendarSynchronization"
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
