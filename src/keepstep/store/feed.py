"""The changes feed: what became of appointments, in an order that never changes, without gaps.

It is the history, read by cursor. By SQLite, which has one writer, the order of its ids is that of
the commits. By PostgreSQL rows are read in the order of their transactions and ids, and only those
of transactions below the lowest that is still at work: whatever commits later comes later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Max

from keepstep.core.errors import KeepstepError
from keepstep.core.feed import EVENTS, Cursor, Event, Position, read_cursor
from keepstep.core.roles import is_withheld
from keepstep.store.models import Appointment, History
from keepstep.store.seen import SeenOperator

MOST = 5000
_SQLITE = "s"
_LAST = 2**63 - 1
# So many rows without an entry are read at most before the cursor is given back.
_PAGES_AT_ONCE = 4
_COLUMNS = '"xact", "id", "mailbox_id", "uid", "at", "what"'
_TABLE = History._meta.db_table


class Change(NamedTuple):
    """An entry: which meeting (UID) of which mailbox, what became of it, and when (UTC)."""

    mailbox: int
    uid: str
    at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Portion:
    """Some entries in order, the cursor after them, and whether more are there to be read."""

    changes: list[Change]
    cursor: Cursor
    more: bool


class _Row(NamedTuple):
    xact: int
    id: int
    mailbox: int
    uid: str
    at: datetime
    what: str


def beginning(now: datetime) -> Cursor:
    """Give the cursor before the oldest entry that is kept."""
    return Cursor(source(), Position(), now)


def end(now: datetime) -> Cursor:
    """Give the cursor after which everything comes that is not yet to be read."""
    if connection.vendor == "postgresql":
        return Cursor(source(), Position(_horizon() - 1, _LAST), now)
    return Cursor(source(), Position(0, _last_id()), now)


def open_cursor(text: str, now: datetime, kept: timedelta) -> Cursor:
    """Read a reader's cursor, where history is kept for so long.

    Raises KeepstepError: `cursor-unknown` for what is none, `cursor-too-old` where entries after
    it may be gone, or where the database is another one than counted then.
    """
    cursor = read_cursor(text)
    if cursor is None:
        raise KeepstepError("cursor-unknown")
    here = source()
    moved_here = cursor.source == _SQLITE and cursor.position.xact == 0
    if cursor.source != here and not moved_here:
        raise KeepstepError("cursor-too-old", "the database is another one now")
    if cursor.is_too_old(now, kept):
        raise KeepstepError("cursor-too-old", f"history is kept for {kept.days} days")
    if here == _SQLITE and cursor.position.row > _last_id():
        raise KeepstepError("cursor-too-old", "the database was restored from a back-up")
    return Cursor(here, cursor.position, cursor.given)


def read(cursor: Cursor, limit: int, now: datetime, among: Collection[int] | None) -> Portion:
    """Give at most `limit` (up to `MOST`) entries after the cursor.

    `among` are the mailboxes whose entries are wanted, None: all. Read again from the same cursor
    it gives the same, and perhaps more.
    """
    position, more = cursor.position, True
    found: list[Change] = []
    for _ in range(_PAGES_AT_ONCE):
        rows, more = _after(position, limit - len(found))
        if rows:
            position = Position(rows[-1].xact, rows[-1].id)
        found += [
            Change(each.mailbox, each.uid, each.at, EVENTS[each.what])
            for each in rows
            if each.what in EVENTS and (among is None or each.mailbox in among)
        ]
        if not more or len(found) >= limit:
            break
    return Portion(found, Cursor(cursor.source, position, now), more)


def masked(changes: Iterable[Change], members: Sequence[SeenOperator]) -> list[Change]:
    """Give the changes as one may hear of them who sees so much of these calendars.

    A cancelled appointment whose details are withheld is not shown at all: it is removed.
    """
    told = list(changes)
    sights = {each.operator.mailbox.pk: each.sight for each in members}
    cancelled = {each[:2] for each in told if each.event is Event.CANCELLED}
    if not cancelled:
        return told
    rows = Appointment.objects.filter(
        mailbox__in={mailbox for mailbox, _ in cancelled}, uid__in={uid for _, uid in cancelled}
    )
    private = {
        (mailbox, uid)
        for mailbox, uid, sensitivity in rows.values_list("mailbox_id", "uid", "sensitivity")
        if mailbox in sights and is_withheld(sights[mailbox], sensitivity)
    }
    return [
        each._replace(event=Event.REMOVED)
        if each.event is Event.CANCELLED and each[:2] in private
        else each
        for each in told
    ]


def source() -> str:
    """Name what counts the entries: a cursor of one database means nothing to another."""
    if connection.vendor != "postgresql":
        return _SQLITE
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier, (SELECT oid FROM pg_database"
            " WHERE datname = current_database()) FROM pg_control_system()"
        )
        system, database = cursor.fetchone()
    return f"p{system}-{database}"


def _after(position: Position, limit: int) -> tuple[list[_Row], bool]:
    """Give rows after a position in the order of the feed, and whether there are more."""
    if connection.vendor == "postgresql":
        return _after_by_transaction(position, limit)
    rows = _rows('"id" > %s', [position.row], '"id"', limit)
    return rows, len(rows) == limit


def _after_by_transaction(position: Position, limit: int) -> tuple[list[_Row], bool]:
    if position.xact == 0:
        # Rows moved from SQLite, if any are left: they are older than all others, and in order.
        oldest = _rows('"id" > %s', [position.row], '"id"', limit)
        moved = [each for each in oldest if each.xact == 0]
        if moved:
            return moved, True
    condition = (
        '"xact" > 0 AND ("xact", "id") > (%s, %s)'
        " AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    )
    rows = _rows(condition, [position.xact, position.row], '"xact", "id"', limit)
    return rows, len(rows) == limit


def _rows(condition: str, values: list[int], order: str, limit: int) -> list[_Row]:
    statement = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE {condition} ORDER BY {order} LIMIT %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, limit])
        found = cursor.fetchall()
    if connection.vendor == "sqlite":
        # Of what it reads of SQLite without its models Django gives instants without their zone.
        return [
            _Row(xact, number, mailbox, uid, at.replace(tzinfo=UTC), what)
            for xact, number, mailbox, uid, at, what in found
        ]
    return [_Row._make(row) for row in found]


def _horizon() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


def _last_id() -> int:
    # The highest id ever given, though its row may have been purged.
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [_TABLE])
        row = cursor.fetchone()
    return int(row[0]) if row else History.objects.aggregate(last=Max("id"))["last"] or 0
