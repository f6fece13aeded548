"""A real browser for the tests of the pages: the machine's own Chromium, watched closely.

Playwright's synchronous interface keeps an event loop running in its thread: a module of tests
that ask for `page` can't have asynchronous tests beside them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response
from playwright.sync_api import sync_playwright as playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = (1280, 800)
PHONE = (390, 844)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

# What a browser says by itself of an answer that a test may well have asked for.
_OF_AN_ANSWER = "Failed to load resource: the server responded with a status of"
# A page that is left takes back what it was about to ask.
_TAKEN_BACK = "net::ERR_ABORTED"
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")


def executable() -> str:
    """Give the path of the machine's Chromium; fail loudly where there is none."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise AssertionError(
        "The tests of the pages need Chromium: run them by make test, or install it"
        " (Debian: apt-get install chromium) as one of " + ", ".join(NAMES) + "."
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser, without a window."""
    with playwright() as started:
        browser = started.chromium.launch(
            executable_path=executable(), args=["--disable-dev-shm-usage", "--lang=en"]
        )
        yield browser
        browser.close()


class Watch:
    """Notes all that goes wrong in a page: errors in the console, refusals by the policy, failed
    requests, answers of 4xx to anything but the page itself, 5xx to all, requests elsewhere.

    A test that means something to go wrong says so before by `expect`.
    """

    def __init__(self, origin: str) -> None:
        self.troubles: list[str] = []
        self._host = urlsplit(origin).netloc
        self._expected: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """Take troubles that the pattern is found in for what the test wants."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """Give what went wrong and was not expected."""
        return [
            trouble
            for trouble in self.troubles
            if not any(each.search(trouble) for each in self._expected)
        ]

    def attend(self, context: BrowserContext) -> None:
        """Listen to all pages of the context."""
        context.on("console", self._said)
        context.on("weberror", lambda error: self.troubles.append(f"error: {error.error}"))
        context.on("request", self._asked)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_OF_AN_ANSWER):
            self.troubles.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != self._host:
            self.troubles.append(f"asked elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != _TAKEN_BACK:
            self.troubles.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        page_itself = response.request.resource_type == "document"
        if response.status >= 500 or (
            response.status >= 400 and response.status != 422 and not page_itself
        ):
            self.troubles.append(
                f"answer {response.status}: {response.request.method} {response.url}"
            )


@contextmanager
def watched(
    browser: Browser, origin: str, size: tuple[int, int] = DESKTOP, theme: Theme = "light"
) -> Iterator[tuple[Page, Watch]]:
    """Open a page in a profile of its own; addresses without host are the origin's.

    What went wrong on it and was not expected fails the test at the end.
    """
    width, height = size
    context = browser.new_context(
        base_url=origin,
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(15_000)
    watch = Watch(origin)
    watch.attend(context)
    page = context.new_page()
    try:
        yield page, watch
    finally:
        context.close()
    assert not watch.unexpected(), "\n".join(["on the pages:", *watch.unexpected()])


def no_serious_faults(page: Page, themes: tuple[Theme, ...] = THEMES) -> None:
    """Fail where axe-core finds a serious or critical fault on the page, light or dark."""
    assert AXE.exists(), f"axe-core is missing ({AXE.parent}): make install-dev brings it."
    found = []
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        found += [f"{theme}: {each}" for each in _faults(page)]
    assert found == [], "\n".join([f"on {page.url}:", *found])


def no_sideways_scrolling(page: Page) -> None:
    """Fail where the page is wider than its window."""
    wide, window = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= window, f"{page.url} is {wide} wide in a window of {window}"


def _faults(page: Page) -> Iterator[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"runOnly": {"type": "tag", "values": list(_RULES)}, "resultTypes": ["violations"]}
    result: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    for each in result["violations"]:
        if each["impact"] in {"serious", "critical"}:
            where = "; ".join(_where(node) for node in each["nodes"][:5])
            yield f"{each['id']} ({each['help']}): {where}"


def _where(node: dict[str, Any]) -> str:
    reasons = [each["message"] for each in (*node["any"], *node["all"], *node["none"])]
    return f"{' '.join(map(str, node['target']))} [{' / '.join(reasons)}]"
