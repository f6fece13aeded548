"""Pictures of every page: `python -m tests.web.screenshots FOLDER` (see `make screenshots`)."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("KEEPSTEP_HOME", tempfile.mkdtemp(prefix="keepstep-screenshots-"))

from tests.web.browser import DESKTOP, PHONE, Theme, chromium, watched
from tests.web.filled import Filled, running
from tests.web.pages import ALL

SIZES: tuple[tuple[str, tuple[int, int], Theme], ...] = (
    ("desktop", DESKTOP, "light"),
    ("phone", PHONE, "light"),
    ("dark", DESKTOP, "dark"),
)


def main(folder: Path) -> None:
    """Fill a server with made-up data, and take every page at each size."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch)) as filled:
        _take_all(filled, folder)


def _take_all(filled: Filled, folder: Path) -> None:
    with chromium() as browser:
        for name, size, theme in SIZES:
            for email, pages in ALL.items():
                with watched(browser, filled.site.url, size, theme) as (page, watch):
                    watch.expect("answer (403|404|410)")
                    if email:
                        filled.enter(page, email)
                    for title, address in pages.items():
                        page.goto(address)
                        page.wait_for_load_state("networkidle")
                        page.screenshot(path=folder / f"{title}-{name}.png")
                        print(folder / f"{title}-{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots"))
