"""Every page, light and dark, desktop and phone: axe-core finds no serious fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.browser import (
    DESKTOP,
    PHONE,
    no_serious_faults,
    no_sideways_scrolling,
    watched,
)
from tests.web.filled import Filled, running
from tests.web.pages import ALL

REFUSALS = r"answer (403|404|410)"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A server in use: it is only looked at."""
    with running(tmp_path_factory.mktemp("accessible")) as made:
        yield made


@pytest.mark.parametrize("email", ALL, ids=lambda email: email or "nobody")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_has_a_serious_fault(
    browser: Browser, filled: Filled, size: tuple[int, int], email: str
) -> None:
    with watched(browser, filled.site.url, size) as (page, watch):
        watch.expect(REFUSALS)
        if email:
            filled.enter(page, email)
        for address in ALL[email].values():
            page.goto(address)
            page.wait_for_load_state("networkidle")
            no_serious_faults(page)
            no_sideways_scrolling(page)
