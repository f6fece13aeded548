"""The people pages: an administrator says who may sign in, and as what."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keepstep.core.roles import Role
from keepstep.store import accounts, audit, operators
from keepstep.store.models import Account, Mail, Operator
from keepstep.store.settings import change
from tests.web.site import ADMINISTRATOR, AUDITOR, OPERATOR, PASSWORD

ClientOf = Callable[[Account | None], Client]


@pytest.fixture
def client(administrator: Account, client_of: ClientOf) -> Client:
    """The browser of the one administrator."""
    return client_of(administrator)


def body(answer: Any) -> str:
    return str(answer.content.decode())


def listed(answer: Any) -> list[str]:
    """The addresses in the rows of the list."""
    return re.findall(r'<a href="/people/\d+">([^<]+)</a>', body(answer))


def link_on(answer: Any) -> str:
    """The link that the page shows to be handed on; "" if it shows none."""
    found = re.search(r'<input id="link" value="([^"]+)"', body(answer))
    return found[1] if found else ""


def by_whom() -> tuple[str, str, str]:
    """The latest change: who, what, of whom."""
    latest = audit.listing(limit=1)[0]
    return latest.by, latest.action, latest.subject


def add_operators(count: int, group: str) -> None:
    for number in range(count):
        operators.add(f"{group}.{number}@example.com", {"access_group": group})


def test_the_list_shows_everybody_with_role_and_state(
    client: Client, operator: Account, auditor: Account
) -> None:
    accounts.switch(auditor, on=False)
    text = body(client.get("/people/"))
    for words in (ADMINISTRATOR, OPERATOR, AUDITOR, "invited", "active", "off", "Anna Adler"):
        assert words in text


@pytest.mark.parametrize(
    ("asked", "emails"),
    [
        ("text=ADLER", [OPERATOR]),
        ("role=auditor", [AUDITOR]),
        ("state=invited", [OPERATOR, AUDITOR]),
        ("state=active", [ADMINISTRATOR]),
        ("role=nonsense&page=-1&state=", [ADMINISTRATOR, OPERATOR, AUDITOR]),
        ("text=%00", [ADMINISTRATOR, OPERATOR, AUDITOR]),
        ("text=nobody", []),
    ],
)
def test_the_list_is_searched(
    client: Client, operator: Account, auditor: Account, asked: str, emails: list[str]
) -> None:
    assert listed(client.get(f"/people/?{asked}")) == sorted(emails)


def test_a_long_list_has_pages_and_asks_the_database_no_more(client: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/people/")
    add_operators(120, "West")
    accounts.invite_group("West")
    with CaptureQueriesContext(connection) as many:
        answer = client.get("/people/?page=3")
    assert "Page 3 of 3" in body(answer)
    assert len(listed(answer)) == 21
    assert len(many) == len(few)


def test_an_invited_operator_gets_in_by_the_link_shown(client: Client) -> None:
    operators.add(OPERATOR, {"access_group": "West"})
    answer = client.post("/people/invite", {"emails": OPERATOR, "role": "operator"}, follow=True)
    assert by_whom() == (ADMINISTRATOR, "account.create", OPERATOR)
    link = link_on(answer)
    invited = Client()
    assert invited.post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert invited.get("/account").status_code == 200


def test_of_several_addresses_all_or_none_are_invited(client: Client) -> None:
    wrong = client.post("/people/invite", {"emails": "a@example.com, nonsense", "role": "auditor"})
    assert wrong.status_code == 422
    assert "nonsense" in body(wrong)
    unknown = client.post("/people/invite", {"emails": "a@example.com", "role": "operator"})
    assert "no operator has the e-mail address" in body(unknown)
    twice = client.post("/people/invite", {"emails": ADMINISTRATOR.upper(), "role": "auditor"})
    assert "has an account already" in body(twice)
    assert Account.objects.count() == 1
    two = "a@example.com\nb@example.com A@example.com"
    client.post("/people/invite", {"emails": two, "role": "auditor"})
    assert Account.objects.count() == 3


def test_too_many_addresses_at_once_are_refused(client: Client) -> None:
    emails = "\n".join(f"p{number}@example.com" for number in range(501))
    answer = client.post("/people/invite", {"emails": emails, "role": "auditor"})
    assert (answer.status_code, Account.objects.count()) == (422, 1)


def test_all_operators_of_an_access_group_are_invited_once(client: Client) -> None:
    add_operators(30, "West")
    add_operators(2, "East")
    accounts.create("west.7@example.com", Role.OPERATOR)
    client.post("/people/invite/group", {"group": "West"})
    assert Account.objects.filter(operator__access_group="West").count() == 30
    assert Account.objects.filter(operator__access_group="East").count() == 0
    assert client.post("/people/invite/group", {"group": "West"}).status_code == 422


def test_the_links_of_all_who_were_invited_come_as_a_file(
    client: Client, operator: Account
) -> None:
    Operator.objects.update(name="=1+1")
    rows = list(csv.DictReader(io.StringIO(body(client.post("/people/links")))))
    assert [(each["email"], each["name"]) for each in rows] == [(OPERATOR, "'=1+1")]
    assert Client().get(rows[0]["link"]).status_code == 200
    assert by_whom() == (ADMINISTRATOR, "account.links", "")


def test_where_a_mail_server_is_set_invitations_are_sent(client: Client) -> None:
    change({"smtp_host": "mail.example.com", "site_url": "https://keepstep.example.com"})
    client.post("/people/invite", {"emails": AUDITOR, "role": "auditor"})
    assert not Mail.objects.exists()
    two = "a@example.com b@example.com"
    client.post("/people/invite", {"emails": two, "role": "auditor", "send": "true"})
    found = [(each.kind, each.recipients) for each in Mail.objects.order_by("pk")]
    assert found == [("invitation", ["a@example.com"]), ("invitation", ["b@example.com"])]


def test_role_switch_and_deletion_are_done_and_written_down(
    client: Client, auditor: Account
) -> None:
    address = f"/people/{auditor.pk}"
    client.post(f"{address}/role", {"role": "administrator"})
    assert accounts.find(AUDITOR).role == "administrator"
    assert by_whom() == (ADMINISTRATOR, "account.role", AUDITOR)
    client.post(f"{address}/switch", {"on": "false"})
    assert not accounts.find(AUDITOR).is_active
    client.post(f"{address}/switch", {"on": "true"})
    assert accounts.find(AUDITOR).is_active
    assert client.post(f"{address}/delete")["Location"] == "/people/"
    assert not Account.objects.filter(email=AUDITOR).exists()
    assert by_whom() == (ADMINISTRATOR, "account.delete", AUDITOR)


@pytest.mark.parametrize(
    ("what", "fields"),
    [("role", {"role": "auditor"}), ("switch", {"on": "false"}), ("delete", {})],
)
def test_the_last_administrator_stays(
    client: Client, administrator: Account, auditor: Account, what: str, fields: dict[str, str]
) -> None:
    answer = client.post(f"/people/{administrator.pk}/{what}", fields, follow=True)
    assert "is the last administrator" in body(answer)
    kept = accounts.find(ADMINISTRATOR)
    assert (kept.role, kept.is_active) == ("administrator", True)


def test_an_auditor_becomes_no_operator_without_a_calendar(
    client: Client, auditor: Account
) -> None:
    answer = client.post(f"/people/{auditor.pk}/role", {"role": "operator"}, follow=True)
    assert "no operator has the e-mail address" in body(answer)
    assert accounts.find(AUDITOR).role == "auditor"


def test_a_new_link_is_written_down_and_sets_a_password(client: Client, auditor: Account) -> None:
    accounts.set_password(auditor, "a long pass phrase of before")
    page = f"/people/{auditor.pk}"
    assert link_on(client.get(page)) == ""
    link = link_on(client.post(f"{page}/link"))
    assert by_whom() == (ADMINISTRATOR, "account.link", AUDITOR)
    assert Client().post(link, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    accounts.switch(auditor, on=False)
    assert "switched off" in body(client.post(f"{page}/link", follow=True))


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30])
def test_nobody_is_found_under_a_number_that_is_nobody_s(client: Client, number: str) -> None:
    assert client.get(f"/people/{number}").status_code == 404


def test_five_thousand_people_are_listed_quickly(client: Client) -> None:
    """Under 300 ms of CPU a request."""
    made = [Operator(email=f"p{n}@example.com", access_group="G") for n in range(5000)]
    people = Operator.objects.bulk_create(made, batch_size=500)
    Account.objects.bulk_create(
        [
            Account(email=each.email, role="operator", password="!", operator=each)
            for each in people
        ],
        batch_size=500,
    )
    client.get("/people/")
    begun = time.process_time()
    answer = client.get("/people/?text=p4&page=7")
    taken = time.process_time() - begun
    assert "1111 people" in body(answer)
    assert taken < 0.3
