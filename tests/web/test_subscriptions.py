"""Subscribing to a calendar: the page that makes its address, and what a program reads there."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from keepstep.core.appointment import Sensitivity
from keepstep.core.roles import Role
from keepstep.store import accounts, audit, calendar_addresses, erasure, settings
from keepstep.store.calendar_addresses import Subject
from keepstep.store.models import Account, Appointment, AuditEntry, CalendarAddress, Operator
from keepstep.web.subscriptions import feed
from keepstep.web.subscriptions.allowance import AT_ONCE, Allowance
from tests.feeds.reader import components, parsed
from tests.web.calendars import DAY, SECRET, add_operator, put, single

ClientOf = Callable[[Account | None], Client]
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
ADDRESS = re.compile(r'id="address" value="http://testserver(/ical/[\w-]{43}\.ics)"')
ANNA = "operator:anna@example.com"


@pytest.fixture
def anna(operator: Account) -> Operator:
    assert operator.operator is not None
    put(operator.operator, single("Visit", NOW + DAY))
    return operator.operator


def make(client: Client, who: str = "me") -> str:
    """Make an address on the page; give its path."""
    answer = client.post("/calendar/subscribe/make", {"who": who})
    assert answer.status_code == 200
    found = ADDRESS.search(answer.content.decode())
    assert found, answer.content.decode()
    return found[1]


def subjects(content: bytes) -> list[str]:
    return sorted(str(each["SUMMARY"]) for each in components(content))


def test_an_operator_makes_an_address_that_is_shown_once_and_needs_no_sign_in(
    client_of: ClientOf, operator: Account, anna: Operator
) -> None:
    client = client_of(operator)
    assert "There is no address yet." in client.get("/calendar/subscribe/").content.decode()
    path = make(client)
    page = client.get("/calendar/subscribe/").content.decode()
    assert path not in page
    assert "Last read" in page
    answer = client_of(None).get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert subjects(answer.content) == ["Visit"]
    assert parsed(answer.content)["X-WR-CALNAME"] == "Anna Adler"
    assert path.removeprefix("/ical/").removesuffix(".ics") not in str(
        [*CalendarAddress.objects.values_list(), *AuditEntry.objects.values_list()]
    )


def test_one_who_has_it_as_it_is_gets_304_by_etag_or_by_time(
    client_of: ClientOf, operator: Account, anna: Operator
) -> None:
    path, client = make(client_of(operator)), client_of(None)
    first = client.get(path)
    etag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    for header, value in (("If-None-Match", etag), ("If-Modified-Since", changed)):
        again = client.get(path, headers={header: value})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
    Appointment.objects.update(subject="Changed")
    for header, value in (("If-None-Match", etag), ("If-Modified-Since", changed)):
        again = client.get(path, headers={header: value})
        assert (again.status_code, subjects(again.content)) == (200, ["Changed"])


def test_it_is_sent_compressed_to_those_who_can_read_that(
    client_of: ClientOf, operator: Account, anna: Operator
) -> None:
    path, client = make(client_of(operator)), client_of(None)
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert subjects(gzip.decompress(answer.content)) == ["Visit"]
    known = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "gzip"}
    assert client.get(path, headers=known).status_code == 304


@pytest.mark.parametrize("ending", ["revoked", "renewed", "switched off", "deleted", "erased"])
def test_an_address_that_ended_is_as_if_it_had_never_been(
    client_of: ClientOf, operator: Account, anna: Operator, administrator: Account, ending: str
) -> None:
    client, program = client_of(operator), client_of(None)
    path = make(client)
    assert program.get(path).status_code == 200
    match ending:
        case "revoked":
            client.post("/calendar/subscribe/revoke", {"who": "me"})
        case "renewed":
            make(client)
        case "switched off":
            accounts.switch(operator, on=False)
        case "deleted":
            accounts.delete(operator)
        case "erased":
            erasure.erase(anna.email)
            assert not CalendarAddress.objects.exists()
    never = program.get("/ical/" + "A" * 43 + ".ics")
    ended = program.get(path, headers={"If-None-Match": "*"})
    assert (ended.status_code, ended.content) == (never.status_code, never.content)
    assert ended.status_code == 404


def test_an_operator_is_told_nothing_of_others_addresses_and_makes_none(
    client_of: ClientOf, operator: Account, anna: Operator
) -> None:
    ben = add_operator("ben@example.com", "Ben", anna.access_group)
    calendar_addresses.make(Subject(ben), NOW)
    client = client_of(operator)
    for who in ("operator:ben@example.com", "team:West", "operator:nobody@example.com", "x"):
        assert client.get("/calendar/subscribe/", {"who": who}).status_code == 404
        for action in ("make", "revoke"):
            answer = client.post(f"/calendar/subscribe/{action}", {"who": who})
            assert answer.status_code == 404, (who, action)
    assert CalendarAddress.objects.get().operator == ben
    assert "Ben" not in client.get("/calendar/subscribe/").content.decode()


def test_an_administrator_makes_and_revokes_those_of_operators_and_teams(
    client_of: ClientOf, administrator: Account, anna: Operator
) -> None:
    ben = add_operator("ben@example.com", "Ben", anna.access_group)
    put(ben, single("Offer", NOW + DAY))
    client, program = client_of(administrator), client_of(None)
    assert client.get("/calendar/subscribe/").status_code == 200
    of_anna, of_team = make(client, ANNA), make(client, "team:West")
    assert subjects(program.get(of_anna).content) == ["Visit"]
    assert subjects(program.get(of_team).content) == ["Offer (Ben)", "Visit (Anna Adler)"]
    Operator.objects.filter(pk=anna.pk).update(access_group="East")
    assert subjects(program.get(of_team).content) == ["Offer (Ben)"]
    listing = client.get("/calendar/subscribe/").content.decode()
    assert "Anna Adler" in listing
    assert ">West</a>" in listing
    Operator.objects.update(access_group="")
    assert subjects(program.get(of_team).content) == []
    gone = client.post("/calendar/subscribe/revoke", {"who": "team:West", "back": "list"})
    assert gone.status_code == 302
    assert program.get(of_team).status_code == 404
    assert program.get(of_anna).status_code == 200
    assert {each.action for each in audit.listing()} >= {
        "calendar-address.make",
        "calendar-address.revoke",
    }


def test_private_appointments_are_blocked_time_in_the_own_feed_too(
    client_of: ClientOf, operator: Account, anna: Operator
) -> None:
    put(anna, single(SECRET, NOW, sensitivity=Sensitivity.PRIVATE, body=SECRET, location=SECRET))
    accounts.set_language(operator, "de")
    answer = client_of(None).get(make(client_of(operator)))
    content = answer.content
    assert answer.headers["Content-Language"] == "de"
    assert SECRET.encode() not in content
    assert subjects(content) == ["Privater Termin", "Visit"]


def test_who_reads_too_often_is_put_off_and_others_are_not(
    client_of: ClientOf, administrator: Account, anna: Operator
) -> None:
    client, program = client_of(administrator), client_of(None)
    often, seldom = make(client, ANNA), make(client, "team:West")
    # A number that no other test's address has: what it used up is remembered by this process.
    CalendarAddress.objects.filter(operator=anna).update(id=4711)
    assert program.get(often).status_code == 200
    feed.allowance.spend(4711, AT_ONCE)
    answer = program.get(often)
    assert (answer.status_code, b"Visit" in answer.content) == (429, False)
    assert int(answer.headers["Retry-After"]) > 0
    assert program.get(seldom).status_code == 200


def test_an_allowance_comes_back_with_time_and_grows_to_no_more_than_it_was() -> None:
    now = 0.0
    allowance = Allowance(at_once=10, share=0.5, clock=lambda: now)
    allowance.spend(1, 14)
    assert allowance.wait(1) == 8
    assert allowance.wait(2) == 0
    now = 9.0
    assert allowance.wait(1) == 0
    now = 10_000.0
    allowance.spend(1, 11)
    assert allowance.wait(1) == 2


def test_the_address_begins_as_the_setting_site_url_says(
    client_of: ClientOf, operator: Account, anna: Operator
) -> None:
    settings.change({"site_url": "https://keepstep.example.com/"}, by="x")
    page = client_of(operator).post("/calendar/subscribe/make", {"who": "me"}).content.decode()
    assert 'value="https://keepstep.example.com/ical/' in page
    assert 'href="webcal://keepstep.example.com/ical/' in page


def test_writing_to_a_feed_is_refused(client_of: ClientOf, operator: Account) -> None:
    path = make(client_of(operator))
    assert client_of(None).post(path).status_code == 405
    assert client_of(None).head(path).status_code == 200


def test_whoever_loses_the_calendar_by_another_role_loses_its_address(
    client_of: ClientOf, operator: Account, administrator: Account
) -> None:
    make(client_of(operator))
    accounts.change_role(operator, Role.AUDITOR)
    assert not CalendarAddress.objects.exists()
