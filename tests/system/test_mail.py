"""E-mails through a real mail server: by `testmail`, by `sync` from cron, by `serve`."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keepstep.core.errors import UsageError
from keepstep.notices.messages import MOST_NAMED, TEST, Words, words_for
from keepstep.notices.post import MailServer as Server
from keepstep.notices.post import send, server_of
from keepstep.store.notices import FAILURE, RECOVERY, Entry
from keepstep.store.setting_rules import MailSecurity
from keepstep.store.settings import ApplicationSettings
from tests.mail_server import MailServer, free_port, parts
from tests.system.product import Keepstep, wait_for
from tests.unit.ews.certificates import Authority

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TO = ("admin@example.com",)
WORDS = words_for(TEST, ())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def reached(server: MailServer) -> Server:
    return Server("127.0.0.1", server.port, MailSecurity.NONE, "keepstep@sales.example.com")


# Sending


def test_an_e_mail_has_a_text_and_an_html_part(mail_server: MailServer) -> None:
    assert send(reached(mail_server), WORDS, TO, "id1") == ""
    (mail,) = mail_server.mails
    assert mail["Subject"] == "Keepstep: test e-mail"
    assert mail["Message-ID"] == "<id1@sales.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = parts(mail)
    assert text.startswith("This is the test e-mail")
    assert html.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    "subject", ["x\nBcc: evil@example.com", "x\r\nBcc: evil@example.com", "x\rBcc: e@example.com"]
)
def test_no_header_can_be_slipped_in(mail_server: MailServer, subject: str) -> None:
    problem = send(reached(mail_server), Words(subject, "t", "h"), TO, "id")
    assert problem == "the e-mail can't be written: BadHeaderError"
    for bad in ("a@example.com\nBcc: evil@example.com", "a@example.com\r\nX: y"):
        assert send(reached(mail_server), WORDS, (bad,), "id") != ""
    assert mail_server.mails == []


def test_a_wrong_password_is_said_plainly() -> None:
    with MailServer(password="right") as signed_in:
        wrong = replace(reached(signed_in), username="keepstep", password="wrong")
        problem = send(wrong, WORDS, TO, "id")
        assert "refused smtp_username or smtp_password: 535" in problem
        assert "wrong" not in problem
        assert send(replace(wrong, password="right"), WORDS, TO, "id") == ""
        assert len(signed_in.mails) == 1


def test_a_server_that_wants_a_sign_in_is_told_from_one_that_refuses_it() -> None:
    with MailServer(password="right") as signed_in:
        assert "refused the sender" in send(reached(signed_in), WORDS, TO, "id")


@pytest.mark.parametrize("security", [MailSecurity.TLS, MailSecurity.STARTTLS])
def test_the_servers_certificate_is_verified(tmp_path: Path, security: MailSecurity) -> None:
    authority = Authority(tmp_path)
    with MailServer(**{security.value: authority.server("127.0.0.1")}) as served:
        server = replace(reached(served), security=security)
        assert "is not trusted" in send(server, WORDS, TO, "id")
        assert send(replace(server, ca_file=str(authority.file)), WORDS, TO, "id") == ""


def test_a_server_without_starttls_gets_no_password(mail_server: MailServer) -> None:
    server = replace(reached(mail_server), security=MailSecurity.STARTTLS)
    assert "does not offer STARTTLS" in send(server, WORDS, TO, "id")


def test_tls_to_a_port_without_it_is_said(mail_server: MailServer) -> None:
    server = replace(reached(mail_server), security=MailSecurity.TLS)
    assert "no TLS could be agreed on" in send(server, WORDS, TO, "id")


def test_nobody_there_and_no_such_name_are_told_apart(mail_server: MailServer) -> None:
    nobody = replace(reached(mail_server), port=free_port())
    assert "nothing listens at 127.0.0.1" in send(nobody, WORDS, TO, "id")
    nameless = replace(nobody, host="mail.invalid")
    assert "the name mail.invalid can't be found" in send(nameless, WORDS, TO, "id")


def test_a_server_that_never_speaks_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        server = Server("127.0.0.1", port, MailSecurity.NONE, "k@example.com", seconds=0.3)
        assert "did not answer within 0.3 seconds" in send(server, WORDS, TO, "id")


def test_a_server_that_breaks_off_after_taking_it_has_taken_it() -> None:
    """Else the e-mail would be sent a second time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = threading.Thread(target=_take_and_hang_up, args=(listener,))
        said.start()
        server = Server("127.0.0.1", listener.getsockname()[1], MailSecurity.NONE, "k@example.com")
        assert send(server, WORDS, TO, "id") == ""
        said.join()


