"""An administrator's days, in a real browser: a failing mailbox, and a schedule that is changed."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browser import watched
from tests.web.filled import SHIPPED, Filled, running
from tests.web.team import UNKNOWN

# A changed schedule is noticed within 15 seconds, and the next whole minute is the first run.
FIRST_RUN = 90


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A server in use."""
    with running(tmp_path_factory.mktemp("daily")) as made:
        yield made


@pytest.fixture
def page(browser: Browser, filled: Filled) -> Iterator[Page]:
    """A page in which the administrator has signed in."""
    with watched(browser, filled.site.url) as (opened, _):
        filled.enter(opened)
        yield opened


def test_a_failing_mailbox_is_shown_with_its_remedy_and_mended(page: Page, filled: Filled) -> None:
    expect(page.get_by_text("no-such-mailbox").first).to_be_visible()
    page.get_by_text("Whose calendars").click()
    page.get_by_role("link", name=UNKNOWN.email).click()
    expect(
        page.get_by_text("Exchange has no mailbox of this e-mail address.").first
    ).to_be_visible()
    expect(page.get_by_text("Correct the operator's e-mail address").first).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    filled.exchange.simulator.add_mailbox("grace@example.com", UNKNOWN.name)
    page.get_by_label("E-mail address").fill("grace@example.com")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("mailboxes in step")).to_be_visible(timeout=30_000)
    page.goto("/operators/?text=grace")
    expect(page.locator("tbody .badge")).to_have_text("in step")
    page.goto("/health/overview")
    expect(page.get_by_text("Nothing fails.")).to_be_visible()


def test_a_calendar_is_verified_and_a_job_run_now(page: Page, filled: Filled) -> None:
    page.goto("/operators/of/anna@example.com")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("upcoming appointments compared")).to_be_visible(timeout=30_000)
    page.goto(f"/jobs/job/{SHIPPED}")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("mailboxes in step")).to_be_visible(timeout=60_000)
    page.goto("/jobs/runs")
    expect(page.locator("tbody tr").first).to_contain_text("page")


def test_a_changed_schedule_takes_effect_without_a_restart(page: Page) -> None:
    page.goto(f"/jobs/job/{SHIPPED}")
    page.get_by_label("Schedule").fill("1")
    expect(page.locator("#next-runs li")).to_have_count(5)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    known = newest_run(page)
    until = monotonic() + FIRST_RUN
    while newest_run(page) == known:
        assert monotonic() < until, "the changed schedule did not take effect"
        page.wait_for_timeout(2000)
    expect(page.locator("tbody tr").first).to_contain_text("schedule")


def newest_run(page: Page) -> str | None:
    page.goto("/jobs/runs")
    return page.locator("tbody tr").first.locator("a").get_attribute("href")
