"""Who sees what of the calendar, and that nothing leaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keepstep.core.appointment import Address, Attendee, Sensitivity
from keepstep.core.roles import Role
from keepstep.store import accounts
from keepstep.store.models import Account, Operator
from tests.web.asking import TEN, WEEK, ClientOf, ask, events
from tests.web.calendars import (
    SECRET,
    add_operator,
    put,
    single,
)


@pytest.fixture
def dora(database: None) -> Operator:
    """Dora, of East."""
    return add_operator("dora@example.com", "Dora Dunn", "East")


@pytest.fixture
def everybody(
    administrator: Account, operator: Account, auditor: Account, ben: Operator, dora: Operator
) -> dict[str, Account]:
    """Give an account of each kind, by what it is."""
    return {
        "administrator": administrator,
        "herself": operator,
        "colleague": accounts.create(ben.email, Role.OPERATOR),
        "stranger": accounts.create(dora.email, Role.OPERATOR),
        "auditor": auditor,
    }


def pages_about(row: int) -> list[str]:
    week = "start=2026-11-23&end=2026-11-30&cancelled=1"
    calendars = ("operator:anna@example.com", "team:West")
    return [
        *(f"/calendar/events?{week}&who={who}" for who in calendars),
        *(f"/calendar/print?{week}&who={who}" for who in calendars),
        *(f"/calendar/?date=2026-11-24&who={who}" for who in calendars),
        f"/calendar/appointment/{row}",
    ]


SEEN_BY = {
    "herself": "whole",
    "administrator": "blocked",
    "colleague": "blocked",
    "stranger": "nothing",
    "auditor": "nothing",
}


@pytest.mark.parametrize("who", SEEN_BY)
@pytest.mark.parametrize("sensitivity", [each for each in Sensitivity if each != "normal"])
def test_a_private_appointment_is_shown_whole_to_its_owner_alone(
    who: str,
    sensitivity: Sensitivity,
    client_of: ClientOf,
    everybody: dict[str, Account],
    anna: Operator,
) -> None:
    secret = single(
        SECRET,
        TEN,
        location=SECRET,
        body=SECRET,
        sensitivity=sensitivity,
        organizer=Address(SECRET, f"{SECRET}@example.org"),
        attendees=(Attendee(SECRET, "x@example.org"),),
        categories=(SECRET,),
        join_url=f"https://zoom.us/j/{SECRET}",
    )
    row = put(anna, replace(secret, warnings=("no-uid",)))
    client = client_of(everybody[who])
    told = []
    for address in pages_about(row.pk):
        answer = client.get(address)
        told.append(SECRET.encode() in answer.content)
        if SEEN_BY[who] == "nothing":
            assert answer.status_code in {403, 404}
        panel = client.get(address, headers={"HX-Request": "true"})
        assert SEEN_BY[who] == "whole" or SECRET.encode() not in panel.content
    # The frame of the page holds no appointment; all else does.
    expected = [True, True, True, True, False, False, True]
    assert told == (expected if SEEN_BY[who] == "whole" else [False] * 7)
    if SEEN_BY[who] == "blocked":
        (blocked,) = events(client, who="operator:anna@example.com")
        assert blocked == {
            "row": row.pk,
            "operators": [0],
            "show_as": "busy",
            "private": True,
            "withheld": True,
            "times": blocked["times"],
        }
        page = client.get(f"/calendar/appointment/{row.pk}").content.decode()
        assert "Private appointment" in page
        assert ("04:00 to 05:00" if who == "colleague" else "10:00 to 11:00") in page


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("herself", True),
        ("administrator", True),
        ("colleague", True),
        ("stranger", False),
        ("auditor", False),
    ],
)
def test_an_open_appointment_is_seen_by_the_access_group_and_administrators(
    who: str, sees: bool, client_of: ClientOf, everybody: dict[str, Account], anna: Operator
) -> None:
    row = put(anna, single("Open visit", TEN, body="All of it"))
    client = client_of(everybody[who])
    for address in pages_about(row.pk):
        if "/calendar/?" in address:
            continue
        assert (b"Open visit" in client.get(address).content) is sees
    detail = client.get(f"/calendar/appointment/{row.pk}")
    assert (b"All of it" in detail.content) is sees


@pytest.mark.parametrize(
    ("who", "sees"),
    [("herself", True), ("administrator", True), ("colleague", False)],
)
def test_why_it_is_here_is_told_to_administrators_and_to_the_operator(
    who: str, sees: bool, client_of: ClientOf, everybody: dict[str, Account], anna: Operator
) -> None:
    row = put(anna, single("Open visit", TEN))
    page = client_of(everybody[who]).get(f"/calendar/appointment/{row.pk}").content.decode()
    assert ("Why is it here?" in page) is sees


@pytest.mark.parametrize(
    "path",
    ["", "events", "standing", "search", "print", "appointment/1"],
)
def test_nobody_gets_anything_without_sign_in_and_an_auditor_nothing_at_all(
    path: str, client_of: ClientOf, auditor: Account, anna: Operator
) -> None:
    put(anna, single("Open visit", TEN))
    answer = client_of(None).get(f"/calendar/{path}", WEEK)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in")
    assert client_of(auditor).get(f"/calendar/{path}", WEEK).status_code == 403
    assert client_of(None).post(f"/calendar/{path}").status_code in {302, 405}


@pytest.mark.parametrize(
    "who", ["operator:dora@example.com", "team:East", "operator:nobody@example.com", "team:", "x"]
)
def test_a_calendar_that_is_not_for_one_is_answered_as_one_that_is_not_there(
    who: str, client_of: ClientOf, operator: Account, dora: Operator
) -> None:
    put(dora, single("Of East", TEN))
    client = client_of(operator)
    assert ask(client, who=who).status_code == 404
    assert client.get("/calendar/", {"who": who}).status_code == 404
    assert client.get("/calendar/print", {"who": who}).status_code == 404


def test_an_operator_finds_colleagues_alone_and_an_administrator_everybody(
    client_of: ClientOf, everybody: dict[str, Account]
) -> None:
    found = client_of(everybody["herself"]).get("/calendar/search").content.decode()
    assert "ben@example.com" in found
    assert "dora@example.com" not in found
    found = client_of(everybody["administrator"]).get("/calendar/search?q=DUNN dora").content
    assert b"dora@example.com" in found
    assert b"ben@example.com" not in found


def test_an_operator_of_no_access_group_finds_no_others_of_none(
    client_of: ClientOf, database: None
) -> None:
    for name in ("alone", "other"):
        add_operator(f"{name}@example.com", name, "")
    client = client_of(accounts.create("alone@example.com", Role.OPERATOR))
    assert b"other@example.com" not in client.get("/calendar/search").content
    assert ask(client, who="operator:other@example.com").status_code == 404
