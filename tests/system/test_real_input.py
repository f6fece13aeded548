"""Calendars that another client made stand in the sales calendar, exact to the field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keepstep_simulator import SimulatorThread
from tests.system.independent import Owner, account_of, client, instant, reads_back
from tests.system.kinds import SECRET, fill
from tests.system.product import Keepstep

ANNA, BEN = "anna@example.com", "ben@example.com"
ZONES = {ANNA: "Europe/Berlin", BEN: "America/New_York"}
BEFORE, AHEAD = -150, 400


@pytest.fixture
def owners(exchange: SimulatorThread) -> Iterator[dict[str, Owner]]:
    """Anna in Berlin and Ben in New York, with empty calendars."""
    now = datetime.now(UTC)
    for email, zone in ZONES.items():
        exchange.simulator.add_mailbox(email, time_zone=zone)
    with client():
        yield {
            email: Owner(account_of(exchange, email, zone), now) for email, zone in ZONES.items()
        }


@pytest.fixture
def busy_owners(owners: dict[str, Owner]) -> dict[str, Owner]:
    """The two with appointments of all kinds."""
    fill(owners[ANNA], owners[BEN])
    fill(owners[BEN], owners[ANNA])
    return owners


def midnight(owner: Owner, number: int) -> datetime:
    day = owner.day(number)
    return datetime(day.year, day.month, day.day, tzinfo=owner.zone)


def by_time(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda each: (each["start"], each["uid"]))


def test_the_sales_calendar_equals_field_by_field_what_another_client_reads(
    keepstep: Keepstep, exchange: SimulatorThread, busy_owners: dict[str, Owner]
) -> None:
    assert sum(len(each) for each in exchange.simulator.mailboxes.values()) >= 60
    keepstep.set(private_appointments="full")
    keepstep.import_operators(f"{ANNA},{ZONES[ANNA]},", f"{BEN},{ZONES[BEN]},")
    result = keepstep.sync()
    assert (result["succeeded"], result["failures"]) == (2, [])
    for email, owner in busy_owners.items():
        window = ("--from", str(owner.day(BEFORE)), "--to", str(owner.day(AHEAD)))
        shown = keepstep.appointments(email, *window, "--include-cancelled")
        told = reads_back(owner.account, midnight(owner, BEFORE), midnight(owner, AHEAD))
        assert len(told) > 60
        for mine, theirs in zip(by_time(shown), by_time(told), strict=True):
            assert mine == theirs
        without_cancelled = [each for each in shown if each["status"] == "confirmed"]
        assert keepstep.appointments(email, *window) == without_cancelled


def test_of_private_appointments_only_the_time_is_kept_anywhere(
    keepstep: Keepstep, busy_owners: dict[str, Owner]
) -> None:
    keepstep.import_operators(f"{ANNA},{ZONES[ANNA]},")
    anna = busy_owners[ANNA]
    turned = anna.save(f"{SECRET} now open", 30, location=SECRET, body=SECRET)
    keepstep.sync()
    assert SECRET.encode() in everything_stored(keepstep)
    turned.sensitivity = "Private"
    turned.save(update_fields=["sensitivity"])
    keepstep.sync()
    found = keepstep.appointments(ANNA, "--to", str(anna.day(60)))
    private = [each for each in found if each["sensitivity"] != "normal"]
    assert sorted(each["sensitivity"] for each in private) == [
        "confidential",
        "personal",
        "private",
        "private",
    ]
    for each in private:
        assert each["subject"] == "Private appointment"
        kept = {name for name, value in each.items() if value}
        assert not kept & {"location", "body", "organizer", "attendees", "categories"}
    assert instant(anna.at(13, 17)) in {each["start"] for each in private}
    assert SECRET.encode() not in everything_stored(keepstep)


def everything_stored(keepstep: Keepstep) -> bytes:
    """All that the product keeps: database, log, whatever else is in its data directory."""
    files = [each for each in keepstep.home.rglob("*") if each.is_file()]
    assert {"keepstep.sqlite3", "keepstep.log"} <= {each.name for each in files}
    return b"".join(each.read_bytes() for each in files)


def test_nothing_of_the_window_is_lost_at_its_edges(
    keepstep: Keepstep, owners: dict[str, Owner]
) -> None:
    """The listing without dates is today and 31 days on, in the operator's own zone."""
    keepstep.set(private_appointments="full")
    keepstep.import_operators(f"{BEN},{ZONES[BEN]},")
    ben = owners[BEN]
    ben.save("Just in", 30, start=ben.at(30, 23), end=ben.at(30, 23) + timedelta(minutes=30))
    ben.save("Just out", 31, start=ben.at(31, 0), end=ben.at(31, 1))
    ben.save("The first", 0, start=ben.at(0, 0), end=ben.at(0, 0) + timedelta(minutes=5))
    ben.save("Over midnight", -1, start=ben.at(-1, 23), end=ben.at(0, 1))
    ben.save("Before", -1, start=ben.at(-1, 22), end=ben.at(0, 0))
    keepstep.sync()
    told = reads_back(ben.account, midnight(ben, 0), midnight(ben, 31))
    confirmed = [each for each in told if each["status"] == "confirmed"]
    assert by_time(keepstep.appointments(BEN)) == by_time(confirmed)
    assert [each["subject"] for each in confirmed] == ["Over midnight", "The first", "Just in"]
