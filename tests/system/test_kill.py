"""A first round killed again and again ends as if it had never been disturbed."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from keepstep_simulator import MailboxModel, Occurrence, SimulatorThread
from tests.system.product import Keepstep, wait_for

ITEMS = 2_000
KILLS = 10
SEEDS = range(10 if os.environ.get("KEEPSTEP_SOAK") else 1)
Shown = tuple[str, str, str, str, str]
DAY = timedelta(days=1)


@pytest.fixture
def anna(exchange: SimulatorThread) -> MailboxModel:
    (mailbox,) = exchange.simulator.seed_calendars(1, ITEMS)
    return mailbox


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_kills_in_a_first_round_of_2000_items_lose_nothing_and_double_nothing(
    keepstep: Keepstep, exchange: SimulatorThread, anna: MailboxModel, seed: int
) -> None:
    keepstep.import_operators(f"{anna.email},UTC,")
    keepstep.set(private_appointments="full", batch_size="50")
    luck = random.Random(seed)
    for number, (requests, seconds) in enumerate(moments(luck)):
        print(f"seed {seed}, kill {number}: after {requests} requests and {seconds * 1000:.0f} ms")
        kill_in_mid_round(keepstep, exchange, requests, seconds)
        assert count(keepstep, "SELECT count(*) FROM store_mailbox WHERE last_success > 0") == 0
    begun = count(keepstep, "SELECT count(*) FROM store_appointment")
    assert 0 < begun < len(anna)
    begin = datetime.now(UTC)
    result = keepstep.sync()
    assert (result["succeeded"], result["failures"]) == (1, [])
    assert datetime.now(UTC) - begin < timedelta(seconds=20), "something was waited for"
    assert shown(keepstep, anna) == truth(anna)
    assert_no_row_is_double(keepstep)
    assert keepstep.sync()["requests"] == 1
    keepstep.sync("--full")
    assert shown(keepstep, anna) == truth(anna)
    assert_no_row_is_double(keepstep)


def moments(luck: random.Random) -> Iterator[tuple[int, float]]:
    """When to kill: after so many requests of that life, and so many seconds more.

    A page is a request for the listing and one for its items, so most lives see part of a page.
    """
    for _ in range(KILLS):
        yield luck.randint(1, 5), luck.random() * 0.08


def kill_in_mid_round(
    keepstep: Keepstep, exchange: SimulatorThread, requests: int, seconds: float
) -> None:
    exchange.simulator.log.clear()
    process = keepstep.start("sync", "--json")
    wait_for(lambda: len(list(exchange.simulator.log)) >= requests, "the round", every=0.002)
    time.sleep(seconds)
    assert process.poll() is None, f"it ended before it was killed: {process.communicate()}"
    process.kill()
    process.communicate()


def truth(anna: MailboxModel) -> list[Shown]:
    first, last = window()
    happenings = anna.occurrences(first - DAY, last + DAY)
    found = [(each.item.uid, *when(each), each.item.subject or "") for each in happenings]
    return sorted(each for each in found if first.isoformat() < each[2] < last.isoformat())


def when(happening: Occurrence) -> tuple[str, str, str]:
    """Recurrence id ("" for none), start and end as the contract has them."""
    original = rfc3339(happening.original_start) if happening.original_start else ""
    if not happening.item.all_day:
        return original, rfc3339(happening.start), rfc3339(happening.end)
    zone = happening.item.start_zone.tz
    first, last = (each.astimezone(zone).date() for each in (happening.start, happening.end))
    return original, str(first), str(last)


def shown(keepstep: Keepstep, anna: MailboxModel) -> list[Shown]:
    first, last = window()
    days = ("--from", str((first - DAY).date()), "--to", str((last + DAY).date()))
    entries = keepstep.appointments(anna.email, *days, "--include-cancelled")
    found = [
        (each["uid"], each["recurrence_id"] or "", each["start"], each["end"], each["subject"])
        for each in entries
    ]
    return sorted(each for each in found if first.isoformat() < each[2] < last.isoformat())


def window() -> tuple[datetime, datetime]:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=170), today + timedelta(days=200)


def rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def assert_no_row_is_double(keepstep: Keepstep) -> None:
    doubles = "SELECT uid FROM store_appointment GROUP BY uid, start HAVING count(*) > 1"
    assert count(keepstep, f"SELECT count(*) FROM ({doubles})") == 0


def count(keepstep: Keepstep, query: str) -> int:
    with sqlite3.connect(keepstep.home / "keepstep.sqlite3") as database:
        return int(database.execute(query).fetchone()[0])
