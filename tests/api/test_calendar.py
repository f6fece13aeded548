"""Appointments and changes by the API: whole, in order, and masked exactly as on the pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from keepstep.api.appointments import MOST_OPERATORS
from keepstep.core.appointment import Appointment, Sensitivity
from keepstep.core.decisions import RowState, What
from keepstep.core.roles import Role
from keepstep.store import calendar, settings
from keepstep.store.bulk import insert_history
from keepstep.store.models import Account, History, Mailbox, Operator
from keepstep.store.models import Appointment as Row
from tests.api.calling import Caller, caller_for
from tests.web import calendars
from tests.web.calendars import DAY, HOUR, put, single, weekly

CallerOf = Callable[..., Caller]

MONDAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEEK = {"from": "2026-03-02", "to": "2026-03-09"}
SECRET = "Geheim-Zahnarzt"


def told(*changes: tuple[Operator, str, What]) -> None:
    """Write what became of appointments into the history."""
    insert_history(
        [(each.mailbox.pk, uid, uid, AT, what.value, "unchanged") for each, uid, what in changes]
    )


def subjects(document: Any) -> list[str]:
    return [each["subject"] for each in document["items"]]


@pytest.fixture
def bruno(anna: Operator) -> Operator:
    """A colleague of Anna's access group."""
    return calendars.add_operator("bruno@example.com", "Bruno Costa", "West")


@pytest.fixture
def zoe(anna: Operator) -> Operator:
    """Somebody of another access group."""
    return calendars.add_operator("zoe@example.com", "Zoe Zander", "East")


def test_the_api_says_of_ones_own_calendar_what_the_command_says(
    call: CallerOf, anna: Operator
) -> None:
    calendars.showcase(anna, MONDAY)
    own = call(Role.OPERATOR).get("/appointments", operator=anna.pk, **WEEK)["items"]
    command = calendar.entries(anna.email, MONDAY, MONDAY + 7 * DAY)
    added = {"id", "appointment", "operator_id", "private", "withheld", "warnings"}
    plain = [{name: each[name] for name in each if name not in added} for each in own]
    assert plain == command
    assert len({each["id"] for each in own}) == len(own) > 5


def test_some_appointments_are_asked_for_by_their_ids(
    call: CallerOf, anna: Operator, bruno: Operator
) -> None:
    for each in (anna, bruno):
        for name in ("one", "two", "three"):
            put(each, single(name, AT))
    caller = call()
    whole = caller.get("/appointments", **WEEK)["items"]
    wanted = [each["appointment"] for each in whole if each["subject"] != "two"]
    query = "&".join(f"appointment={each}" for each in [*wanted, "7-gone", "nonsense"])
    some = caller.get(f"/appointments?{query}&from=2026-03-02&to=2026-03-09")["items"]
    assert some == [each for each in whole if each["subject"] != "two"]


def test_portions_of_all_calendars_are_together_the_whole(call: CallerOf, anna: Operator) -> None:
    calendars.showcase(anna, MONDAY)
    caller = call()
    whole = caller.get("/appointments", limit=500, **WEEK)["items"]
    seen, cursor = [], ""
    while cursor is not None:
        portion = caller.get("/appointments", limit=3, cursor=cursor, **WEEK)
        seen += portion["items"]
        cursor = portion["next"]
    assert seen == whole
    assert len({each["operator"] for each in whole}) == 3


def test_of_many_operators_few_are_looked_through_for_a_portion(
    call: CallerOf, anna: Operator
) -> None:
    many = [Operator(email=f"more{number}@example.com") for number in range(MOST_OPERATORS)]
    made = Operator.objects.bulk_create(many)
    Mailbox.objects.bulk_create([Mailbox(operator=each) for each in made])
    put(made[-1], single("of the last", AT))
    caller = call()
    first = caller.get("/appointments", **WEEK)
    assert first["items"] == []
    second = caller.get("/appointments", cursor=first["next"], **WEEK)
    assert (subjects(second), second["next"]) == (["of the last"], None)


def test_a_private_appointment_of_another_is_a_blocked_time_and_nothing_else(
    call: CallerOf, anna: Operator, bruno: Operator
) -> None:
    private = single(
        SECRET, AT, sensitivity=Sensitivity.PRIVATE, body=SECRET, location=SECRET,
        categories=(SECRET,),
    )  # fmt: skip
    put(bruno, private)
    put(
        bruno,
        replace(
            private, uid="gone", item_id="gone", details=replace(private.details, cancelled=True)
        ),
    )
    for role in (Role.ADMINISTRATOR, Role.OPERATOR):
        caller = call(role)
        document = caller.get("/appointments", operator=bruno.pk, include_cancelled=True, **WEEK)
        (entry,) = document["items"]
        assert (entry["subject"], entry["withheld"], entry["uid"]) == (
            "Private appointment", True, None,
        )  # fmt: skip
        assert (entry["start"], entry["show_as"]) == ("2026-03-02T09:00:00Z", "busy")
        one = caller.get(f"/appointments/{entry['appointment']}", **WEEK)
        assert one["items"] == [entry]
        assert SECRET not in json.dumps([document, one])
    mine = caller_for(account_of(bruno)).get("/appointments", operator=bruno.pk, **WEEK)
    assert subjects(mine) == [SECRET]


def account_of(operator: Operator) -> Account:
    from keepstep.store import accounts

    return accounts.create(operator.email, Role.OPERATOR)


