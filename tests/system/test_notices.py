"""The right people hear once of what failed, in words they can act on, and once that it is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from keepstep.core.failures import FAILURES
from keepstep.notices.outbox import trouble
from keepstep.store import notices, operators
from keepstep.store.models import Mail, Notice
from keepstep.store.settings import ApplicationSettings
from keepstep_simulator import Fault, Simulator
from tests.engine import Clock, add_operator
from tests.mail_server import MailServer, parts
from tests.office import TO, Office

pytestmark = pytest.mark.usefixtures("database")

ANNA, BERT, CARL = "anna@example.com", "bert@example.com", "carl@example.com"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def exchange(clock: Clock) -> Simulator:
    simulator = Simulator(clock=clock, seed=5)
    for email in (ANNA, BERT, CARL):
        simulator.add_mailbox(email).create(
            subject="Secret takeover",
            start=clock() + timedelta(days=1),
            end=clock() + timedelta(days=1, hours=1),
        )
        add_operator(email)
    return simulator


def settings_for(server: MailServer, **changed: object) -> ApplicationSettings:
    settings = ApplicationSettings(
        notify_sync_failure_to=TO,
        smtp_host="127.0.0.1",
        smtp_port=server.port,
        smtp_from="keepstep@sales.example.com",
    )
    return replace(settings, **changed)  # type: ignore[arg-type]


def fail(exchange: Simulator, *emails: str, code: str = "ErrorMailboxMoveInProgress") -> None:
    for email in emails:
        exchange.faults.add(Fault("error", mailbox=email, times=None, code=code))


async def test_the_whole_life_of_an_episode(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        await office.run()
        fail(exchange, ANNA)
        fail(exchange, BERT, code="ErrorNonExistentMailbox")
        await office.work(minutes=30)
        assert mail_server.mails == []
        shown = {each.email: each.status for each in operators.listing(clock())}
        assert shown == {ANNA: "retrying", BERT: "retrying", CARL: "in_step"}

        await office.work(minutes=2)
        (mail,) = mail_server.mails
        assert mail["To"] == "admin@example.com"
        assert mail["From"] == "keepstep@sales.example.com"
        assert mail["Subject"] == "Keepstep: calendar synchronization failed for 2 operators"
        for part in parts(mail):
            for word in (ANNA, BERT, "mailbox-moving", "no-such-mailbox", "2026-11-24 09:01 UTC"):
                assert word in part
            assert FAILURES["no-such-mailbox"].message in part
            assert CARL not in part
        shown = {each.email: each.status for each in operators.listing(clock())}
        assert shown == {ANNA: "failed", BERT: "failed", CARL: "in_step"}

        await office.work(minutes=600, every=10)
        assert len(mail_server.mails) == 1

        exchange.faults.clear()
        fail(exchange, BERT, code="ErrorNonExistentMailbox")
        await office.work(minutes=60, every=5)
        assert len(mail_server.mails) == 1, "one of the two still fails"

        exchange.faults.clear()
        await office.work(minutes=120, every=5)
        assert len(mail_server.mails) == 2
        recovery = mail_server.mails[1]
        assert recovery["Subject"] == "Keepstep: calendar synchronization works again"
        assert ANNA in parts(recovery)[0]
        assert BERT in parts(recovery)[1]

        await office.work(minutes=120, every=5)
        assert len(mail_server.mails) == 2


async def test_a_server_that_is_down_makes_one_e_mail_for_all(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        await office.run()
        exchange.faults.add(Fault("lost-request", times=None))
        await office.work(minutes=90)
        (mail,) = mail_server.mails
        assert all(email in parts(mail)[0] for email in (ANNA, BERT, CARL))
        assert parts(mail)[0].count(FAILURES["connection-refused"].remedy) == 1
        exchange.faults.clear()
        await office.work(minutes=30)
        assert len(mail_server.mails) == 2


async def test_what_passes_in_time_is_not_told(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        for _ in range(5):
            fail(exchange, ANNA)
            await office.work(minutes=15)
            exchange.faults.clear()
            await office.work(minutes=20)
        assert mail_server.mails == []


async def test_one_that_fails_again_later_is_a_new_episode(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        for _ in range(2):
            fail(exchange, ANNA)
            await office.work(minutes=40)
            exchange.faults.clear()
            await office.work(minutes=40)
        subjects = [mail["Subject"].rpartition(" ")[2] for mail in mail_server.mails]
        assert subjects == ["operator", "again", "operator", "again"]


async def test_one_that_fails_later_gets_an_e_mail_of_its_own(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        fail(exchange, ANNA)
        await office.work(minutes=40)
        fail(exchange, BERT)
        await office.work(minutes=40)
        first, second = (parts(mail)[0] for mail in mail_server.mails)
        assert ANNA in first
        assert BERT in second
        assert ANNA not in second


async def test_switching_an_operator_off_ends_the_episode(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        fail(exchange, ANNA)
        await office.work(minutes=40)
        await office.writer.call(operators.switch, [ANNA], on=False)
        await office.work(minutes=1)
        assert len(mail_server.mails) == 2
        await office.writer.call(operators.switch, [ANNA], on=True)
        await office.work(minutes=40)
        assert len(mail_server.mails) == 3, "on again and failing, it is a new episode"


async def test_an_outage_of_the_mail_server_delays_and_doubles_nothing(
    exchange: Simulator, clock: Clock
) -> None:
    down = MailServer()
    async with Office(exchange, clock, settings_for(down)) as office:
        fail(exchange, ANNA)
        await office.work(minutes=90)
        waiting = Mail.objects.get()
        assert waiting.sent is None
        assert 3 <= waiting.attempts <= 7
        assert "nothing listens" in waiting.problem
        with down as server:
            await office.work(minutes=70)
            assert len(server.mails) == 1
            assert server.mails[0]["Message-ID"].startswith(f"<{waiting.message_id}@")
            exchange.faults.clear()
            await office.work(minutes=70)
            assert len(server.mails) == 2


async def test_a_refused_e_mail_is_tried_again_under_the_same_id(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        mail_server.refusal = "451 come again\r\n later"
        fail(exchange, ANNA)
        await office.work(minutes=40)
        waiting = Mail.objects.get()
        assert "451" in waiting.problem
        assert "\n" not in waiting.problem
        mail_server.refusal = ""
        await office.work(minutes=70)
        assert [each["Message-ID"] for each in mail_server.mails] == [
            f"<{waiting.message_id}@sales.example.com>"
        ]


async def test_an_e_mail_that_nobody_takes_is_given_up_after_days(
    exchange: Simulator, clock: Clock
) -> None:
    async with Office(exchange, clock, settings_for(MailServer())) as office:
        fail(exchange, ANNA)
        await office.work(minutes=60 * 24 * 4, every=60)
        mail = Mail.objects.get()
        assert mail.given_up is not None
        assert mail.attempts <= 80
        assert mail.entries == []


async def test_without_a_mail_server_it_is_logged_once_that_an_e_mail_waits(
    exchange: Simulator, clock: Clock, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Office(exchange, clock, settings_for(mail_server, smtp_host="")) as office:
        fail(exchange, ANNA)
        await office.work(minutes=60, every=5)
        told = [each for each in caplog.records if each.name == "keepstep.mail"]
        assert [each.getMessage() for each in told] == [
            "e-mail not sent: no mail server is set: keepstep settings set smtp_host=…"
        ]
        found = trouble(office.settings, await office.writer.call(notices.outbox))
        assert found is not None
        assert found.code == "mail-not-set-up"
        assert found.message.startswith("1 failure e-mail waits. No mail server is set")
        office.settings = settings_for(mail_server)
        await office.work(minutes=5, every=5)
        assert len(mail_server.mails) == 1
        assert trouble(office.settings, await office.writer.call(notices.outbox)) is None


async def test_why_e_mails_wait_is_told_in_the_words_of_the_mail_server(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        mail_server.refusal = "451 come again"
        fail(exchange, ANNA)
        await office.work(minutes=40)
        found = trouble(office.settings, await office.writer.call(notices.outbox))
        assert found is not None
        assert found.code == "mail-not-sent"
        assert found.message.startswith("1 failure e-mail waits: 127.0.0.1:")
        assert found.message.endswith("451 come again.")


async def test_that_an_e_mail_was_given_up_is_logged(
    exchange: Simulator, clock: Clock, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Office(exchange, clock, settings_for(mail_server, smtp_host="")) as office:
        fail(exchange, ANNA)
        await office.work(minutes=60 * 24 * 4, every=60)
        told = [each.getMessage() for each in caplog.records if each.name == "keepstep.mail"]
        assert told[1:] == ["1 e-mails given up, after waiting for days"]
        assert Mail.objects.get().given_up is not None


async def test_two_processes_send_an_e_mail_once(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    settings = settings_for(mail_server)
    async with Office(exchange, clock, settings) as serve, Office(exchange, clock) as command:
        fail(exchange, ANNA)
        for _ in range(40):
            clock.go(minutes=1)
            await serve.run()
        command.settings = settings
        assert await serve.send() + await command.send() == 1
        assert len(mail_server.mails) == 1


async def test_a_restart_neither_forgets_nor_repeats(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        fail(exchange, ANNA)
        await office.work(minutes=40)
        office.start_anew()
        await office.work(minutes=120, every=5)
        assert len(mail_server.mails) == 1
        exchange.faults.clear()
        office.start_anew()
        await office.work(minutes=30)
        assert len(mail_server.mails) == 2


async def test_nobody_to_tell_leaves_it_to_be_told_later(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    silent = settings_for(mail_server, notify_sync_failure_to=())
    async with Office(exchange, clock, silent) as office:
        fail(exchange, ANNA)
        await office.work(minutes=60)
        assert not Notice.objects.exists()
        office.settings = settings_for(mail_server)
        await office.work(minutes=2)
        assert len(mail_server.mails) == 1


async def test_e_mails_go_to_everybody_on_the_list(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    two = ("one@example.com", "two@example.com")
    settings = settings_for(mail_server, notify_sync_failure_to=two)
    async with Office(exchange, clock, settings) as office:
        fail(exchange, ANNA)
        await office.work(minutes=40)
        assert mail_server.envelopes[0].rcpt_tos == list(two)


async def test_no_e_mail_holds_an_appointments_text(
    exchange: Simulator, clock: Clock, mail_server: MailServer
) -> None:
    async with Office(exchange, clock, settings_for(mail_server)) as office:
        await office.run()
        exchange.faults.add(
            Fault("error", times=None, code="ErrorMailboxMoveInProgress", text="Secret takeover")
        )
        await office.work(minutes=40)
        assert len(mail_server.mails) == 1
        for written in (*parts(mail_server.mails[0]), mail_server.mails[0].as_string()):
            assert "takeover" not in written
