"""What all tests share: a home of their own, and a database for those that ask for one."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything of the product reads it: no test may touch a real data directory.
_SESSION_HOME = tempfile.mkdtemp(prefix="keepstep-tests-")
os.environ["KEEPSTEP_HOME"] = _SESSION_HOME
os.environ["DJANGO_SETTINGS_MODULE"] = "keepstep.settings"
os.environ.pop("KEEPSTEP_DATABASE_URL", None)
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
# A shell lets what it starts in the background ignore interrupts, which tests send to commands.
signal.signal(signal.SIGINT, signal.default_int_handler)

import django  # noqa: E402

django.setup()

from tests import database as databases  # noqa: E402

if not os.environ.get("KEEPSTEP_SOAK"):
    # A change is judged by the same examples on every machine; a soak looks for new ones.
    settings.register_profile("same", derandomize=True)
    settings.load_profile("same")


# Files whose tests mostly wait: for a minute to begin, for a process that was frozen.
WAITING = ("test_fleet.py", "test_fleet_events.py", "test_delivery.py", "test_serve.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those that wait: some of the processes wait then, while the others compute."""
    items.sort(key=lambda item: item.path.name not in WAITING)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of the test's own, for the commands that it runs."""
    path = tmp_path / "home"
    monkeypatch.setenv("KEEPSTEP_HOME", str(path))
    return path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[None]:
    """A new SQLite database with all tables, in this process."""
    databases.new_sqlite(Path(_SESSION_HOME) / "template.sqlite3", tmp_path / "test.sqlite3")
    yield
    databases.connections.close_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each kind of database that the product can keep its calendar in, one after the other."""
    if request.param == "sqlite":
        template = Path(_SESSION_HOME) / "template.sqlite3"
        databases.new_sqlite(template, tmp_path / "test.sqlite3")
    else:
        databases.new_postgresql(databases.own("keepstep"))
    yield request.param
    databases.connections.close_all()
