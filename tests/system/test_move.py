"""Moving a filled installation from SQLite to PostgreSQL: nothing is lost, nothing begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.apps import apps

from keepstep.store.models import Identity
from keepstep.store.moving import LEFT_BEHIND, moved_models
from keepstep_simulator import SimulatorThread
from tests import database
from tests.system.product import Keepstep

NAME = database.own("keepstep_moved")
CHANGED = "m0@example.com"


class Moved(Keepstep):
    """The installation in the same home, with the calendar in PostgreSQL."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"KEEPSTEP_DATABASE_URL": url()}


def url() -> str:
    return urlunsplit(urlsplit(database.server())._replace(path=f"/{NAME}"))


def ask(statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url(), autocommit=True) as there:
        return there.execute(statement).fetchall()


@pytest.fixture(autouse=True)
def empty_postgresql() -> Iterator[None]:
    with psycopg.connect(database.server(), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{NAME}"')
    yield
    with psycopg.connect(database.server(), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')


@pytest.fixture
def filled(keepstep: Keepstep, exchange: SimulatorThread) -> Keepstep:
    emails = [f"m{number}@example.com" for number in range(5)]
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    for email in emails:
        box = exchange.simulator.add_mailbox(email)
        for hour in range(4):
            begin = start + timedelta(hours=hour)
            box.create(start=begin, end=begin + timedelta(hours=1), subject=f"Früh {hour}")
    keepstep.import_operators(*(f"{each},Europe/Berlin,Nord" for each in emails))
    assert keepstep.sync()["created"] == 20
    exchange.call(lambda: change(exchange))
    keepstep.sync()
    return keepstep


def change(exchange: SimulatorThread) -> None:
    box = exchange.simulator.mailboxes[CHANGED]
    items = list(box.items())
    box.update(items[0].id, subject="Changed")
    box.delete(items[1].id)


def calendars(product: Keepstep) -> dict[str, object]:
    return {email: product.appointments(email) for email in product.operators()}


def jobs(product: Keepstep) -> dict[str, dict[str, Any]]:
    """Give the jobs, but for when they run next, which each minute changes."""
    return {
        name: {key: each for key, each in job.items() if key not in ("next_run", "next_runs")}
        for name, job in product.jobs().items()
    }


def test_what_was_there_is_there_and_the_next_round_is_no_full_round(
    filled: Keepstep, exchange: SimulatorThread
) -> None:
    before = (filled.settings(), filled.operators(), jobs(filled), calendars(filled))
    changed = next(each for each in filled.appointments(CHANGED) if each["subject"] == "Changed")
    question = ("explain", changed["uid"], "--operator", CHANGED)
    explained = filled.do(*question).output
    said = filled.do("move", "--to", url())
    assert "each was read back and is equal" in said.output

    moved = Moved(filled.home)
    moved.do("migrate")
    assert (moved.settings(), moved.operators(), jobs(moved), calendars(moved)) == before
    assert moved.do(*question).output == explained

    exchange.call(exchange.simulator.log.clear)
    done = moved.sync()
    assert (done["succeeded"], done["failed"], done["created"]) == (5, 0, 0)
    requests = list(exchange.simulator.log)
    assert {each.operation for each in requests} == {"SyncFolderItems"}
    assert all(each.sync_state for each in requests), "a mailbox was read from its beginning"


def test_new_rows_get_numbers_of_their_own(filled: Keepstep, exchange: SimulatorThread) -> None:
    filled.do("move", "--to", url())
    moved = Moved(filled.home)
    exchange.simulator.add_mailbox("new@example.com")
    moved.import_operators("new@example.com,UTC,")
    box = exchange.simulator.mailboxes["new@example.com"]
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    exchange.call(
        lambda: box.create(start=start, end=start + timedelta(hours=1), subject="First of all")
    )
    assert moved.sync()["created"] == 1


def test_every_table_is_moved_or_listed_as_left_behind() -> None:
    # Those of django-allauth, which some other test may have loaded, have no tables.
    every = {each for each in apps.get_models(include_auto_created=True) if each._meta.managed}
    assert set(moved_models()) | LEFT_BEHIND == every
    assert Identity in moved_models()


def test_a_file_that_is_in_use_is_not_moved(filled: Keepstep) -> None:
    with filled.serving():
        refused = filled.run("move", "--to", url())
    assert refused.status == 2
    assert "is in use: stop keepstep serve" in refused.errors
    assert ask("SELECT to_regclass('store_operator')") == [(None,)]
    filled.do("move", "--to", url())


def test_a_database_that_holds_operators_is_left_as_it_is(filled: Keepstep) -> None:
    filled.do("move", "--to", url())
    moved = Moved(filled.home)
    before = calendars(moved)
    refused = filled.run("move", "--to", url())
    assert refused.status == 2
    assert "holds operators or people" in refused.errors
    assert calendars(moved) == before


@contextmanager
def refusing(table: str) -> Iterator[None]:
    """Let PostgreSQL keep of this table what it is not given: the copy reads otherwise."""
    ask_nothing = psycopg.connect(url(), autocommit=True)
    with ask_nothing as there:
        there.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.subject := 'spoiled'; RETURN NEW; END $$"
        )
        there.execute(
            f"CREATE TRIGGER spoil BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
    yield


def test_a_copy_that_reads_otherwise_is_not_kept(filled: Keepstep) -> None:
    Moved(filled.home).do("migrate")
    with refusing("store_appointment"):
        refused = filled.run("move", "--to", url())
    assert refused.status == 2
    assert "store_appointment reads otherwise there than here" in refused.errors
    assert ask("SELECT count(*) FROM store_operator") == [(0,)]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "Connection refused"),
        ("sqlite:////tmp/other.sqlite3", "must begin with postgresql://"),
        ("mysql://host/none", "must begin with sqlite:/// or postgresql://"),
        ("postgresql://host", "lacks the database's name"),
        ("postgresql://host:port/none", "the port is no number"),
    ],
)
def test_an_address_that_leads_nowhere_is_named(
    keepstep: Keepstep, address: str, said: str
) -> None:
    refused = keepstep.run("move", "--to", address)
    assert refused.status == 2
    assert said in refused.errors
    assert refused.errors.count("\n") == 1