def _take_and_hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 here\r\n")
        for line in lines:
            if line.upper().startswith(b"DATA"):
                connection.sendall(b"354 go\r\n")
                while lines.readline() != b".\r\n":
                    pass
                connection.sendall(b"250 taken\r\n")
                return
            connection.sendall(b"250 yes\r\n")


def test_what_a_server_says_steers_no_terminal(mail_server: MailServer) -> None:
    mail_server.refusal = "554 \x1b[2J\x07" + "long " * 90
    problem = send(reached(mail_server), WORDS, TO, "id")
    assert problem.isprintable()
    assert len(problem) < 400


def test_a_password_is_not_sent_readably_to_another_machine() -> None:
    settings = ApplicationSettings(smtp_host="mail.example.com", smtp_username="keepstep")
    with pytest.raises(UsageError, match="could be read on the way"):
        server_of(settings)
    assert server_of(replace(settings, smtp_security=MailSecurity.STARTTLS)).port == 587
    assert server_of(replace(settings, smtp_security=MailSecurity.TLS)).port == 465
    assert server_of(replace(settings, smtp_host="localhost")).port == 25


# Words


def test_operators_that_fail_alike_stand_under_one_remedy() -> None:
    entries = [Entry(f"m{n}@example.com", "timed-out", NOW) for n in range(5)]
    words = words_for(FAILURE, [*entries, Entry("x@example.com", "no-such-mailbox", NOW)])
    assert words.text.count("Exchange did not answer in time.") == 1
    assert words.text.count(", since 2026-11-24 09:00 UTC") == 6
    assert words.subject.endswith("failed for 6 operators")


def test_an_e_mail_about_thousands_stays_readable() -> None:
    entries = [Entry(f"m{n}@example.com", "timed-out", NOW) for n in range(5000)]
    for kind in (FAILURE, RECOVERY):
        words = words_for(kind, entries)
        assert f"and {5000 - MOST_NAMED} more" in words.text
        assert words.html.count("<li>") == MOST_NAMED + 1


def test_markup_in_an_address_is_inert() -> None:
    odd = Entry('"<b>x</b>"@example.com', "timed-out", NOW)
    words = words_for(FAILURE, [odd])
    assert "<b>" not in words.html
    assert "<b>x</b>" in words.text


# Commands


def told_of_mail(keepstep: Keepstep, server: MailServer) -> None:
    keepstep.set(
        smtp_host="127.0.0.1",
        smtp_port=str(server.port),
        smtp_from="keepstep@sales.example.com",
        notify_sync_failure_to="admin@example.com;boss@example.com",
    )


def long_since(keepstep: Keepstep) -> None:
    """Let what fails have failed for hours."""
    with sqlite3.connect(keepstep.home / "keepstep.sqlite3") as raw:
        raw.execute(
            "UPDATE store_mailbox SET failing_since = datetime(failing_since, '-3 hours')"
            " WHERE failing_since IS NOT NULL"
        )
    raw.close()


def test_testmail_reaches_those_who_get_failure_e_mails(
    keepstep: Keepstep, mail_server: MailServer
) -> None:
    told_of_mail(keepstep, mail_server)
    ended = keepstep.do("testmail")
    assert "admin@example.com, boss@example.com" in ended.output
    keepstep.do("testmail", "me@example.com")
    assert [each["To"] for each in mail_server.mails] == [
        "admin@example.com, boss@example.com",
        "me@example.com",
    ]


