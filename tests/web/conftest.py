"""What tests of the pages begin with: a client for their logic, a server and a browser for walks.

`client_of(account)` asks the application in this process, over the `database` of the test: quick,
for what a page answers. `site`, `page` and `watch` are a running server, a page in a real browser
and what went wrong there, for what a person does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page

from keepstep.core.roles import Role
from keepstep.store import accounts, operators
from keepstep.store.models import Account, Operator
from tests.system.conftest import exchange
from tests.web import site as sites
from tests.web.browser import Watch, chromium, watched
from tests.web.calendars import add_operator

__all__ = ["exchange"]


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an operator and an account of each role, to copy."""
    return sites.prepare(tmp_path_factory.mktemp("prepared") / "home")


@pytest.fixture
def site(prepared_home: Path, tmp_path: Path) -> Iterator[sites.Site]:
    """A running server of the test's own."""
    with sites.serving(prepared_home, tmp_path / "site") as serving:
        yield serving


# Of the module, not of the session: see tests.web.browser.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture
def _watched(browser: Browser, site: sites.Site) -> Iterator[tuple[Page, Watch]]:
    with watched(browser, site.url) as opened:
        yield opened


@pytest.fixture
def page(_watched: tuple[Page, Watch]) -> Page:
    """An empty page, nobody signed in: `page.goto("/health/")`, `site.sign_in(page)`."""
    return _watched[0]


@pytest.fixture
def watch(_watched: tuple[Page, Watch]) -> Watch:
    """What goes wrong on `page`; say by `watch.expect(pattern)` what is meant to."""
    return _watched[1]


@pytest.fixture
def administrator(database: None) -> Account:
    """An administrator, in the database of the test."""
    return accounts.create(sites.ADMINISTRATOR, Role.ADMINISTRATOR)


@pytest.fixture
def operator(database: None) -> Account:
    """An operator with an account: Anna, of the access group West, in Berlin's time."""
    fields = {"name": "Anna Adler", "access_group": "West", "time_zone": "Europe/Berlin"}
    operators.add(sites.OPERATOR, fields)
    return accounts.create(sites.OPERATOR, Role.OPERATOR)


@pytest.fixture
def auditor(database: None) -> Account:
    """An auditor, in the database of the test."""
    return accounts.create(sites.AUDITOR, Role.AUDITOR)


@pytest.fixture
def client_of() -> Callable[[Account | None], Client]:
    """Give a client in which somebody (None: nobody) has signed in, and which checks no CSRF."""

    def signed_in(account: Account | None) -> Client:
        client = Client(raise_request_exception=True)
        if account is not None:
            client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def anna(operator: Account) -> Operator:
    """Anna, of West, who has an account."""
    assert operator.operator
    return operator.operator


@pytest.fixture
def ben(database: None) -> Operator:
    """Ben, of West."""
    return add_operator("ben@example.com", "Ben Bauer", "West", "America/New_York")
