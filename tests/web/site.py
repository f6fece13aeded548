"""A running Keepstep for the tests of the pages: `keepstep serve` over a home of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from tests.mail_server import free_port
from tests.system.product import COMMAND, LONGEST_COMMAND, Keepstep, terminate, wait_for

ADMINISTRATOR = "admin@example.com"
OPERATOR = "anna@example.com"
AUDITOR = "audit@example.com"
PASSWORD = "a long pass phrase, 7 words in all"
END_WITHIN = 15


class Site:
    """A running server. `url` is where its pages are, `product` runs commands in its home."""

    def __init__(self, product: Keepstep, url: str) -> None:
        self.product = product
        self.url = url

    def link(self, email: str) -> str:
        """Give a one-time address that signs somebody in."""
        printed = self.product.do("people", "link", email, "--sign-in").output
        path = printed.splitlines()[-1].partition("/enter/")[2]
        return f"{self.url}/enter/{path}"

    def sign_in(self, page: Page, email: str = ADMINISTRATOR) -> None:
        """Sign somebody in by a one-time address; the page shows where that leads."""
        page.goto(self.link(email))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/enter/" not in url)


def prepare(home: Path) -> Path:
    """Fill a data directory with an operator (Anna, of the access group West) and three accounts.

    The administrator has a password; the others are let in by links.
    """
    product = Keepstep(home)
    product.do("migrate")
    _with_input(product, PASSWORD, "createadmin", "--email", ADMINISTRATOR, "--password-stdin")
    product.do(
        *("operators", "add", OPERATOR, "name=Anna Adler", "access_group=West"),
        "time_zone=Europe/Berlin",
    )
    product.do("people", "invite", OPERATOR)
    product.do("people", "invite", AUDITOR, "--role", "auditor")
    return home


@contextmanager
def serving(prepared: Path, home: Path) -> Iterator[Site]:
    """Run a server over a copy of the prepared data directory while the block runs."""
    shutil.copytree(prepared, home)
    product = Keepstep(home)
    port = free_port()
    log = home / "serve.out"
    with log.open("w") as output:
        process = subprocess.Popen(
            [COMMAND, "serve", "--bind", f"127.0.0.1:{port}"],
            env=product.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            wait_for(lambda: _is_up(process, port, log), "serve to listen")
            yield Site(product, f"http://127.0.0.1:{port}")
        finally:
            if process.poll() is None:
                terminate(process, END_WITHIN)


def _is_up(process: subprocess.Popen[str], port: int, log: Path) -> bool:
    assert process.poll() is None, f"serve ended: {log.read_text()}"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _with_input(product: Keepstep, text: str, *arguments: str) -> None:
    subprocess.run(
        [COMMAND, *arguments],
        env=product.environment,
        input=text,
        text=True,
        check=True,
        capture_output=True,
        timeout=LONGEST_COMMAND,
    )