def test_testmail_says_what_is_missing_or_wrong(keepstep: Keepstep) -> None:
    ended = keepstep.run("testmail")
    assert (ended.status, "notify_sync_failure_to=" in ended.errors) == (2, True)
    ended = keepstep.run("testmail", "me@example.com")
    assert (ended.status, "smtp_host=" in ended.errors) == (2, True)
    ended = keepstep.run("testmail", "me@example.com\nBcc: x@example.com")
    assert (ended.status, "ADDRESS must be" in ended.errors) == (2, True)
    keepstep.set(smtp_host="127.0.0.1", smtp_port=str(free_port()))
    ended = keepstep.run("testmail", "me@example.com")
    assert ended.status == 1
    assert "nothing listens" in ended.errors


def test_the_mail_password_is_shown_nowhere(keepstep: Keepstep) -> None:
    keepstep.set(smtp_password="Zanzibar-password", smtp_host="127.0.0.1", smtp_username="k")
    assert keepstep.settings()["smtp_password"] == "set"
    keepstep.run("testmail", "me@example.com")
    for file in keepstep.home.rglob("*"):
        assert not file.is_file() or b"Zanzibar" not in file.read_bytes(), file


def test_sync_from_cron_sends_the_e_mails(keepstep: Keepstep, mail_server: MailServer) -> None:
    told_of_mail(keepstep, mail_server)
    keepstep.import_operators("gone@example.com,Europe/Berlin,north")
    assert keepstep.run("sync").status == 1
    assert mail_server.mails == []
    long_since(keepstep)
    keepstep.run("sync")
    assert len(mail_server.mails) == 1
    assert "no-such-mailbox" in parts(mail_server.mails[0])[0]
    keepstep.run("sync")
    assert len(mail_server.mails) == 1
    keepstep.do("operators", "disable", "gone@example.com")
    keepstep.run("sync")
    assert len(mail_server.mails) == 2


def test_sync_warns_where_an_e_mail_waits_and_no_mail_server_is_set(keepstep: Keepstep) -> None:
    keepstep.set(notify_sync_failure_to="admin@example.com")
    keepstep.import_operators("gone@example.com,Europe/Berlin,north")
    assert "mail-not-set-up" not in keepstep.run("sync").errors
    long_since(keepstep)
    ended = keepstep.run("sync", "--json")
    assert ended.json["failed"] == 1
    assert ended.errors.startswith("mail-not-set-up: 1 failure e-mail waits. No mail server is set")
    keepstep.set(smtp_host="127.0.0.1", smtp_port=str(free_port()))
    for command in (["verify"], ["jobs", "run", "CalendarSynchronization"]):
        assert (
            "mail-not-sent: 1 failure e-mail waits: nothing listens at"
            in keepstep.run(*command).errors
        )
    # It is nothing that failed in the run itself.
    keepstep.do("operators", "disable", "gone@example.com")
    assert keepstep.run("sync").status == 0


def test_serve_sends_the_e_mails(keepstep: Keepstep, mail_server: MailServer) -> None:
    told_of_mail(keepstep, mail_server)
    keepstep.import_operators("gone@example.com,Europe/Berlin,north")
    keepstep.run("sync")
    long_since(keepstep)
    keepstep.do("jobs", "enable", "CalendarSynchronization")
    with keepstep.serving():
        wait_for(lambda: len(mail_server.mails) == 1, "the failure e-mail")
        keepstep.do("operators", "disable", "gone@example.com")
        wait_for(lambda: len(mail_server.mails) == 2, "the recovery e-mail")


# Erasure, retention


def test_erase_asks_first(keepstep: Keepstep) -> None:
    keepstep.import_operators("gone@example.com,Europe/Berlin,north")
    ended = keepstep.run("erase", "gone@example.com")
    assert (ended.status, "--yes" in ended.errors) == (2, True)
    assert "gone@example.com" in keepstep.operators()
    keepstep.do("erase", "GONE@example.com", "--yes")
    assert keepstep.operators() == {}
    assert keepstep.run("erase", "gone@example.com", "--yes").status == 2


def test_purge_says_what_went(keepstep: Keepstep) -> None:
    assert keepstep.do("purge").output == "Purged: nothing\n"
