"""Taking a mailbox, and what is noted of its rounds. Every write names the fence."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from keepstep.core.errors import FenceLost
from keepstep.core.schedule import Trouble
from keepstep.store.lookups import parameter
from keepstep.store.models import Mailbox


class _Overtaken:
    """Counts, in this process, writes that were refused: another had taken the mailbox."""

    count = 0


def overtaken() -> int:
    """Give how many writes of this process were refused because of a raised fence."""
    return _Overtaken.count


@dataclass(frozen=True, slots=True)
class TakenMailbox:
    """A mailbox that this process took: what a round needs to know of it. Instants are UTC."""

    id: int
    fence: int
    email: str
    time_zone: str
    address: str
    folder_id: str
    sync_state: str
    cutoff: datetime | None
    last_success: datetime | None
    full_round: int
    in_full_round: bool
    full_round_wanted: bool
    unsettled: bool
    paused_until: datetime | None
    failure_code: str
    trouble: Trouble | None = field(kw_only=True)


# What of a mailbox is read, in the order of TakenMailbox; then what its trouble is made from.
_KNOWN = (
    "id",
    "fence",
    "operator__email",
    "operator__time_zone",
    "address",
    "folder_id",
    "sync_state",
    "cutoff",
    "last_success",
    "full_round",
    "in_full_round",
    "full_round_wanted",
    "unsettled",
    "paused_until",
    "failure_code",
)
_OF_TROUBLE = ("failures", "failing_since", "next_attempt")


def take(mailbox_ids: Sequence[int]) -> list[TakenMailbox]:
    """Raise the fence of these mailboxes and give them as they stand; who had them loses them.

    Past the object layer: each mailbox is taken once a minute, and with 100,000 of them it counts.
    """
    if connection.vendor == "postgresql":
        return _take_by_one_statement(mailbox_ids)
    ids = json.dumps(list(mailbox_ids))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE store_mailbox SET fence = fence + 1 WHERE {_LISTED}", [ids])  # noqa: S608
        cursor.execute(
            f"SELECT {_COLUMNS} FROM store_mailbox AS taken"  # noqa: S608 - constants
            f" JOIN store_operator AS operator ON operator.id = operator_id WHERE taken.{_LISTED}",
            [ids],
        )
        return [_taken(*_read_row(each)) for each in cursor.fetchall()]


_LISTED = "id IN (SELECT value FROM json_each(%s))"
_NAMES = [each.replace("operator__", "operator.") for each in (*_KNOWN[1:], *_OF_TROUBLE)]
_COLUMNS = ", ".join(["taken.id", *_NAMES])
_ALL = (*_KNOWN, *_OF_TROUBLE)
_INSTANTS = [
    _ALL.index(each)
    for each in ("cutoff", "last_success", "paused_until", "failing_since", "next_attempt")
]


def _read_row(row: Sequence[Any]) -> list[Any]:
    """Say of the instants that SQLite keeps that they are in UTC."""
    values = list(row)
    for place in _INSTANTS:
        if values[place] is not None:
            values[place] = values[place].replace(tzinfo=UTC)
    return values


def _take_by_one_statement(mailbox_ids: Sequence[int]) -> list[TakenMailbox]:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH taken AS (UPDATE store_mailbox SET fence = fence + 1"  # noqa: S608 - constants
            f" WHERE id = ANY(%s) RETURNING *) SELECT {_COLUMNS}"
            " FROM taken JOIN store_operator AS operator ON operator.id = operator_id",
            [list(mailbox_ids)],
        )
        return [_taken(*each) for each in cursor.fetchall()]


def take_ready(mailbox_ids: Sequence[int], now: datetime) -> list[TakenMailbox]:
    """Take those of the mailboxes whose calendar sync is on and that are in no pause."""
    ready = Mailbox.objects.filter(id__in=mailbox_ids, operator__calendar_sync=True)
    ready = ready.filter(Q(next_attempt__isnull=True) | Q(next_attempt__lte=now))
    return take(list(ready.values_list("id", flat=True)))


def read(mailbox_id: int, fence: int) -> TakenMailbox:
    """Give a taken mailbox as it stands now. Raises FenceLost if another has taken it since."""
    found = _known(Mailbox.objects.filter(id=mailbox_id, fence=fence))
    if not found:
        raise FenceLost
    return found[0]


def look(mailbox_id: int) -> TakenMailbox:
    """Give a mailbox as it stands, without taking it: what is stored by its fence may be lost."""
    found = _known(Mailbox.objects.filter(id=mailbox_id))
    if not found:
        raise Mailbox.DoesNotExist
    return found[0]


def _known(chosen: QuerySet[Mailbox]) -> list[TakenMailbox]:
    # Rows rather than models: of each mailbox this is asked once a minute.
    rows = chosen.values_list(*_KNOWN, *_OF_TROUBLE)
    return [_taken(*each) for each in rows]


def _taken(*known: Any) -> TakenMailbox:
    *plain, failures, since, again = known
    return TakenMailbox(*plain, trouble=_trouble(failures, since, again))


def _trouble(failures: int, since: datetime | None, again: datetime | None) -> Trouble | None:
    return None if since is None else Trouble(failures, since, again or since)


def guard(mailbox_id: int, fence: int, **changes: object) -> None:
    """Write these columns of the mailbox if the fence still stands, else raise FenceLost.

    Inside a transaction this holds the mailbox until its end.
    """
    changed = Mailbox.objects.filter(id=mailbox_id, fence=fence).update(
        **(changes or {"fence": fence})
    )
    if not changed:
        _Overtaken.count += 1
        raise FenceLost


def begin_full_round(
    mailbox_id: int, fence: int, *, address: str, folder_id: str, cutoff: datetime
) -> int:
    """Forget the sync state and give the number of the full round that begins."""
    with transaction.atomic():
        guard(
            mailbox_id,
            fence,
            sync_state="",
            full_round=F("full_round") + 1,
            in_full_round=True,
            full_round_wanted=False,
            address=address,
            folder_id=folder_id,
            cutoff=cutoff,
        )
        return Mailbox.objects.values_list("full_round", flat=True).get(id=mailbox_id)


@dataclass(frozen=True, slots=True)
class IdleNote:
    """An idle round: it succeeded, nothing had changed. `last_success` as semantics has it."""

    mailbox_id: int
    fence: int
    sync_state: str
    last_success: datetime


_IN_STEP = (
    "failures = 0, failing_since = NULL, failure_code = '', failure_detail = '',"
    " next_attempt = NULL, paused_until = NULL"
)


def note_idle(notes: Iterable[IdleNote]) -> None:
    """Note idle rounds together, each only if its fence still stands (late ones do no harm)."""
    rows = [(each.mailbox_id, each.fence, each.sync_state, each.last_success) for each in notes]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE store_mailbox SET sync_state = note.state, last_success = note.at,"  # noqa: S608
                f" {_IN_STEP} FROM unnest(%s::bigint[], %s::bigint[], %s::text[],"
                " %s::timestamptz[]) AS note (id, fence, state, at)"
                " WHERE store_mailbox.id = note.id AND store_mailbox.fence = note.fence",
                [list(each) for each in zip(*rows, strict=True)] or [[], [], [], []],
            )
        else:
            cursor.executemany(
                f"UPDATE store_mailbox SET sync_state = %s, last_success = %s, {_IN_STEP}"  # noqa: S608
                " WHERE id = %s AND fence = %s",
                [(state, parameter(at), id_, fence) for id_, fence, state, at in rows],
            )
        _Overtaken.count += len(rows) - cursor.rowcount


def note_failure(
    mailbox_id: int,
    fence: int,
    code: str,
    detail: str,
    trouble: Trouble,
    paused_until: datetime | None,
) -> None:
    """Note a failed round, when the mailbox is tried again, and a pause that Exchange named."""
    guard(
        mailbox_id,
        fence,
        failures=trouble.failures,
        failing_since=trouble.since,
        failure_code=code,
        failure_detail=detail[:500],
        next_attempt=trouble.next_attempt,
        paused_until=paused_until,
    )


@dataclass(frozen=True, slots=True)
class NotTried:
    """A mailbox that was due while the server, or the account, is paused: why, till when."""

    mailbox_id: int
    fence: int
    code: str
    detail: str
    trouble: Trouble


def note_not_tried(notes: Iterable[NotTried]) -> None:
    """Note together mailboxes that were not tried, each only if its fence still stands."""
    rows = [
        (
            note.trouble.failures,
            parameter(note.trouble.since),
            note.code,
            note.detail[:500],
            parameter(note.trouble.next_attempt),
            note.mailbox_id,
            note.fence,
        )
        for note in notes
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE store_mailbox SET failures = %s, failing_since = %s, failure_code = %s,"
            " failure_detail = %s, next_attempt = %s WHERE id = %s AND fence = %s",
            rows,
        )
        _Overtaken.count += len(rows) - cursor.rowcount


SUCCESS: dict[str, object] = {
    "failures": 0,
    "failing_since": None,
    "failure_code": "",
    "failure_detail": "",
    "next_attempt": None,
    "paused_until": None,
}
