"""Signing in, as a person does it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.browser import no_serious_faults
from tests.web.site import ADMINISTRATOR, PASSWORD, Site


def test_somebody_signs_in_by_password_and_comes_to_the_page_asked_for(
    site: Site, page: Page
) -> None:
    page.goto("/people/")
    no_serious_faults(page)
    page.get_by_label("E-mail address").fill(ADMINISTRATOR.upper())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/people/")
    expect(page.get_by_role("link", name="People")).to_be_visible()
    no_serious_faults(page)


def test_a_one_time_address_lets_in_once(site: Site, page: Page) -> None:
    link = site.link(ADMINISTRATOR)
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/health/**")
    page.get_by_role("button", name="Sign out").click()
    page.goto(link)
    expect(page.get_by_role("heading", name="This address is no longer valid")).to_be_visible()
