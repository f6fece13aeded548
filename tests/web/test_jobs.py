"""The jobs' pages: what an administrator does with them, and what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from keepstep.store import jobs
from keepstep.store.models import Account, Run

SHIPPED = "CalendarSynchronization"


@pytest.fixture
def client(client_of: Callable[[Account], Client], administrator: Account) -> Client:
    return client_of(administrator)


def test_a_job_is_enabled_and_disabled(client: Client) -> None:
    client.post(f"/jobs/job/{SHIPPED}/switch", {"on": "true"})
    assert jobs.definition(SHIPPED).enabled
    client.post(f"/jobs/job/{SHIPPED}/switch", {"on": "false"})
    assert not jobs.definition(SHIPPED).enabled


def test_a_schedule_is_changed_and_what_was_shipped_comes_back(client: Client) -> None:
    changed = {"schedule": "*/5 8-18 * * 1-5", "context": "system"}
    assert client.post(f"/jobs/job/{SHIPPED}", changed).status_code == 302
    assert str(jobs.definition(SHIPPED).schedule) == changed["schedule"]
    assert "overridden" in client.get("/jobs/").content.decode()
    client.post(f"/jobs/job/{SHIPPED}/reset")
    assert str(jobs.definition(SHIPPED).schedule) == "1"
    assert "overridden" not in client.get("/jobs/").content.decode()


@pytest.mark.parametrize("schedule", ["0", "1441", "* * * *", "61 * * * *", "0 0 31 2 *"])
def test_a_schedule_that_is_none_is_refused_at_its_field(client: Client, schedule: str) -> None:
    answer = client.post(f"/jobs/job/{SHIPPED}", {"schedule": schedule, "context": "system"})
    assert answer.status_code == 422
    wrong = answer.content.decode().partition('id="id_schedule_error"')[2]
    assert re.search(r"<span>schedule (must|is no cron line|would never)", wrong)
    assert str(jobs.definition(SHIPPED).schedule) == "1"


def test_the_next_five_runs_are_shown_while_a_schedule_is_typed(client: Client) -> None:
    assert client.get("/jobs/next-runs?schedule=5").content.decode().count("<li>") == 5
    wrong = client.get("/jobs/next-runs?schedule=x").content.decode()
    assert "must be minutes" in wrong


def test_a_job_for_an_access_group_is_added_and_deleted(client: Client, operator: Account) -> None:
    new = {"name": "West, often", "kind": SHIPPED, "schedule": "2", "context": "West"}
    answer = client.post("/jobs/new", new | {"enabled": "on"})
    assert answer.status_code == 302
    added = jobs.definition("West, often")
    assert (added.enabled, str(added.schedule), added.context) == (True, "2", "West")
    assert client.get(answer.headers["Location"]).status_code == 200
    client.post("/jobs/job/West, often/delete")
    assert {each.name for each in jobs.definitions()} == set(jobs.SHIPPED)


def test_a_shipped_job_can_not_be_deleted(client: Client) -> None:
    client.post(f"/jobs/job/{SHIPPED}/delete")
    assert jobs.definition(SHIPPED)


def test_a_run_shows_its_counts_and_what_failed_with_the_remedy(
    client: Client, operator: Account
) -> None:
    failure = {
        "operator": operator.email,
        "code": "no-such-mailbox",
        "message": "Exchange has no mailbox of this e-mail address.",
        "remedy": "Correct <b>it</b>.",
    }
    now = datetime.now(UTC)
    run = Run.objects.create(
        job=SHIPPED, trigger="schedule", started=now, finished=now, failed=1, failures=[failure]
    )
    for address in ("/jobs/", "/jobs/runs", f"/jobs/job/{SHIPPED}"):
        assert f"/jobs/runs/{run.pk}" in client.get(address).content.decode()
    page = client.get(f"/jobs/runs/{run.pk}").content.decode()
    assert "no-such-mailbox" in page
    assert "Correct &lt;b&gt;it&lt;/b&gt;." in page


def test_what_is_not_there_is_said_to_be_not_there(client: Client) -> None:
    for address in ("/jobs/job/Nothing", "/jobs/runs/99", "/jobs/job/Nothing/run"):
        ask = client.post if address.endswith("run") else client.get
        assert ask(address).status_code == 404
