"""The calendar in a real browser: views, keys, addresses, details, the team, phone and themes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.product import Keepstep
from tests.web import site as sites
from tests.web.browser import PHONE, no_serious_faults, no_sideways_scrolling, watched
from tests.web.calendars import SECRET
from tests.web.this_week import CROWD

ROOT = Path(__file__).parents[2]
FILL_WITHIN = 60


@pytest.fixture(scope="module")
def filled(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sites.Site]:
    """A running server with a week of calendars: it is only looked at."""
    folder = tmp_path_factory.mktemp("calendar")
    home = shutil.copytree(prepared_home, folder / "home")
    subprocess.run(
        [sys.executable, "-m", "tests.web.this_week"],
        cwd=ROOT,
        env=Keepstep(home).environment,
        check=True,
        timeout=FILL_WITHIN,
    )
    with sites.serving(home, folder / "served") as serving:
        yield serving


@pytest.fixture
def page(browser: Browser, filled: sites.Site) -> Iterator[Page]:
    """A page in which Anna has signed in; what goes wrong in it fails the test."""
    with watched(browser, filled.url) as (opened, _):
        filled.sign_in(opened, sites.OPERATOR)
        yield opened


@pytest.fixture
def phone(browser: Browser, filled: sites.Site) -> Iterator[Page]:
    """The same, on a phone."""
    with watched(browser, filled.url, PHONE) as (opened, _):
        filled.sign_in(opened, sites.OPERATOR)
        yield opened


def shows(page: Page, subject: str) -> None:
    expect(page.locator("#calendar .ec-event", has_text=subject).first).to_be_visible()


def hides(page: Page, subject: str) -> None:
    expect(page.locator("#calendar .ec-event", has_text=subject)).to_have_count(0)


def asked(page: Page, name: str) -> str:
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


def pressed(page: Page, view: str) -> None:
    button = page.get_by_role("button", name=view, exact=True)
    expect(button).to_have_attribute("aria-pressed", "true")


def test_an_operator_lands_on_the_week_and_sees_when_it_was_in_step(page: Page) -> None:
    expect(page).to_have_url(re.compile("/calendar/"))
    pressed(page, "Week")
    for subject in ("Quarterly review", "Customer visit", "Trade fair", SECRET, "Lunch"):
        shows(page, subject)
    expect(page.locator("#standing")).to_contain_text("In step with Exchange")
    expect(page.locator("#standing time")).to_contain_text("minutes ago")
    hides(page, "Cancelled demo")


def test_the_keys_change_view_and_days_and_the_address_follows(page: Page) -> None:
    shows(page, "Lunch")
    for key, view in (("m", "Month"), ("d", "Day"), ("a", "Agenda"), ("w", "Week")):
        page.keyboard.press(key)
        pressed(page, view)
        page.wait_for_url(lambda url, view=view: f"view={view.lower()}" in url)
    title = page.locator("#calendar-title").inner_text()
    begun = asked(page, "date")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#calendar-title")).not_to_have_text(title)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#calendar-title")).to_have_text(title)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: f"date={begun}" not in url)
    page.keyboard.press("t")
    expect(page.locator("#calendar-title")).to_have_text(title)


def test_an_address_brings_back_view_date_and_whose(page: Page) -> None:
    page.goto("/calendar/?view=month&date=2026-02-10&who=team:West&zone=Asia/Tokyo")
    pressed(page, "Month")
    expect(page.locator("#calendar-title")).to_have_text("February 2026")
    expect(page.get_by_role("button", name="Whose calendar: West")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.locator("#calendar-status")).to_have_text("No appointments on these days.")
    page.wait_for_url(lambda url: "date=2026-02-10" in url and "who=team%3AWest" in url)


def test_another_time_zone_moves_what_is_drawn(page: Page) -> None:
    page.goto("/calendar/?view=agenda&zone=Asia/Kolkata")
    visit = page.locator("#calendar .ec-event", has_text="Customer visit")
    page.goto("/calendar/?view=week&zone=Asia/Kolkata")
    expect(visit).to_contain_text("17:30")
    page.get_by_label("Time zone").select_option("")
    expect(visit).to_contain_text("13:00")
    page.wait_for_url(lambda url: "zone=" not in url)


def test_cancelled_ones_come_struck_through_when_asked_for(page: Page) -> None:
    page.get_by_label("Show cancelled ones").check()
    shows(page, "Cancelled demo")
    title = page.locator(".ec-event", has_text="Cancelled demo").locator(".ec-event-title")
    expect(title).to_have_css("text-decoration-line", "line-through")
    page.wait_for_url(lambda url: "cancelled=1" in url)
    page.get_by_label("Show cancelled ones").uncheck()
    hides(page, "Cancelled demo")


def test_series_and_exceptions_are_marked_in_words_too(page: Page) -> None:
    moved = page.locator(".ec-event", has_text="Pipeline call, moved")
    expect(moved.locator(".mark")).to_contain_text("changed occurrence of a series")
    page.keyboard.press("ArrowLeft")
    expect(moved).to_have_count(0)
    regular = page.locator(".ec-event", has_text="Pipeline call")
    expect(regular.locator(".mark")).to_have_text("series")
    expect(regular).to_contain_text("Monday")


def test_details_open_beside_the_calendar_by_keyboard_and_have_an_address(page: Page) -> None:
    visit = page.locator(".ec-event", has_text="Customer visit")
    visit.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Customer visit: Müller & Söhne")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("Erik Müller")
    expect(panel.locator(".body-text")).to_have_text(re.compile("offer\\.\n\nParking"))
    join = panel.get_by_role("link", name="Join Microsoft Teams")
    expect(join).to_have_attribute("rel", "noopener noreferrer")
    expect(panel).to_contain_text("teams.microsoft.com")
    panel.get_by_text("Why is it here?").click()
    expect(panel).to_contain_text("It is in the sales calendar.")
    no_serious_faults(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.keyboard.press("Enter")
    panel.get_by_role("link", name="Open as a page of its own").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Customer visit: Müller & Söhne")
    no_serious_faults(page)


def test_a_team_shows_a_meeting_once_and_private_ones_as_blocked_time(page: Page) -> None:
    page.get_by_role("button", name="Whose calendar").click()
    page.get_by_role("link", name="West", exact=True).click()
    shows(page, "Offer to Rossi")
    review = page.locator(".ec-event", has_text="Quarterly review")
    expect(review).to_have_count(1)
    expect(review).to_contain_text("3 operators")
    shows(page, "Private appointment")
    assert f"{SECRET} B" not in page.content()
    page.locator("summary", has_text="3 operators").click()
    page.get_by_label("Cleo Conti").uncheck()
    hides(page, "Offer to Rossi")
    shows(page, "Quarterly review")
    page.locator(".ec-event", has_text="Private appointment").click()
    panel = page.get_by_role("dialog", name="Private appointment")
    expect(panel).to_contain_text("nobody but Ben Bauer sees more of it")


def test_an_operator_is_found_by_a_part_of_the_name(page: Page) -> None:
    page.get_by_role("button", name="Whose calendar").click()
    page.get_by_label("Operators").fill("conti")
    expect(page.locator("#found a")).to_have_count(1)
    page.get_by_role("link", name="Cleo Conti").click()
    expect(page.get_by_role("button", name="Whose calendar: Cleo Conti")).to_be_visible()
    shows(page, "Offer to Rossi")


@pytest.mark.parametrize("view", ["month", "week", "day", "agenda"])
def test_each_view_is_accessible_and_fits_a_desktop_and_a_phone(
    view: str, page: Page, phone: Page
) -> None:
    for each in (page, phone):
        each.goto(f"/calendar/?view={view}&who=team:West&cancelled=1")
        expect(each.locator("#calendar .ec-main")).to_be_visible()
        expect(each.locator("#calendar-title")).not_to_be_empty()
        no_serious_faults(each)
        no_sideways_scrolling(each)


def test_a_phone_begins_with_the_agenda(phone: Page) -> None:
    pressed(phone, "Agenda")
    expect(phone.locator("#calendar .ec-list")).to_be_visible()


def test_a_day_with_more_than_can_be_drawn_tells_how_many_and_leads_to_them(
    browser: Browser, filled: sites.Site
) -> None:
    with watched(browser, filled.url) as (page, _):
        filled.sign_in(page)
        page.goto("/calendar/?view=month&who=operator:dora@example.com")
        calls = page.locator("#calendar .ec-event", has_text="Call ")
        expect(calls).to_have_count(6)
        page.get_by_text(re.compile(r"^\d+ more$")).click()
        page.get_by_role("button", name=re.compile(r"\+ 39 more")).last.click()
        pressed(page, "Day")
        expect(calls).to_have_count(CROWD)
        expect(page.locator(".is-more")).to_have_count(0)


def test_the_agenda_is_printed_without_the_frame(page: Page) -> None:
    page.goto("/calendar/?view=week&who=team:West")
    page.get_by_role("link", name="Print").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("West")
    expect(page.locator(".agenda-day")).to_have_count(5)
    no_serious_faults(page)
    page.emulate_media(media="print")
    expect(page.locator("nav.side")).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    assert f"{SECRET} B" not in page.content()


def test_what_can_not_be_loaded_is_said_and_what_is_drawn_stays(
    browser: Browser, filled: sites.Site
) -> None:
    with watched(browser, filled.url) as (page, watch):
        watch.expect("/calendar/events")
        filled.sign_in(page, sites.OPERATOR)
        shows(page, "Lunch")
        page.route("**/calendar/events*", lambda route: route.fulfill(status=503, body="{}"))
        page.get_by_label("Show cancelled ones").check()
        status = page.locator("#calendar-status")
        expect(status).to_have_text(re.compile("could not be loaded"))
        shows(page, "Lunch")


def test_the_page_speaks_german_to_a_german_browser(browser: Browser, filled: sites.Site) -> None:
    context = browser.new_context(
        base_url=filled.url, locale="de-DE", timezone_id="Europe/Berlin", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(filled.link(sites.OPERATOR))
    page.locator("main button[type=submit]").click()
    page.goto("/calendar/?view=month&date=2026-03-10")
    expect(page.locator("#calendar-title")).to_have_text("März 2026")
    expect(page.locator(".ec-col-head").first).to_have_text("Mo")
    context.close()
