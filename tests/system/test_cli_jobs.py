"""`keepstep jobs`: adding jobs of the shipped kinds, changing and deleting them."""

from __future__ import annotations

import pytest

from tests.system.shell import Shell


@pytest.fixture
def shell(ready: Shell) -> Shell:
    return ready


def test_a_job_is_added_listed_changed_and_deleted(shell: Shell) -> None:
    shell("operators", "add", "anna@example.com", "access_group=West")
    added = shell(
        "jobs", "add", "West hourly", "--kind", "calendarsynchronization", "schedule=60",
        "context=West",
    )  # fmt: skip
    assert (added.status, added.out) == (
        0,
        "West hourly is off: schedule 60, context West.\n",
    )
    assert shell("jobs", "enable", "west hourly").status == 0
    listed = {each["name"]: each for each in shell("jobs", "list", "--json").json}
    job = listed["West hourly"]
    assert (job["kind"], job["shipped"], job["enabled"]) == ("CalendarSynchronization", False, True)
    assert len(job["next_runs"]) == 5
    assert job["next_runs"][0] == job["next_run"]
    assert (listed["CalendarSynchronization"]["shipped"], len(listed)) == (True, 3)
    changed = shell("jobs", "set", "West hourly", "schedule=0 8 * * *", "context=system")
    assert changed.out == "West hourly is on: schedule 0 8 * * *, context system.\n"
    assert shell("jobs", "delete", "West hourly").out == "West hourly is deleted.\n"
    assert len(shell("jobs", "list", "--json").json) == 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("delete", "CalendarSynchronization"),
            "keepstep: CalendarSynchronization is shipped and can't be deleted: keepstep jobs"
            " disable CalendarSynchronization",
        ),
        (("add", "Mine"), "keepstep: Missing option '--kind'."),
        (
            ("add", "Mine", "--kind", "CalendarSynchronization", "schedule=never"),
            "keepstep: schedule must be minutes (1-1440) or a cron line of five fields (minute hour"
            " day month weekday), not 'never'.",
        ),
        (
            ("delete", "Mine"),
            "keepstep: no job is called 'Mine'; there are CalendarSynchronization,"
            " CalendarVerification",
        ),
    ],
)
def test_what_can_not_be_is_refused_in_one_line(
    shell: Shell, arguments: tuple[str, ...], line: str
) -> None:
    refused = shell("jobs", *arguments)
    assert (refused.status, refused.out, refused.err) == (2, "", line + "\n")
