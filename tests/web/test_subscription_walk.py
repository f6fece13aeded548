"""In a real browser, against a real server: an address is made, read and revoked; a download."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page

from tests.feeds.reader import parsed
from tests.web.browser import Watch
from tests.web.site import OPERATOR, Site


def read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return bytes(answer.read())


def test_an_operator_subscribes_revokes_and_exports(site: Site, page: Page, watch: Watch) -> None:
    site.sign_in(page, OPERATOR)
    page.goto("/calendar/")
    page.get_by_role("link", name="Subscribe").click()
    page.get_by_role("button", name="Make the address").click()
    address = page.get_by_label("Address").input_value()
    assert address.startswith(site.url)
    assert parsed(read(address))["NAME"] == "Anna Adler"

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("The address was revoked").wait_for()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(address)

    page.goto("/calendar/")
    page.get_by_role("link", name="Export").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download").click()
    file = Path(started.value.path()).read_bytes()
    assert started.value.suggested_filename.endswith(".xlsx")
    sheet = load_workbook(io.BytesIO(file)).worksheets[0]
    assert (sheet["A1"].value, sheet.max_row) == ("operator", 1)