def test_an_operator_sees_the_own_group_and_nobody_else(
    call: CallerOf, anna: Operator, bruno: Operator, zoe: Operator
) -> None:
    for each in (anna, bruno, zoe):
        put(each, single(f"of {each.name}", AT))
    told(*((each, f"of {each.name}", What.CREATED) for each in (anna, bruno, zoe)))
    mine, all_ = call(Role.OPERATOR), call()
    assert subjects(mine.get("/appointments", **WEEK)) == ["of Anna Adler", "of Bruno Costa"]
    assert len(all_.get("/appointments", **WEEK)["items"]) == 3
    assert mine("GET", "/appointments", operator=zoe.pk).status == 404
    assert mine("GET", "/appointments", team="East").status == 404
    theirs = all_.get("/appointments", operator=zoe.pk, **WEEK)["items"][0]["appointment"]
    assert mine("GET", f"/appointments/{theirs}").status == 404
    assert {each["operator_id"] for each in mine.get("/changes")["items"]} == {anna.pk, bruno.pk}
    assert len(all_.get("/changes")["items"]) == 3


def test_the_id_of_an_appointment_stays_when_the_item_moves_and_its_time_changes(
    call: CallerOf, anna: Operator
) -> None:
    row = put(anna, single("visit", AT))
    caller = call()
    (before,) = caller.get("/appointments", **WEEK)["items"]
    row.item_id = "moved"
    row.start, row.end = AT + DAY, AT + DAY + HOUR
    row.span_start, row.span_end = row.start, row.end
    row.save()
    (after,) = caller.get("/appointments", **WEEK)["items"]
    assert (after["id"], after["appointment"]) == (before["id"], before["appointment"])
    assert after["start"] == "2026-03-03T09:00:00Z"


def test_occurrences_of_a_series_have_ids_by_their_original_start(
    call: CallerOf, anna: Operator
) -> None:
    series = calendars.changed(weekly("round", AT), 1, 2 * HOUR)
    put(anna, series)
    days = {"from": "2026-03-02", "to": "2026-03-17"}
    items = call().get("/appointments", **days)["items"]
    assert [each["id"].partition("@")[2] for each in items] == [
        f"2026-03-{day:02}T09:00:00Z" for day in (2, 9, 16)
    ]
    assert len({each["appointment"] for each in items}) == 1
    assert items[1]["start"] == "2026-03-09T11:00:00Z"


def test_the_feed_says_what_became_of_an_appointment_and_how_it_stands(
    call: CallerOf, anna: Operator
) -> None:
    put(anna, single("stays", AT))
    put(anna, single("goes", AT), state=RowState.REMOVED)
    told((anna, "stays", What.CREATED), (anna, "goes", What.CREATED), (anna, "goes", What.REMOVED))
    caller = call()
    feed = caller.get("/changes", expand=True)
    assert [each["event"] for each in feed["items"]] == ["created", "created", "removed"]
    stays, goes, gone = feed["items"]
    assert stays["state"]["subject"] == "stays"
    assert stays["state"]["id"] == stays["appointment"]
    assert goes["state"] is None
    assert gone["state"] is None
    assert (feed["more"], goes["appointment"]) == (False, gone["appointment"])
    after = caller.get("/changes", cursor=feed["next"])
    assert after["items"] == []
    told((anna, "stays", What.UPDATED))
    later = caller.get("/changes", cursor=after["next"])["items"]
    assert [each["event"] for each in later] == ["changed"]


def test_who_begins_takes_the_latest_cursor_first(call: CallerOf, anna: Operator) -> None:
    told((anna, "old", What.CREATED))
    caller = call()
    latest = caller.get("/changes/latest")["next"]
    told((anna, "new", What.CREATED))
    assert len(caller.get("/changes", cursor=latest)["items"]) == 1


def test_that_a_private_one_was_cancelled_is_told_as_a_removal(
    call: CallerOf, anna: Operator, bruno: Operator
) -> None:
    private: Appointment = single(SECRET, AT, sensitivity=Sensitivity.PRIVATE, cancelled=True)
    put(bruno, private)
    put(bruno, single("open", AT, cancelled=True))
    told((bruno, SECRET, What.CANCELLED), (bruno, "open", What.CANCELLED))
    items = call(Role.OPERATOR).get("/changes", expand=True)["items"]
    assert [each["event"] for each in items] == ["removed", "cancelled"]
    assert items[0]["state"] is None
    assert SECRET not in json.dumps(items)
    mine = caller_for(account_of(bruno)).get("/changes")["items"]
    assert [each["event"] for each in mine] == ["cancelled", "cancelled"]


def test_a_cursor_that_is_too_old_says_how_to_start_over(call: CallerOf, anna: Operator) -> None:
    from keepstep.core.feed import Cursor, Position

    old = Cursor("s", Position(), datetime.now(UTC) - timedelta(days=91)).text()
    answer = call()("GET", "/changes", cursor=old)
    assert (answer.status, answer.json["code"]) == (410, "cursor-too-old")
    assert "/api/v1/changes/latest" in answer.json["remedy"]
    settings.change({"history_days": "200"})
    assert call()("GET", "/changes", cursor=old).status == 200


def test_an_erased_operator_is_in_no_answer(call: CallerOf, anna: Operator, zoe: Operator) -> None:
    put(zoe, single("of Zoe", AT))
    told((zoe, "of Zoe", What.CREATED))
    caller = call()
    identity = caller.get("/changes")["items"][0]["appointment"]
    assert caller("DELETE", f"/operators/{zoe.pk}", confirm="zoe@example.com").status == 200
    assert caller.get("/changes")["items"] == []
    assert caller("GET", f"/appointments/{identity}").status == 404
    assert not Row.objects.exists()
    assert not History.objects.exists()
