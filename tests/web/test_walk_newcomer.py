"""The newcomer's way, in a real browser: from the first sign-in to a filled calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from keepstep_simulator import SimulatorThread
from tests.system.product import Keepstep
from tests.web.browser import Watch, no_serious_faults, watched
from tests.web.site import PASSWORD, Site, serving

ANNA, BEN = "anna@example.com", "ben@example.com"
TEAM = f"E-Mail,Name,Team\n{ANNA},Anna Adler,West\n{BEN},Ben Brown,West\nnobody,No Body,West\n"
IN_STEP = 90_000


@pytest.fixture
def filled_exchange(exchange: SimulatorThread) -> SimulatorThread:
    """An Exchange in which Anna and Ben have a meeting within the hour."""
    for email in (ANNA, BEN):
        mailbox = exchange.simulator.add_mailbox(email)
        start = datetime.now(UTC) + timedelta(minutes=5)
        mailbox.create(start=start, end=start + timedelta(hours=1), subject="Kick-off with Miller")
    return exchange


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """A server over an empty database."""
    prepared = tmp_path / "empty"
    Keepstep(prepared).do("migrate")
    with serving(prepared, tmp_path / "new") as site:
        yield site


@pytest.fixture
def newcomer(browser: Browser, empty_site: Site) -> Iterator[tuple[Page, Watch]]:
    """A browser in which nobody has signed in to the empty server."""
    with watched(browser, empty_site.url) as opened:
        yield opened


def test_a_newcomer_comes_from_the_first_sign_in_to_a_filled_calendar(
    newcomer: tuple[Page, Watch], empty_site: Site, filled_exchange: SimulatorThread, tmp_path: Path
) -> None:
    page, _watch = newcomer
    make_the_first_administrator(page, empty_site)
    expect(
        page.get_by_role("heading", name="To do until the calendars are in step")
    ).to_be_visible()
    no_serious_faults(page)
    enter_the_settings(page, filled_exchange)
    test_the_connection(page)
    bring_in_the_team(page, tmp_path)
    enable_the_job(page)
    see_the_calendar(page)


def make_the_first_administrator(page: Page, site: Site) -> None:
    printed = (site.product.home / "serve.out").read_text()
    link = re.search(r"/setup/\S+", printed)
    assert link is not None, printed
    page.goto(link.group())
    no_serious_faults(page)
    page.get_by_label("Your e-mail address").fill("boss@example.com")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Make the first administrator").click()
    page.wait_for_url("**/health/overview")


def enter_the_settings(page: Page, exchange: SimulatorThread) -> None:
    page.get_by_role("link", name="Enter the Exchange settings").click()
    page.get_by_label("Microsoft Exchange calendar integration").check()
    page.get_by_label("Exchange URL").fill(exchange.url)
    page.get_by_label("User name").fill("svc")
    page.get_by_label("Password", exact=True).fill("secret")
    page.get_by_label("Batch size").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Batch size must be")).to_be_visible()
    page.get_by_label("Batch size").fill("100")
    page.get_by_label("Password", exact=True).fill("secret")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    no_serious_faults(page)


def test_the_connection(page: Page) -> None:
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Test").click()
    page.get_by_label("With the mailbox of").fill("")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("sign-in", exact=False).first).to_be_visible()
    expect(page.locator(".task .going")).to_have_count(0, timeout=30_000)
    assert "failed" not in page.locator(".task .steps").inner_text()


test_the_connection.__test__ = False  # type: ignore[attr-defined]  # a step, no story


def bring_in_the_team(page: Page, folder: Path) -> None:
    file = folder / "team.csv"
    file.write_text(TEAM)
    page.get_by_role("link", name="Operators").first.click()
    page.get_by_role("link", name="Import").first.click()
    page.get_by_label("CSV or XLSX").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    no_serious_faults(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible()
    expect(page.locator("tbody .wrong")).to_have_count(1)
    no_serious_faults(page)
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("2 operators were added.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Take them as a file").click()
    assert "nobody" in download.value.path().read_text(encoding="utf-8-sig")
    page.get_by_role("link", name="To the operators").click()
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("Calendar sync is on for 2 more operators.")).to_be_visible()


def enable_the_job(page: Page) -> None:
    page.get_by_role("link", name="Jobs").first.click()
    page.get_by_role("button", name="Enable CalendarSynchronization").click()
    expect(page.get_by_text("The job was enabled.")).to_be_visible()


def see_the_calendar(page: Page) -> None:
    page.get_by_role("link", name="Health").first.click()
    # The page asks by itself how things stand.
    expect(page.locator(".tile-in_step strong")).to_have_text("2", timeout=IN_STEP)
    page.goto(f"/calendar/?who=operator:{ANNA}&view=agenda")
    expect(page.get_by_text("Kick-off with Miller").first).to_be_visible()
    no_serious_faults(page)
