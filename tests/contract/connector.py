"""What every connector keeps to, whatever it speaks: run against each by a subclass.

A subclass gives a connector that reads a `Simulator`, by `connector()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from keepstep.core.appointment import Appointment, Sensitivity
from keepstep.core.errors import ExchangeError
from keepstep.core.failures import FAILURES
from keepstep.exchange.connector import (
    ChangeKind,
    Connector,
    Gone,
    ItemKind,
    Target,
    Unreadable,
)
from keepstep_simulator import Fault, MailboxModel, Recurrence, Simulator
from tests.contract.harness import HOUR, NINE, OPERATOR, TARGET
from tests.contract.reading import ReadingContract


class ConnectorContract(ReadingContract):
    """All tests of the contract."""

    # The folder

    async def test_the_folder_is_the_same_each_time(self, reader: Connector) -> None:
        folder = await reader.folder(TARGET)
        assert folder.id
        assert folder.name == "Calendar"
        assert await reader.folder(TARGET) == folder

    # Listings

    async def test_an_empty_calendar_is_one_empty_last_page(self, reader: Connector) -> None:
        listing = await reader.changes(TARGET, None, 10)
        assert (listing.last, listing.changes) == (True, ())
        assert listing.sync_state

    @pytest.mark.parametrize("size", [1, 3, 7, 512])
    async def test_pages_are_bounded_and_name_each_item_once(
        self, reader: Connector, made: Callable[..., str], size: int
    ) -> None:
        ids = [made(subject=f"number {number}") for number in range(10)]
        listings = await self.whole(reader, None, size)
        assert all(len(listing.changes) <= size for listing in listings)
        assert sorted(self.listed(listings)) == sorted(ids)
        assert all(one.kind is ChangeKind.CREATE for page in listings for one in page.changes)

    async def test_nothing_new_is_an_empty_last_page(
        self, reader: Connector, made: Callable[..., str]
    ) -> None:
        made()
        state = (await reader.changes(TARGET, None, 10)).sync_state
        listing = await reader.changes(TARGET, state, 10)
        assert (listing.last, listing.changes) == (True, ())

    async def test_only_what_changed_is_listed_and_how(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        made(subject="stays")
        changed, gone = made(subject="changes"), made(subject="goes")
        state = (await reader.changes(TARGET, None, 10)).sync_state
        mailbox.update(changed, subject="changed")
        mailbox.delete(gone)
        new = made(subject="comes")
        listing = await reader.changes(TARGET, state, 10)
        assert {one.item_id: one.kind for one in listing.changes} == {
            changed: ChangeKind.UPDATE,
            gone: ChangeKind.DELETE,
            new: ChangeKind.CREATE,
        }

    async def test_a_listing_says_what_decides_whether_to_read_an_item(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        single = made(sensitivity="private")
        series = made(recurrence=Recurrence("daily", NINE.date()))
        listing = await reader.changes(TARGET, None, 10)
        told = {one.item_id: one for one in listing.changes}
        assert told[single].item_kind is ItemKind.SINGLE
        assert told[series].item_kind is ItemKind.SERIES
        assert told[single].sensitivity is Sensitivity.PRIVATE
        for item in mailbox.items():
            one = told[item.id]
            assert (one.uid, one.start, one.end) == (item.uid, item.start, item.end)
            assert (one.change_key, one.last_modified) == (item.change_key, item.modified)

    async def test_a_changed_occurrence_shows_as_an_update_of_its_series(
        self, reader: Connector, mailbox: MailboxModel, made: Callable[..., str]
    ) -> None:
        series = made(recurrence=Recurrence("daily", NINE.date(), count=5))
        state = (await reader.changes(TARGET, None, 10)).sync_state
        mailbox.change_occurrence(series, NINE + timedelta(days=1), subject="other")
        listing = await reader.changes(TARGET, state, 10)
        assert [(one.kind, one.item_id) for one in listing.changes] == [(ChangeKind.UPDATE, series)]

    async def test_a_state_that_the_server_forgot_is_told(
        self, reader: Connector, mailbox: MailboxModel
    ) -> None:
        state = (await reader.changes(TARGET, None, 10)).sync_state
        mailbox.forget_sync_states()
        assert await self.failure(reader.changes(TARGET, state, 10)) == "sync-state-refused"

    # What goes wrong

    async def test_one_bad_item_never_spoils_the_others(
        self, reader: Connector, server: Simulator, made: Callable[..., str]
    ) -> None:
        ids = [made(subject=f"number {number}") for number in range(5)]
        server.faults.add(
            Fault("item-error", "GetItem", times=None, item_id=ids[1], code="ErrorItemCorrupt"),
            Fault("poisoned", "GetItem", times=None, item_id=ids[3]),
        )
        read = await reader.appointments(TARGET, ids, 10)
        for bad in (ids[1], ids[3]):
            one = read[bad]
            assert isinstance(one, Unreadable)
            assert one.code == "item-unreadable"
            assert "number" not in one.detail
        assert all(isinstance(read[good], Appointment) for good in (ids[0], ids[2], ids[4]))

    async def test_an_item_gone_while_it_is_read_is_gone(
        self, reader: Connector, server: Simulator, made: Callable[..., str]
    ) -> None:
        ids = [made(), made()]
        server.faults.add(Fault("deleted-meanwhile", "GetItem"))
        read = await reader.appointments(TARGET, ids, 10)
        assert isinstance(read[ids[0]], Gone)
        assert isinstance(read[ids[1]], Appointment)

    async def test_a_mailbox_that_is_not_there_is_told(self, reader: Connector) -> None:
        nobody = Target("nobody@example.com")
        assert await self.failure(reader.folder(nobody)) == "no-such-mailbox"
        assert await self.failure(reader.changes(nobody, None, 10)) == "no-such-mailbox"

    async def test_a_refused_impersonation_is_told(
        self, reader: Connector, server: Simulator
    ) -> None:
        server.may_not_impersonate.add(OPERATOR)
        assert await self.failure(reader.folder(TARGET)) == "impersonation-refused"

    @pytest.mark.parametrize(
        "status", ["ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable"]
    )
    async def test_a_mailbox_that_can_not_be_read_now_is_told(
        self, reader: Connector, server: Simulator, status: str
    ) -> None:
        server.faults.add(Fault("error", code=status))
        code = await self.failure(reader.changes(TARGET, None, 10))
        assert FAILURES[code].passes_by_itself

    @pytest.mark.parametrize("kind", ["busy-503", "busy-fault", "busy-inner"])
    @pytest.mark.parametrize("what", ["listing", "items"])
    async def test_a_busy_server_is_an_error_with_its_pause_and_never_an_empty_answer(
        self,
        reader: Connector,
        server: Simulator,
        made: Callable[..., str],
        kind: str,
        what: str,
    ) -> None:
        one = made()
        server.faults.add(Fault(kind, back_off_ms=7000, retry_after=7))
        questions: dict[str, Coroutine[Any, Any, object]] = {
            "listing": reader.changes(TARGET, None, 10),
            "items": reader.appointments(TARGET, [one], 10),
        }
        with pytest.raises(ExchangeError) as busy:
            await questions.pop(what)
        for unasked in questions.values():
            unasked.close()
        assert busy.value.code == "server-busy"
        assert busy.value.pause == timedelta(seconds=7)

    async def test_many_mailboxes_are_read_side_by_side(
        self, reader: Connector, server: Simulator
    ) -> None:
        mailboxes = [server.add_mailbox(f"operator{number}@example.com") for number in range(20)]
        ids = {
            each.email: each.create(start=NINE, end=NINE + HOUR, subject=each.email)
            for each in mailboxes
        }
        found = await asyncio.gather(
            *(reader.appointments(Target(address), [one], 10) for address, one in ids.items())
        )
        subjects = [one.details.subject for each in found for one in self.appointments(each)]
        assert subjects == list(ids)

    async def test_exchange_is_only_read(
        self, reader: Connector, server: Simulator, made: Callable[..., str]
    ) -> None:
        made(recurrence=Recurrence("daily", NINE.date()))
        await reader.folder(TARGET)
        await self.read_all(reader)
        assert {entry.operation for entry in server.requests()} <= {
            "GetFolder",
            "SyncFolderItems",
            "GetItem",
        }
