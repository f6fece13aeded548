"""Exporting from the calendar page: who gets what, and what is refused."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client
from openpyxl import load_workbook

from keepstep.core.appointment import Sensitivity
from keepstep.store.models import Account, Operator
from keepstep.web.calendar import export
from tests.web.calendars import DAY, SECRET, add_operator, put, single

ClientOf = Callable[[Account | None], Client]
TEN = datetime(2026, 11, 24, 9, tzinfo=UTC)
ASKED = {"kind": "meetings", "first": "2026-11-23", "last": "2026-11-24", "form": "csv"}
BEN, CLEO = "operator:ben@example.com", "operator:cleo@example.com"


@pytest.fixture
def team(operator: Account) -> list[Operator]:
    """Anna and Ben of West, Cleo of East: each with a visit and something private."""
    assert operator.operator is not None
    ben = add_operator("ben@example.com", "Ben", "West")
    cleo = add_operator("cleo@example.com", "Cleo", "East")
    members = [operator.operator, ben, cleo]
    for each in members:
        put(each, single(f"Visit of {each.name}", TEN))
        secret = f"{SECRET} of {each.name}"
        put(each, single(secret, TEN + DAY / 24, sensitivity=Sensitivity.PRIVATE))
    return members


def ask(client: Client, who: str = "me", **more: str) -> Any:
    return client.get("/calendar/export/file", ASKED | {"who": who} | more)


def content(answer: Any) -> bytes:
    assert answer.status_code == 200
    whole = asyncio.run(_whole(answer))
    assert int(answer.headers["Content-Length"]) == len(whole)
    return whole


async def _whole(answer: Any) -> bytes:
    """Take it piece by piece, as the server does."""
    return b"".join([piece async for piece in answer])


def subjects(answer: Any) -> list[str]:
    text = content(answer).decode("utf-8-sig")
    return [each["subject"] for each in csv.DictReader(io.StringIO(text))]


def test_one_sees_the_own_calendar_whole_and_of_colleagues_what_is_not_private(
    client_of: ClientOf, operator: Account, team: list[Operator]
) -> None:
    client = client_of(operator)
    own = ["Visit of Anna Adler", f"{SECRET} of Anna Adler"]
    blocked = ["Visit of Ben", "Private appointment"]
    assert subjects(ask(client)) == own
    assert subjects(ask(client, BEN)) == blocked
    assert subjects(ask(client, "team:West")) == [*own, *blocked]


@pytest.mark.parametrize("who", [CLEO, "team:East", "all", "operator:nobody@example.com"])
def test_an_operator_gets_nothing_of_other_teams(
    client_of: ClientOf, operator: Account, team: list[Operator], who: str
) -> None:
    for address in ("/calendar/export", "/calendar/export/file"):
        answer = client_of(operator).get(address, ASKED | {"who": who})
        assert answer.status_code == 404


def test_an_administrator_gets_all_operators_and_nobodys_secrets(
    client_of: ClientOf, administrator: Account, team: list[Operator]
) -> None:
    found = subjects(ask(client_of(administrator), "all"))
    assert len(found) == 6
    assert SECRET not in "".join(found)


def test_a_team_is_exported_whole_however_large_it_is(
    client_of: ClientOf, administrator: Account, team: list[Operator]
) -> None:
    for number in range(110):
        each = add_operator(f"o{number:03}@example.com", f"O {number}", "West")
        put(each, single("Visit", TEN))
    assert subjects(ask(client_of(administrator), "team:West")).count("Visit") == 110


def test_each_kind_of_file_is_sent_under_its_name_and_type(
    client_of: ClientOf, operator: Account, team: list[Operator]
) -> None:
    client = client_of(operator)
    answer = ask(client, BEN, form="parquet", kind="contacts")
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert (
        'filename="contacts-Ben-2026-11-23-2026-11-24.parquet"'
        in answer.headers["Content-Disposition"]
    )
    assert pq.read_table(io.BytesIO(content(answer))).num_rows == 0
    book = load_workbook(io.BytesIO(content(ask(client, form="xlsx"))))
    assert book.worksheets[0].max_row == 3


def test_the_page_offers_what_may_be_asked_for(
    client_of: ClientOf, operator: Account, administrator: Account, team: list[Operator]
) -> None:
    mine = client_of(operator).get("/calendar/export?who=team:West").content.decode()
    assert 'value="team:West" selected' in mine
    assert "team:East" not in mine
    assert 'value="all"' not in mine
    all_of_them = client_of(administrator).get("/calendar/export").content.decode()
    assert "team:East" in all_of_them
    assert 'value="all"' in all_of_them
    assert date.today().strftime("%Y-") in all_of_them  # noqa: DTZ011


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"last": "2026-11-22"}, "The last day is before the first."),
        ({"first": "2020-01-01"}, "Ask for three years at most."),
        ({"first": "1700-01-01", "last": "1700-01-02"}, "There is no calendar of such a day."),
        ({"first": "soon"}, "Enter a valid date."),
        ({"form": "exe"}, "Select a valid choice."),
        ({"kind": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(
    client_of: ClientOf,
    operator: Account,
    team: list[Operator],
    wrong: dict[str, str],
    words: str,
) -> None:
    answer = ask(client_of(operator), **wrong)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_only_so_many_are_made_at_once(
    client_of: ClientOf, operator: Account, team: list[Operator]
) -> None:
    taken = [export.places.acquire(blocking=False) for _ in range(export.MADE_AT_ONCE)]
    try:
        answer = ask(client_of(operator))
        assert (answer.status_code, all(taken)) == (503, True)
        assert "Others are exporting now" in answer.content.decode()
    finally:
        for _ in taken:
            export.places.release()
    assert ask(client_of(operator)).status_code == 200


def test_the_days_end_with_the_last_one(
    client_of: ClientOf, operator: Account, team: list[Operator]
) -> None:
    put(team[0], single("Too late", TEN + timedelta(hours=14)))
    put(team[0], single("Just in time", TEN + timedelta(hours=13, minutes=59)))
    found = subjects(ask(client_of(operator)))
    assert "Just in time" in found
    assert "Too late" not in found
