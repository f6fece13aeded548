"""The connector for Exchange Web Services: what of which operations makes an appointment.

Only operations that read are here, and subscriptions. One request is in flight for each call; calls
for different mailboxes go on side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from keepstep.core.errors import ExchangeError
from keepstep.core.read_batch import ReadBatch, answered, was_busy
from keepstep.exchange.connector import Folder, Listing, ReadItem, Target, Unreadable
from keepstep.exchange.ews import get_folder, sync_folder_items
from keepstep.exchange.ews.asking import LARGE_ANSWER, OK, utc_now
from keepstep.exchange.ews.build import OccurrenceRead, appointment_of, occurrence_of
from keepstep.exchange.ews.get_item import BODY_ONLY, BodyForm, WireItem, items_of, items_request
from keepstep.exchange.ews.idle import IdleAnswers
from keepstep.exchange.ews.item import ItemOnWire
from keepstep.exchange.ews.notifying import SILENT_SECONDS, Notifying
from keepstep.exchange.ews.poison import asked_for
from keepstep.exchange.ews.transport import Transport
from keepstep.exchange.ews.versions import ExchangeVersion
from keepstep.exchange.ews.wire import Malformed

# What a server says, or does not say in time, that was asked for too much at once.
_TOO_MUCH = frozenset({"answer-too-large", "server-busy", "timed-out"})
# Of bodies alone a request can well ask for more than of whole items.
_BODY_BATCH = 100


class EwsConnector(Notifying):
    """Reads mailboxes over EWS, impersonating their owners. A `NotifyingConnector`.

    `read_batch` is how many whole items one request asks for (None: as many as is found to pay,
    see `core.read_batch`), never more than the batch size of each call. `now` is asked only for a
    server's pause that is given as a date. Answers of more than `offload_above` bytes are read in
    a thread (None: never). A stream without a sign of life for `silent_seconds` is given up.
    """

    def __init__(
        self,
        transport: Transport,
        version: ExchangeVersion | str,
        *,
        read_batch: int | None = None,
        now: Callable[[], datetime] = utc_now,
        offload_above: int | None = LARGE_ANSWER,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        super().__init__(
            transport,
            version,
            now=now,
            offload_above=offload_above,
            silent_seconds=silent_seconds,
        )
        self._fixed_batch = read_batch
        self._read_batch = ReadBatch()
        self._idle_answers = IdleAnswers()

    async def folder(self, target: Target) -> Folder:
        """Give the default calendar folder of the mailbox."""
        return await self._ask(target, get_folder.REQUEST, get_folder.folder_of)

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        """Give at most `batch_size` (1-512) changes since `sync_state` (None: all there is)."""
        operation = sync_folder_items.sync_request(self._dialect, sync_state, batch_size)
        raw = await self._post(target, operation)
        state = self._idle_answers.state_in(raw.body) if raw.status == OK else None
        if state is not None:
            return Listing(state, last=True, changes=())
        listing = await self._understood(
            len(raw.body), lambda: sync_folder_items.listing_of(self._read(raw), batch_size)
        )
        if listing.last and not listing.changes:
            self._idle_answers.learn(raw.body, listing.sync_state)
        return listing

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        """Read items whole, a series with its exceptions; one entry for each id asked for."""
        found: dict[str, WireItem] = {}
        textless: set[str] = set()
        waiting = list(dict.fromkeys(item_ids))
        while waiting:
            size = min(self._fixed_batch or self._read_batch.size, max(batch_size, 1))
            batch, waiting = waiting[:size], waiting[size:]
            found |= await self._items(target, batch, self._dialect.item, BodyForm.TEXT)
            textless |= await self._fill_bodies(target, found, batch, batch_size)
        occurrences = await self._occurrences(target, found, textless, batch_size)
        return {
            item_id: _made(item, item_id, target.time_zone, occurrences)
            for item_id, item in found.items()
        }

    async def _occurrences(
        self, target: Target, found: dict[str, WireItem], textless: set[str], batch_size: int
    ) -> dict[str, OccurrenceRead]:
        """Read the changed occurrences of all series found, by their own ids.

        They share requests as full as the batch size allows, so 500 cost 500 / batch size. Where
        a series itself came without a text, its occurrences likely do, and their bodies are asked
        for as they are stored, which needs no second request.
        """
        ids: dict[BodyForm, dict[str, None]] = {BodyForm.TEXT: {}, BodyForm.BEST: {}}
        for item_id, item in found.items():
            if isinstance(item, ItemOnWire) and item.is_series:
                form = BodyForm.BEST if item_id in textless else BodyForm.TEXT
                ids[form] |= {entry.item_id: None for entry in item.changed if entry.item_id}
        read: dict[str, WireItem] = {}
        for form, of_form in ids.items():
            for batch in _batches(of_form, batch_size):
                read |= await self._items(target, batch, self._dialect.occurrence, form)
                if form is BodyForm.TEXT:
                    await self._fill_bodies(target, read, batch, batch_size)
        return {
            item_id: occurrence_of(item)
            for item_id, item in read.items()
            if isinstance(item, ItemOnWire)
        }

    async def _fill_bodies(
        self, target: Target, found: dict[str, WireItem], batch: Sequence[str], batch_size: int
    ) -> set[str]:
        """Ask for the HTML of those bodies whose text came empty; give the ids of these.

        Exchange itself makes text of any body, and is believed.
        """
        if self._is_exchange:
            return set()
        empty = [item_id for item_id in batch if _lacks_body(found[item_id])]
        for part in _batches(empty, min(batch_size, _BODY_BATCH)):
            bodies = await self._items(target, part, BODY_ONLY, BodyForm.HTML)
            for item_id, html in bodies.items():
                item = found[item_id]
                if isinstance(item, ItemOnWire) and isinstance(html, ItemOnWire):
                    item.body = html.body
        return set(empty)

    async def _items(
        self, target: Target, ids: Sequence[str], properties: tuple[str, ...], body: BodyForm
    ) -> dict[str, WireItem]:
        async def ask(part: Sequence[str]) -> dict[str, WireItem]:
            return await self._batch(target, part, items_request(part, properties, body))

        return await asked_for(ask, ids, lambda: self.folder(target))

    async def _batch(
        self, target: Target, ids: Sequence[str], operation: bytes
    ) -> dict[str, WireItem]:
        """Ask for these items, and learn from it how many to ask for."""
        asked = self._read_batch.size
        try:
            raw = await self._post(target, operation)
            found = await self._understood(len(raw.body), lambda: items_of(self._read(raw), ids))
        except ExchangeError as error:
            if error.code in _TOO_MUCH:
                self._read_batch = was_busy(self._read_batch)
            raise
        self._read_batch = answered(self._read_batch, asked, len(ids), raw.seconds)
        return found


def _made(
    item: WireItem, item_id: str, time_zone: str, occurrences: dict[str, OccurrenceRead]
) -> ReadItem:
    if not isinstance(item, ItemOnWire):
        return item
    try:
        return appointment_of(item, item_id, time_zone, occurrences)
    except Malformed as fault:
        return Unreadable("item-unreadable", str(fault))


def _lacks_body(item: WireItem) -> bool:
    return isinstance(item, ItemOnWire) and not item.body


def _batches(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    everything = list(ids)
    for first in range(0, len(everything), max(size, 1)):
        yield everything[first : first + max(size, 1)]
