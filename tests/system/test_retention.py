"""What is kept is kept for set times; who is erased is gone, to the bytes of the files."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from keepstep.cli.logs import JsonLines
from keepstep.core.decisions import RowState
from keepstep.core.errors import UsageError
from keepstep.store import erasure, runs
from keepstep.store import settings as stored
from keepstep.store.models import Appointment, History, Mail, Mailbox, Notice, Operator, Run
from keepstep.store.retention import Terms, purge_some
from keepstep.store.settings import ApplicationSettings
from keepstep_simulator import Fault, Simulator
from tests.engine import NOW, Clock, add_operator
from tests.office import TO, Office

pytestmark = pytest.mark.usefixtures("database")

ANNA, BERT = "anna.unmistakable@example.com", "bert@example.com"
SECRET = "Zanzibar-merger"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exchange(clock: Clock) -> Simulator:
    simulator = Simulator(clock=clock, seed=5)
    for email in (ANNA, BERT):
        simulator.add_mailbox(email)
        add_operator(email)
    return simulator


def meet(exchange: Simulator, email: str, subject: str, start: datetime, **more: object) -> str:
    end = start + timedelta(hours=1)
    return exchange.mailboxes[email].create(
        subject=subject, start=start, end=end, body=f"<p>{subject}</p>" * 50, **more
    )


def purge(terms: Terms, now: datetime) -> dict[str, int]:
    total: dict[str, int] = {}
    while gone := purge_some(terms, now):
        for kind, count in gone.items():
            assert count <= 500
            total[kind] = total.get(kind, 0) + count
    return total


def terms(**changed: object) -> Terms:
    return Terms.of(ApplicationSettings(**changed))  # type: ignore[arg-type]


def bytes_of_the_database() -> bytes:
    name = Path(str(connection.settings_dict["NAME"]))
    files = [name, name.with_name(name.name + "-wal"), name.with_name(name.name + "-journal")]
    return b"".join(each.read_bytes() for each in files if each.exists())


# Retention


async def test_history_runs_and_removed_rows_go_after_their_time(
    exchange: Simulator, clock: Clock
) -> None:
    kept = meet(exchange, ANNA, "kept", NOW + timedelta(days=200))
    gone = meet(exchange, ANNA, "gone", NOW + timedelta(days=200))
    async with Office(exchange, clock) as office:
        await office.run()
        exchange.mailboxes[ANNA].delete(gone)
        await office.run()
        clock.go(days=29)
        await office.run()
        assert purge(terms(), clock()) == {}
        clock.go(days=2)
        assert purge(terms(), clock()) == {"runs": 2}
        clock.go(days=60)
        assert purge(terms(), clock()) == {"history": 3, "appointments": 1, "runs": 1}
        assert [row.item_id for row in Appointment.objects.all()] == [kept]
        # What is in step stays so: nothing comes back, nothing is lost.
        assert (await office.run()).failed == 0
        assert [row.item_id for row in Appointment.objects.all()] == [kept]


async def test_past_appointments_go_only_if_it_is_set(exchange: Simulator, clock: Clock) -> None:
    meet(exchange, ANNA, "past", NOW - timedelta(days=20))
    meet(exchange, ANNA, "ahead", NOW + timedelta(days=20))
    async with Office(exchange, clock) as office:
        await office.run()
        assert purge(terms(), clock()) == {}
        assert purge(terms(past_keep_days=10), clock()) == {"appointments": 1}
        await office.run()
        assert [row.subject for row in Appointment.objects.all()] == ["ahead"]


async def test_what_is_held_for_a_decision_is_never_purged(
    exchange: Simulator, clock: Clock
) -> None:
    meet(exchange, ANNA, "held", NOW + timedelta(days=1))
    async with Office(exchange, clock) as office:
        await office.run()
    Appointment.objects.update(state=RowState.HELD)
    clock.go(days=400)
    purge(terms(past_keep_days=1), clock())
    assert Appointment.objects.count() == 1


def test_a_purge_is_done_in_small_steps() -> None:
    mailbox = Mailbox.objects.get(pk=add_operator("many@example.com"))
    History.objects.bulk_create(
        History(mailbox=mailbox, uid=str(n), item_id="x", at=NOW, what="created", rule="new")
        for n in range(1234)
    )
    later = NOW + timedelta(days=91)
    assert purge_some(terms(), later) == {"history": 500}
    assert purge(terms(), later) == {"history": 734}


async def test_sent_e_mails_and_closed_notices_go_too(exchange: Simulator, clock: Clock) -> None:
    async with Office(exchange, clock) as office:
        exchange.faults.add(Fault("error", times=None, code="ErrorMailboxMoveInProgress"))
        await office.work(minutes=40, every=5)
        exchange.faults.clear()
        await office.work(minutes=40, every=5)
    assert (Mail.objects.count(), Notice.objects.count()) == (2, 1)
    Mail.objects.update(sent=clock())
    purge(terms(), clock() + timedelta(days=91))
    assert not Mail.objects.exists()
    assert not Notice.objects.exists()


# Erasure


async def test_who_is_erased_is_in_no_byte_of_the_database(
    exchange: Simulator, clock: Clock
) -> None:
    for day in range(1, 30):
        meet(exchange, ANNA, SECRET, NOW + timedelta(days=day))
    meet(exchange, BERT, "Berts own", NOW + timedelta(days=1))
    async with Office(exchange, clock) as office:
        await office.run()
        exchange.faults.add(Fault("error", times=None, code="ErrorMailboxMoveInProgress"))
        await office.work(minutes=40, every=5)
        before = bytes_of_the_database()
        assert SECRET.encode() in before
        assert ANNA.encode() in before
        erased = await office.writer.call(erasure.erase, ANNA.upper())
        assert erased.appointments == 29
        assert await office.writer.call(erasure.forget_bytes)
    after = bytes_of_the_database()
    assert SECRET.encode() not in after
    assert ANNA.encode() not in after
    assert b"Berts own" in after
    assert [each.email for each in Operator.objects.all()] == [BERT]
    assert [entry["operator"] for entry in Mail.objects.get().entries] == [BERT]
    failures = [each["operator"] for run in Run.objects.all() for each in run.failures]
    assert set(failures) == {BERT}


async def test_an_e_mail_about_the_erased_alone_is_not_sent(
    exchange: Simulator, clock: Clock
) -> None:
    async with Office(exchange, clock) as office:
        exchange.faults.add(
            Fault("error", mailbox=ANNA, times=None, code="ErrorMailboxMoveInProgress")
        )
        await office.work(minutes=40, every=5)
        assert Mail.objects.count() == 1
        await office.writer.call(erasure.erase, ANNA)
        assert Mail.objects.count() == 0


async def test_a_round_under_way_brings_nothing_back(exchange: Simulator, clock: Clock) -> None:
    meet(exchange, ANNA, SECRET, NOW + timedelta(days=1))
    async with Office(exchange, clock) as office:
        run = await office.writer.call(runs.begin_run, "CalendarSynchronization", "command", NOW)
        await office.writer.call(erasure.erase, ANNA)
        failures = [{"operator": each, "code": "timed-out"} for each in (ANNA, BERT)]
        await office.writer.call(runs.end_run, run, NOW, {"failures": failures})
        (kept,) = Run.objects.get(pk=run).failures
        assert kept["operator"] == BERT


def test_an_unknown_address_is_refused() -> None:
    with pytest.raises(UsageError, match="no operator has the e-mail address"):
        erasure.erase("nobody@example.com")


def test_settings_that_name_the_erased_are_told() -> None:
    add_operator(ANNA)
    stored.change({"notify_sync_failure_to": f"{ANNA};x@example.com"})
    assert erasure.erase(ANNA).named_in == ("notify_sync_failure_to",)


async def test_what_a_tightened_setting_wipes_is_gone_from_the_bytes(
    exchange: Simulator, clock: Clock
) -> None:
    stored.change({"private_appointments": "full"})
    meet(exchange, ANNA, SECRET, NOW + timedelta(days=1))
    async with Office(exchange, clock) as office:
        await office.run()
        Appointment.objects.update(sensitivity="private")
        assert SECRET.encode() in bytes_of_the_database()
        await office.writer.call(stored.change, {"private_appointments": "busy-only"})
        assert SECRET.encode() not in bytes_of_the_database()


async def test_what_turns_private_is_gone_from_the_bytes(exchange: Simulator, clock: Clock) -> None:
    item = meet(exchange, ANNA, SECRET, NOW + timedelta(days=1))
    async with Office(exchange, clock) as office:
        await office.run()
        assert SECRET.encode() in bytes_of_the_database()
        exchange.mailboxes[ANNA].update(item, sensitivity="private")
        await office.run()
        assert Appointment.objects.get(mailbox__operator__email=ANNA).masked
        assert SECRET.encode() not in bytes_of_the_database()


# Logs


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """The lines that the log file would have, one JSON document each."""
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Kept()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("keepstep")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(level)


async def test_the_log_is_quiet_when_all_is_well(
    exchange: Simulator, clock: Clock, lines: list[str]
) -> None:
    meet(exchange, ANNA, SECRET, NOW + timedelta(days=1))
    async with Office(exchange, clock) as office:
        await office.run()
        (line,) = map(json.loads, lines)
        assert (line["event"], line["counts"]["created"]) == ("changed", 1)
        assert line["run"] == Run.objects.get().pk
        await office.work(minutes=60)
        assert len(lines) == 1


async def test_a_failure_is_logged_when_it_begins_and_when_it_ends(
    exchange: Simulator, clock: Clock, lines: list[str]
) -> None:
    async with Office(exchange, clock) as office:
        await office.run()
        exchange.faults.add(
            Fault("error", mailbox=ANNA, times=None, code="ErrorMailboxMoveInProgress")
        )
        await office.work(minutes=300, every=5)
        exchange.faults.clear()
        await office.work(minutes=60)
        told = [each for each in map(json.loads, lines) if each["part"] == "keepstep.sync"]
        assert [(each["event"], each["operator"]) for each in told] == [
            ("round failed", ANNA),
            ("in step again", ANNA),
        ]
        assert told[0]["code"] == "mailbox-moving"


async def test_no_appointments_text_and_no_secret_is_logged(
    exchange: Simulator, clock: Clock, lines: list[str]
) -> None:
    exchange.password = SECRET + "-password"
    for day in range(1, 5):
        meet(exchange, ANNA, SECRET, NOW + timedelta(days=day), location=SECRET)
    kinds = ("poisoned", "cut", "truncated", "login-page", "doctype", "repeated-page", "hang")
    async with Office(exchange, clock, ApplicationSettings(notify_sync_failure_to=TO)) as office:
        for kind in kinds:
            exchange.faults.add(Fault(kind, times=2))
            await office.work(minutes=20, every=5)
        exchange.faults.add(Fault("error", times=9, code="ErrorInternalServerError", text=SECRET))
        await office.work(minutes=60, every=5)
    assert len(lines) > 5
    assert SECRET not in "".join(lines)


def test_an_error_of_other_code_is_logged_without_its_words() -> None:
    def fail() -> None:
        raise ValueError(f"can't read {SECRET}")

    try:
        fail()
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("keepstep", logging.ERROR, __file__, 1, "failed", (), info)
    line = json.loads(JsonLines().format(record))
    assert line["error"] == "ValueError"
    assert line["where"][-1].endswith(" fail")
    assert SECRET not in json.dumps(line)


def test_a_line_of_the_log_is_one_line_whatever_it_holds() -> None:
    record = logging.LogRecord(
        "keepstep", logging.INFO, __file__, 1, "odd: %s", ("a\nb\u2028c\x1b[2J",), None
    )
    assert len(JsonLines().format(record).splitlines()) == 1


def test_two_purges_at_once_do_no_harm() -> None:
    mailbox = Mailbox.objects.get(pk=add_operator("many@example.com"))
    History.objects.create(
        mailbox=mailbox, uid="x", item_id="x", at=NOW, what="created", rule="new"
    )
    later = NOW + timedelta(days=91)

    async def both() -> list[dict[str, int]]:
        return await asyncio.gather(
            *(asyncio.to_thread(purge_some, terms(), later) for _ in range(2))
        )

    total = asyncio.run(both())
    assert sum(each.get("history", 0) for each in total) >= 1
    assert not History.objects.exists()
