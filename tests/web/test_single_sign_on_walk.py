"""Single sign-on as a person does it: a real browser, a running server, a real service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from keepstep.web.single_sign_on.http import AT_ONCE
from tests.system.product import wait_for
from tests.web.browser import PHONE, Watch, no_serious_faults, no_sideways_scrolling
from tests.web.sign_in_service import Service, dripping, sign_in_service
from tests.web.site import ADMINISTRATOR, PASSWORD, Site


@pytest.fixture
def service(site: Site, watch: Watch) -> Iterator[Service]:
    """The service, in use by the running server."""
    with sign_in_service() as running:
        watch.expect(f"{running.url}/")
        watch.expect("^console: .*" + running.url)
        running.person("anna", email=ADMINISTRATOR, email_verified=True, roles=["admins"])
        running.person("eve", email="eve@example.com", email_verified=True, roles=["admins"])
        set_on(site, sso_name="The house", **running.settings())
        yield running


def set_on(site: Site, **values: str) -> None:
    site.product.do("settings", "set", *(f"{name}={value}" for name, value in values.items()))


def test_somebody_signs_in_by_the_service_and_passwords_are_switched_off_and_on_again(
    site: Site, page: Page, watch: Watch, service: Service
) -> None:
    page.goto("/people/")
    no_serious_faults(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    no_sideways_scrolling(page)
    page.get_by_role("link", name="Sign in with The house").click()
    page.locator("input[name=sub]").fill("anna")
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url("**/people/")
    page.goto("/settings/single-sign-on")
    no_serious_faults(page)
    no_sideways_scrolling(page)
    expect(page.get_by_label("Redirect address")).to_have_value(f"{site.url}/sign-in/sso/callback")
    page.get_by_role("button", name="Test the sign-in service").click()
    expect(page.get_by_text("The sign-in service answers.")).to_be_visible()
    page.get_by_label("Passwords let in, too").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    sign_out(page)
    expect(page.get_by_label("Password")).to_have_count(0)
    no_serious_faults(page)
    made = site.product.do("createadmin", "--email", "second@example.com").output
    assert "/enter/" in made
    invited = site.product.do("people", "invite", "third@example.com", "--role", "auditor").output
    assert invited.splitlines()[-1].endswith("/sign-in")
    page.goto(made.splitlines()[-1].replace("http://127.0.0.1:8000", site.url))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/health/**")
    sign_out(page)
    set_on(site, sso_passwords="on")
    page.reload()
    page.get_by_label("E-mail address").fill(ADMINISTRATOR)
    for state in ("is linked to nobody any more", "was linked to nobody"):
        said = site.product.do("people", "unlink", ADMINISTRATOR).output
        assert said == f"{ADMINISTRATOR} {state}.\n"


def sign_out(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def test_somebody_unknown_is_told_what_to_do(page: Page, watch: Watch, service: Service) -> None:
    watch.expect("answer 403")
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with The house").click()
    page.locator("input[name=sub]").fill("eve")
    page.locator("input[name=sub]").press("Enter")
    expect(page.get_by_text("sso-unknown-person")).to_be_visible()
    expect(page.get_by_text("Ask an administrator for an invitation.")).to_be_visible()
    no_serious_faults(page)
    page.get_by_role("link", name="Back").click()
    page.wait_for_url("**/sign-in*")


def test_while_the_service_does_not_answer_all_other_pages_do(
    site: Site, page: Page, service: Service
) -> None:
    enough = threading.Event()
    service.answers["/.well-known/openid-configuration"] = dripping(enough)
    hanging = [
        threading.Thread(target=ask_quietly, args=(f"{site.url}/sign-in/sso",)) for _ in range(25)
    ]
    for each in hanging:
        each.start()
    wait_for(lambda: len(service.asked) >= AT_ONCE, "the service to be asked")
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(ADMINISTRATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/health/**")
    assert sum(each.is_alive() for each in hanging) >= AT_ONCE
    enough.set()
    for each in hanging:
        each.join(10)
    assert not any(each.is_alive() for each in hanging)


def ask_quietly(url: str) -> None:
    try:
        urlopen(url, timeout=20).close()
    except OSError:
        return
