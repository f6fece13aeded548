"""The browser of these tests itself: it must not overlook what it is there to see."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.browser import no_serious_faults, no_sideways_scrolling, watched

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"
PAGES = {
    "/good": "<main><h1>Good</h1></main>",
    "/inline": "<main><h1>Bad</h1><script>document.title = 'run'</script></main>",
    "/style": "<main><h1 style='color: red'>Bad</h1></main>",
    "/missing": "<main><h1>Bad</h1><img src='/nowhere.png' alt=''></main>",
    "/throws": "<main><h1>Bad</h1><script src='/throws.js'></script></main>",
    "/elsewhere": "<main><h1>Bad</h1><img src='http://127.0.0.2:9/picture.png' alt=''></main>",
    "/unlabelled": "<main><h1>Bad</h1><form><input type='text'></form></main>",
    "/wide": "<main><h1>Bad</h1><pre>" + "wide " * 500 + "</pre></main>",
    "/throws.js": "throw new Error('on purpose')",
}


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers with the pages above."""

    def do_GET(self) -> None:
        body = PAGES.get(self.path)
        self.send_response(404 if body is None else 200)
        script = self.path.endswith(".js")
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        title = "" if script else "<!DOCTYPE html><html lang='en'><title>Page</title>"
        self.wfile.write((title + (body or "")).encode())

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_page_without_fault_passes(browser: Browser, origin: str) -> None:
    with watched(browser, origin) as (page, _):
        page.goto("/good")
        no_serious_faults(page)
        no_sideways_scrolling(page)


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        ("/inline", "Content Security Policy"),
        ("/style", "Content Security Policy"),
        ("/missing", "answer 404"),
        ("/throws", "on purpose"),
        ("/elsewhere", "asked elsewhere"),
    ],
)
def test_a_page_where_something_goes_wrong_fails_its_test(
    browser: Browser, origin: str, path: str, trouble: str
) -> None:
    def look() -> None:
        with watched(browser, origin) as (page, _):
            page.goto(path)

    with pytest.raises(AssertionError, match=trouble):
        look()


def test_what_is_meant_to_go_wrong_fails_no_test(browser: Browser, origin: str) -> None:
    with watched(browser, origin) as (page, watch):
        watch.expect("answer 404: GET .*/nowhere.png")
        page.goto("/missing")


def test_an_input_without_a_label_is_a_serious_fault(browser: Browser, origin: str) -> None:
    with watched(browser, origin) as (page, _):
        page.goto("/unlabelled")
        with pytest.raises(AssertionError, match="label"):
            no_serious_faults(page)


def test_a_page_wider_than_its_window_is_noticed(browser: Browser, origin: str) -> None:
    with watched(browser, origin) as (page, _):
        page.goto("/wide")
        with pytest.raises(AssertionError, match="wide in a window of"):
            no_sideways_scrolling(page)
