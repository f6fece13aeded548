"""A database that is full, or locked by another program: the failure `database-unavailable`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.db import connection

from keepstep.core.errors import StoreError
from keepstep.store import settings
from keepstep.store.models import Setting
from keepstep.store.writer import guarded

pytestmark = pytest.mark.usefixtures("database", "home")


@pytest.fixture
def pragma() -> Iterator[None]:
    yield
    connection.close()


def fill() -> None:
    for number in range(200):
        Setting.objects.create(name=f"filler{number}", value="x" * 5000)


def failure_of_filling() -> str:
    with pytest.raises(StoreError) as raised:
        guarded(fill)
    return raised.value.code


@pytest.mark.usefixtures("pragma")
def test_a_full_database() -> None:
    settings.change({"username": "svc"})
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 10}")
    assert failure_of_filling() == "database-unavailable"
    assert settings.load().username == "svc"


@pytest.mark.usefixtures("pragma")
def test_a_locked_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    name = str(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert failure_of_filling() == "database-unavailable"
        other.execute("ROLLBACK")
    guarded(fill)
    assert Setting.objects.count() == 200
