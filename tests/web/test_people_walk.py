"""Inviting somebody, as an administrator and the one invited do it."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.web.browser import PHONE, no_serious_faults, no_sideways_scrolling, watched
from tests.web.site import OPERATOR, PASSWORD, Site

BEN = "ben@example.com"


def test_an_administrator_invites_an_operator_who_then_signs_in_on_a_phone(
    site: Site, page: Page, browser: Browser
) -> None:
    site.product.do("operators", "add", BEN, "name=Ben Berger", "access_group=West")
    site.sign_in(page)
    page.goto("/people/")
    page.get_by_role("link", name="Invite").click()
    no_serious_faults(page)
    page.get_by_label("E-mail addresses").fill(f"{BEN}\nnobody@example.com")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("no operator has the e-mail address")).to_be_visible()
    page.get_by_label("E-mail addresses").fill(BEN)
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_role("heading", name=BEN)).to_be_visible()
    no_serious_faults(page)
    link = page.get_by_label("Link").input_value()
    with watched(browser, site.url, PHONE) as (phone, _):
        phone.goto(link)
        no_serious_faults(phone)
        no_sideways_scrolling(phone)
        phone.get_by_label("New password").fill(PASSWORD)
        phone.get_by_label("The same again").fill(PASSWORD)
        phone.get_by_role("button", name="Set the password").click()
        phone.wait_for_url("**/calendar/**")
    page.reload()
    expect(page.get_by_text("active", exact=True)).to_be_visible()
    expect(page.get_by_label("Link")).to_have_count(0)


def test_people_are_found_as_one_types_and_their_role_is_changed(site: Site, page: Page) -> None:
    site.sign_in(page)
    page.goto("/people/")
    page.keyboard.press("/")
    page.keyboard.type("anna")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name=OPERATOR).click()
    page.get_by_role("radio", name="auditor").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The role was changed.")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_text(f"The account of {OPERATOR} was deleted.")).to_be_visible()
