"""The changes feed: in an order that never changes, without gaps, on each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event as Signal
from threading import Thread

import pytest
from django.db import connection, transaction

from keepstep.core.appointment import Sensitivity
from keepstep.core.decisions import What
from keepstep.core.errors import KeepstepError
from keepstep.core.feed import Cursor, Event, Position, read_cursor
from keepstep.core.skip import Policy, PrivateAppointments
from keepstep.store import feed, models, retention
from keepstep.store.bulk import insert_history
from keepstep.store.scrub import scrub_private
from tests.engine import NOW, add_operator
from tests.store.worker import Worker, deleted, meeting

KEPT = timedelta(days=90)

pytestmark = pytest.mark.usefixtures("any_database")
# SQLite has one writer: nothing is written there beside an open transaction.
only_postgresql = pytest.mark.parametrize("any_database", ["postgresql"], indirect=True)


@pytest.fixture
def mailbox() -> int:
    return add_operator("anna@example.com")


def write(mailbox: int, *uids: str, what: What = What.CREATED) -> None:
    """Write entries as a page does."""
    insert_history([(mailbox, uid, f"item {uid}", NOW, what.value, "unchanged") for uid in uids])


def follow(cursor: Cursor, limit: int = 100) -> tuple[list[str], Cursor]:
    """Read to the end; give the UIDs and the cursor there."""
    found: list[str] = []
    while True:
        portion = feed.read(cursor, limit, NOW, None)
        found += [each.uid for each in portion.changes]
        cursor = portion.cursor
        if not portion.more:
            return found, cursor


@contextmanager
def open_writer(mailbox: int, uid: str) -> Iterator[Callable[[], None]]:
    """Write an entry in a transaction of another thread, committed by calling what is given."""
    written, commit = Signal(), Signal()

    def work() -> None:
        with transaction.atomic():
            write(mailbox, uid)
            written.set()
            commit.wait(10)
        connection.close()

    thread = Thread(target=work)
    thread.start()
    assert written.wait(10)

    def finish() -> None:
        commit.set()
        thread.join(10)

    try:
        yield finish
    finally:
        finish()


@only_postgresql
def test_what_commits_later_comes_later_though_it_was_written_first(mailbox: int) -> None:
    begin = feed.beginning(NOW)
    with open_writer(mailbox, "early") as commit:
        write(mailbox, "late")  # committed at once, with a higher id
        seen, cursor = follow(begin)
        assert seen == []
        commit()
    assert follow(cursor)[0] == ["early", "late"]
    assert follow(begin)[0] == ["early", "late"]


@only_postgresql
def test_of_two_open_transactions_neither_is_missed_whichever_commits_first(mailbox: int) -> None:
    cursor, seen = feed.beginning(NOW), []
    with open_writer(mailbox, "a") as commit_a, open_writer(mailbox, "b") as commit_b:
        latest = feed.end(NOW)
        commit_b()
        more, cursor = follow(cursor)
        seen += more
        commit_a()
        more, cursor = follow(cursor)
        seen += more
    assert seen == ["a", "b"]
    assert follow(latest)[0] == ["a", "b"]


def test_read_while_many_write_nothing_is_missed_and_nothing_comes_twice(mailbox: int) -> None:
    def writer(name: int) -> None:
        for number in range(40):
            with transaction.atomic():
                write(mailbox, f"{name}-{number}-x", f"{name}-{number}-y")
        connection.close()

    seen: list[str] = []
    cursor = feed.beginning(NOW)
    with ThreadPoolExecutor(3) as pool:
        tasks: list[Future[None]] = [pool.submit(writer, name) for name in range(3)]
        while not all(each.done() for each in tasks):
            more, cursor = follow(cursor, limit=7)
            seen += more
        for each in tasks:
            each.result()
    seen += follow(cursor)[0]
    assert len(seen) == len(set(seen)) == 3 * 40 * 2
    assert follow(feed.beginning(NOW))[0] == seen


def test_read_twice_it_says_the_same(mailbox: int) -> None:
    write(mailbox, *map(str, range(10)))
    first = feed.read(feed.beginning(NOW), 4, NOW, None)
    write(mailbox, "more")
    assert feed.read(feed.beginning(NOW), 4, NOW, None) == first
    assert first.more


def test_what_changes_no_calendar_is_passed_over_without_end(mailbox: int) -> None:
    write(mailbox, *map(str, range(30)), what=What.SKIPPED)
    write(mailbox, "seen")
    assert follow(feed.beginning(NOW), limit=5)[0] == ["seen"]


def test_a_page_tells_what_it_created_changed_and_removed(mailbox: int) -> None:
    worker = Worker(mailbox)
    worker.bring(meeting("a"), meeting("b"), last=False)
    cursor = feed.end(NOW)
    later = replace(meeting("a"), change_key="2", end=meeting("a").end + timedelta(hours=1))
    worker.bring(later, last=False)
    worker.store(worker.decide([deleted("b")], {}), last=False)
    worker.settle()
    told = feed.read(cursor, 10, NOW, None).changes
    assert [(each.uid, each.event) for each in told] == [
        (meeting("a").uid, Event.CHANGED),
        (meeting("b").uid, Event.REMOVED),
    ]
    whole = feed.read(feed.beginning(NOW), 10, NOW, None).changes
    assert [each.event for each in whole][:2] == [Event.CREATED, Event.CREATED]


def test_a_rolled_back_page_leaves_nothing_in_the_feed(mailbox: int) -> None:
    with transaction.atomic():
        write(mailbox, "never")
        transaction.set_rollback(True)
    write(mailbox, "ever")
    assert follow(feed.beginning(NOW))[0] == ["ever"]


def test_a_tightened_setting_and_retention_are_told_too(mailbox: int) -> None:
    private = replace(meeting("p").details, sensitivity=Sensitivity.PRIVATE)
    worker = Worker(mailbox, Policy(private_appointments=PrivateAppointments.FULL))
    worker.bring(replace(meeting("p"), details=private))
    cursor = feed.end(NOW)
    scrub_private(PrivateAppointments.BUSY_ONLY, NOW)
    scrub_private(PrivateAppointments.SKIP, NOW)
    told = [each.event for each in feed.read(cursor, 10, NOW, None).changes]
    assert told == [Event.CHANGED, Event.REMOVED]

    over = meeting("over")
    Worker(mailbox).bring(over)
    cursor = feed.end(NOW)
    terms = retention.Terms(KEPT, KEPT, timedelta(days=1))
    retention.purge_some(terms, NOW + timedelta(days=60))
    told = [(each.uid, each.event) for each in feed.read(cursor, 10, NOW, None).changes]
    assert told == [(over.uid, Event.REMOVED)]


def test_a_cursor_older_than_history_is_kept_is_refused_and_a_younger_one_is_not(
    mailbox: int,
) -> None:
    text = feed.end(NOW).text()
    assert feed.open_cursor(text, NOW + KEPT / 2, KEPT).position == feed.end(NOW).position
    with pytest.raises(KeepstepError) as refused:
        feed.open_cursor(text, NOW + KEPT, KEPT)
    assert refused.value.code == "cursor-too-old"


def test_a_cursor_of_another_database_is_refused_but_one_moved_from_sqlite_goes_on(
    mailbox: int, any_database: str
) -> None:
    for other in ("p17-1", "p999-5"):
        with pytest.raises(KeepstepError) as refused:
            feed.open_cursor(Cursor(other, Position(5, 5), NOW).text(), NOW, KEPT)
        assert refused.value.code == "cursor-too-old"
    write(mailbox, "a", "b", "c")
    if any_database == "postgresql":
        # As `keepstep move` copies them.
        models.History.objects.update(xact=0)
    first = models.History.objects.order_by("id").values_list("id", flat=True)[0]
    old = Cursor("s", Position(0, first), NOW).text()
    write(mailbox, "d")
    assert follow(feed.open_cursor(old, NOW, KEPT), limit=2)[0] == ["b", "c", "d"]


def test_after_a_restored_back_up_of_sqlite_the_cursor_is_refused(
    mailbox: int, any_database: str
) -> None:
    write(mailbox, "a")
    ahead = Cursor(feed.source(), Position(0, feed_end() + 5), NOW).text()
    if any_database == "sqlite":
        with pytest.raises(KeepstepError, match="cursor-too-old"):
            feed.open_cursor(ahead, NOW, KEPT)


def feed_end() -> int:
    return int(models.History.objects.order_by("-id").values_list("id", flat=True)[0])


@pytest.mark.parametrize("text", ["", "x", "MS5z", "1.s.0.0.0", "Ñ", "MS5zLjAuLTEuMA", "=" * 9])
def test_what_is_no_cursor_is_refused(mailbox: int, text: str) -> None:
    assert read_cursor(text) is None
    with pytest.raises(KeepstepError, match="cursor-unknown"):
        feed.open_cursor(text, NOW, KEPT)
