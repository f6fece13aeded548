"""Forgotten passwords and invitations by e-mail: the same answer for all, no link in the store."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from keepstep.notices.outbox import deliver
from keepstep.store import account_mails, accounts
from keepstep.store.erasure import erase
from keepstep.store.links import Purpose, path_of
from keepstep.store.models import Account, Mail
from keepstep.store.settings import change, load
from keepstep.store.writer import Writer
from keepstep.web.accounts.reset import THREAD
from tests.mail_server import MailServer, parts
from tests.web.site import ADMINISTRATOR, AUDITOR, OPERATOR, PASSWORD

SITE = "https://keepstep.example.com"
NOW = datetime.now(UTC)
FIELDS = {"password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def mail_server(database: None) -> Iterator[MailServer]:
    with MailServer() as server:
        change(
            {
                "site_url": SITE,
                "smtp_host": "127.0.0.1",
                "smtp_port": str(server.port),
                "smtp_security": "none",
                "smtp_from": "keepstep@example.com",
            }
        )
        yield server


def ask(email: str, **more: str) -> tuple[int, str]:
    answer = Client(**more).post("/reset", {"email": email})  # type: ignore[arg-type]
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join()
    return answer.status_code, re.sub(r'"X-CSRFToken": "\w+"', "", answer.content.decode())


def waiting(kind: str = "reset") -> list[Mail]:
    return list(Mail.objects.filter(kind=kind, sent=None, given_up=None).order_by("pk"))


async def send() -> int:
    async with Writer() as writer:
        return await deliver(writer, load(), lambda: datetime.now(UTC))


def link_in(server: MailServer) -> str:
    """The link of the last e-mail, the same in its text and its HTML part."""
    text, html = parts(server.mails[-1])
    found = re.findall(rf"{SITE}(/\S+)", text)
    assert len(found) == 1
    assert f'href="{SITE}{found[0]}"' in html
    return str(found[0])


def test_the_answer_is_the_same_whether_the_address_is_known(
    mail_server: MailServer, administrator: Account, auditor: Account
) -> None:
    accounts.switch(auditor, on=False)
    emails = [ADMINISTRATOR.upper(), "nobody@example.com", AUDITOR]
    answers = {ask(email) for email in emails}
    assert {status for status, _ in answers} == {200}
    assert len(answers) == 1
    assert [each.recipients for each in waiting()] == [[ADMINISTRATOR]]


def test_nothing_that_lets_somebody_in_waits_in_the_outbox(
    mail_server: MailServer, administrator: Account
) -> None:
    ask(ADMINISTRATOR)
    (mail,) = waiting()
    assert mail.entries == [{"site": SITE}]
    for part in mail.message_id.split("."):
        assert re.fullmatch("[0-9a-f]+", part)


async def test_the_link_sets_a_password_once(
    mail_server: MailServer, administrator: Account
) -> None:
    accounts.set_password(administrator, "a long pass phrase of before")
    ask(ADMINISTRATOR)
    assert await send() == 1
    assert mail_server.envelopes[-1].rcpt_tos == [ADMINISTRATOR]
    link = link_in(mail_server)
    assert link.startswith("/reset/")
    assert Client().post(link, FIELDS).status_code == 302
    assert accounts.find(ADMINISTRATOR).check_password(PASSWORD)
    assert Client().post(link, FIELDS).status_code == 410


async def test_a_link_is_fresh_however_long_its_e_mail_waited(
    mail_server: MailServer, administrator: Account
) -> None:
    ask(ADMINISTRATOR)
    Mail.objects.update(created=NOW - timedelta(hours=5))
    await send()
    link = link_in(mail_server)
    assert Client().get(link).status_code == 200


def test_an_address_gets_three_an_hour_and_no_more(
    mail_server: MailServer, administrator: Account, auditor: Account
) -> None:
    for _ in range(5):
        ask(ADMINISTRATOR)
        ask(f" {ADMINISTRATOR.upper()}")
    assert len(waiting()) == 3
    ask(AUDITOR)
    assert len(waiting()) == 4
    Mail.objects.update(created=NOW - timedelta(minutes=61))
    ask(ADMINISTRATOR)
    assert len(waiting()) == 5


async def test_what_was_sent_counts_too(mail_server: MailServer, administrator: Account) -> None:
    for _ in range(3):
        ask(ADMINISTRATOR)
    assert await send() == 3
    ask(ADMINISTRATOR)
    assert waiting() == []


async def test_who_was_switched_off_meanwhile_gets_no_link(
    mail_server: MailServer, administrator: Account, auditor: Account
) -> None:
    ask(AUDITOR)
    accounts.switch(auditor, on=False)
    assert await send() == 0
    assert mail_server.mails == []
    assert waiting() == []


async def test_an_invitation_lets_in_and_is_not_sent_when_it_was_used_already(
    mail_server: MailServer, administrator: Account, operator: Account, auditor: Account
) -> None:
    account_mails.put_invitations([operator, auditor], "", NOW)
    accounts.set_password(auditor, PASSWORD)
    assert await send() == 1
    assert mail_server.envelopes[-1].rcpt_tos == [OPERATOR]
    assert Client().post(link_in(mail_server), FIELDS).status_code == 302


def test_an_erased_operator_gets_no_more_e_mails(
    mail_server: MailServer, administrator: Account, operator: Account
) -> None:
    account_mails.put_invitations([operator], "", NOW)
    ask(OPERATOR)
    erase(OPERATOR)
    assert not Mail.objects.exists()


def test_thousands_of_invitations_crowd_nothing_out(mail_server: MailServer) -> None:
    people = [Account(email=f"p{number}@example.com") for number in range(1500)]
    account_mails.put_invitations(people, "", NOW)
    assert len(waiting("invitation")) == 1500


@pytest.mark.parametrize(
    ("host", "machine", "begins_with"),
    [
        ("localhost:8123", "127.0.0.1", "http://localhost:8123"),
        ("[::1]:8123", "::1", "http://[::1]:8123"),
        ("evil.example", "127.0.0.1", None),
        ("localhost:8123", "192.0.2.7", None),
    ],
)
def test_a_link_never_leads_to_a_host_that_only_the_request_names(
    mail_server: MailServer,
    administrator: Account,
    host: str,
    machine: str,
    begins_with: str | None,
) -> None:
    change({"site_url": ""})
    status, _ = ask(ADMINISTRATOR, HTTP_HOST=host, REMOTE_ADDR=machine)
    assert status == 200
    found = [each.entries for each in waiting()]
    assert found == ([] if begins_with is None else [[{"site": begins_with}]])


def test_without_a_mail_server_the_page_says_whom_to_ask(administrator: Account) -> None:
    answer = Client().get("/reset")
    assert b"ask an administrator" in answer.content
    assert b"<form" not in answer.content


def test_an_address_that_is_none_is_refused(mail_server: MailServer) -> None:
    assert ask("nonsense")[0] == 422


def test_links_of_the_pages_are_where_the_store_says(administrator: Account) -> None:
    names = {"setup": "set-up", "enter": "enter", "invitation": "invitation", "reset": "reset"}
    for purpose in Purpose:
        assert path_of(purpose, "a:b") == reverse(names[purpose], args=["a:b"])
