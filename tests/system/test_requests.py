"""What the server is asked: no more than it must be, in the batches that are set, only to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keepstep_simulator import LogEntry, MailboxModel, SimulatorThread
from keepstep_simulator.items import Recurrence
from tests.system.product import Keepstep

ANNA, BEN = "anna@example.com", "ben@example.com"
ITEMS = 23
READING = {"GetFolder", "SyncFolderItems", "GetItem"}


@pytest.fixture
def anna(exchange: SimulatorThread) -> MailboxModel:
    return with_items(exchange, ANNA)


@pytest.fixture
def ben(exchange: SimulatorThread) -> MailboxModel:
    return with_items(exchange, BEN)


def with_items(exchange: SimulatorThread, email: str) -> MailboxModel:
    mailbox = exchange.simulator.add_mailbox(email)
    for number in range(ITEMS):
        start = datetime.now(UTC) + timedelta(days=1, hours=number)
        given = {"subject": f"Meeting {number}", "body": "Agenda"}
        mailbox.create(start=start, end=start + timedelta(hours=1), **given)
    return mailbox


@pytest.fixture
def synced(keepstep: Keepstep, anna: MailboxModel, ben: MailboxModel) -> Keepstep:
    keepstep.import_operators(f"{ANNA},Europe/Berlin,", f"{BEN},Europe/Berlin,")
    keepstep.set(batch_size="7")
    result = keepstep.sync()
    assert (result["created"], result["failures"]) == (2 * ITEMS, [])
    return keepstep


def asked(exchange: SimulatorThread, operation: str, email: str) -> list[LogEntry]:
    return exchange.simulator.requests(operation, email)


def forget(exchange: SimulatorThread) -> None:
    exchange.simulator.log.clear()


def test_the_batch_size_is_what_the_server_sees_and_the_round_loops(
    synced: Keepstep, exchange: SimulatorThread
) -> None:
    for email in (ANNA, BEN):
        pages = asked(exchange, "SyncFolderItems", email)
        assert [each.max_changes for each in pages] == [7] * 4  # 7 + 7 + 7 + 2
        assert [each.sync_state for each in pages] == [False, True, True, True]
        read = asked(exchange, "GetItem", email)
        assert [len(each.item_ids) for each in read] == [7, 7, 7, 2]
        assert {each.anchor for each in pages + read} == {email}


def test_a_second_sync_without_changes_is_one_request_for_each_mailbox(
    synced: Keepstep, exchange: SimulatorThread
) -> None:
    forget(exchange)
    result = synced.sync()
    assert [each.operation for each in exchange.simulator.log] == ["SyncFolderItems"] * 2
    assert {each.mailbox for each in exchange.simulator.log} == {ANNA, BEN}
    assert (result["succeeded"], result["requests"]) == (2, 2)
    counts = ("created", "updated", "removed", "skipped", "failed")
    assert [result[each] for each in counts] == [0] * 5


def test_after_changes_only_what_changed_is_fetched(
    synced: Keepstep, exchange: SimulatorThread, anna: MailboxModel, ben: MailboxModel
) -> None:
    renamed, moved, deleted = (each.id for each in anna.items()[:3])
    anna.update(renamed, subject="Renamed")
    start = datetime.now(UTC) + timedelta(days=9)
    anna.update(moved, start=start, end=start + timedelta(hours=1))
    anna.delete(deleted)
    made = anna.create(start=start, end=start + timedelta(hours=2), subject="New", body="B")
    forget(exchange)
    result = synced.sync()
    read = asked(exchange, "GetItem", ANNA)
    assert sorted(item for each in read for item in each.item_ids) == sorted([renamed, moved, made])
    assert asked(exchange, "GetItem", BEN) == []
    assert len(asked(exchange, "SyncFolderItems", BEN)) == 1
    assert (result["created"], result["updated"], result["removed"]) == (1, 2, 1)
    subjects = {each["subject"] for each in synced.appointments(ANNA)}
    assert {"Renamed", "New"} <= subjects
    assert not {"Meeting 0", "Meeting 2"} & subjects


def test_of_a_changed_series_its_exceptions_are_fetched_by_their_own_ids(
    synced: Keepstep, exchange: SimulatorThread, ben: MailboxModel
) -> None:
    first = (datetime.now(UTC) + timedelta(days=2)).replace(hour=10, minute=0, microsecond=0)
    daily = Recurrence("daily", first.date(), 1, count=5)
    series = ben.create(
        start=first, end=first + timedelta(hours=1), recurrence=daily, body="Agenda"
    )
    second = ben.occurrences(first + timedelta(hours=2), first + timedelta(days=30))[-4]
    assert second.original_start is not None
    ben.change_occurrence(series, second.original_start, subject="Changed")
    forget(exchange)
    synced.sync()
    first_read, then_read = asked(exchange, "GetItem", BEN)
    assert first_read.item_ids == (series,)
    assert then_read.item_ids == (ben.occurrence_id(series, second.original_start),)
    assert [each["subject"] for each in synced.appointments(BEN)].count("Changed") == 1


def test_the_server_is_only_ever_read(
    synced: Keepstep, exchange: SimulatorThread, anna: MailboxModel
) -> None:
    anna.update(anna.items()[0].id, subject="Changed")
    anna.forget_sync_states()
    synced.sync()
    synced.sync("--full")
    synced.do("verify")
    asked_for = {each.operation for each in exchange.simulator.log}
    assert asked_for >= READING
    assert asked_for <= READING | {"FindItem"}
    assert {each.code for each in exchange.simulator.log} <= {None, "ErrorInvalidSyncStateData"}
