"""The samples that come with what a correct reader gets from them, compared field by field.

A field is compared by the function that its name has below; one that has none fails the test, so
none is passed over in silence. What Keepstep does not take over is listed with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.build import appointment_of
from keepstep.exchange.ews.envelope import Answer, ResponseMessage
from keepstep.exchange.ews.item import CALENDAR_ITEM, ItemOnWire, read_item
from keepstep.exchange.ews.sync_folder_items import listing_of
from keepstep.exchange.ews.wire import Malformed
from tests.samples import files
from tests.samples.expectation import zulu

NAMES = sorted(
    path.relative_to(files.root()).as_posix().removesuffix(".expected.json") + ".xml"
    for path in files.root().rglob("*.expected.json")
)
_KINDS = {"single": "Single", "occurrence": "Occurrence", "recurring_master": "RecurringMaster"}
# Of people's texts in errors none is kept, and what is no part of an appointment is not read.
NOT_TAKEN = {
    "note", "meaning", "local",  # for the reader of the expectation
    "message_text", "message", "faultstring_contains",  # texts may hold names and traces
    "line", "position", "violation_contains",  # where in our request: found by the schema tests
    "faultcode", "error_code",  # the response code says it, where there is one
    "reminder_minutes",  # reminders stay in Exchange
    "resolutions", "total", "last", "conflicts",  # of operations that Keepstep does not use
}  # fmt: skip
# What a request asks for, read by a server: fields of requests that hold no whole item.
OF_REQUESTS = {
    "view", "start", "end", "folder", "folders", "max", "offset", "restriction", "ids",
    "base_shape", "additional", "kind", "events", "timeout_minutes", "sync_state", "max_changes",
    "sync_scope", "changes",
}  # fmt: skip
_TIMES = ("calendar:Start", "calendar:End")


def expectation(name: str) -> Any:
    path = files.root() / name.replace(".xml", ".expected.json")
    return json.loads(path.read_text(encoding="utf-8"))


def rest(expected: dict[str, Any], *compared: str) -> set[str]:
    """Give the names of fields that nobody has compared."""
    return set(expected) - NOT_TAKEN - set(compared)


def people(item: ItemOnWire) -> list[dict[str, Any]]:
    return [
        {"name": one.name or None, "email": one.email, "role": one.role, "response": one.response}
        for one in item.attendees
    ]


FIELDS: dict[str, Callable[[ItemOnWire], Any]] = {
    "item_id": lambda item: item.item_id,
    "change_key": lambda item: item.change_key,
    "uid": lambda item: item.uid,
    "subject": lambda item: item.subject,
    "location": lambda item: item.location,
    "body": lambda item: item.body,
    "start": lambda item: zulu(item.start),
    "end": lambda item: zulu(item.end),
    "start_local": lambda item: zulu(item.start),
    "end_local": lambda item: zulu(item.end),
    "all_day": lambda item: item.all_day,
    "show_as": lambda item: item.show_as,
    "attendees": people,
    "time_zone": lambda item: item.start_zone and item.start_zone[0].name,
    "recurrence": lambda item: item.recurrence,
}


def compare_item(item: ItemOnWire, expected: dict[str, Any]) -> None:
    for field, value in expected.items():
        if field == "type":
            assert item.kind == _KINDS[value]
        elif field == "body_as_text_contains":
            assert item.body is not None
            assert value in item.body
        elif field == "start" and value is None:
            # No instant follows from a time without an offset: it is kept as the wall time it is.
            assert item.start is not None
            assert item.start.tzinfo is None
        elif field not in NOT_TAKEN:
            assert FIELDS[field](item) == value, field


def items_of_message(message: ResponseMessage) -> list[ItemOnWire]:
    return [
        read_item(item)
        for item in message.element.iter(CALENDAR_ITEM)
        if (parent := item.getparent()) is not None and parent.tag.endswith("}Items")
    ]


def compare_messages(answer: Answer, expected: Any) -> None:
    if isinstance(expected, str):
        assert expected == "all Success, NoError; one per deleted item"
        assert {(one.response_class, one.code) for one in answer.messages} == {
            ("Success", "NoError")
        }
        return
    assert len(answer.messages) == len(expected)
    for message, wanted in zip(answer.messages, expected, strict=True):
        assert message.response_class == wanted["response_class"]
        assert message.code == wanted["response_code"]
        items = items_of_message(message)
        assert len(items) == len(wanted.get("items", []))
        for item, fields in zip(items, wanted.get("items", []), strict=True):
            compare_item(item, fields)
        assert rest(wanted, "response_class", "response_code", "items") == set()


def compare_listing(answer: Answer, expected: dict[str, Any]) -> None:
    listing = listing_of(answer)
    assert listing.sync_state == expected["sync_state"]
    assert listing.last == expected["last_page"]
    told = [one for one in expected["changes"] if one["change"] != "ReadFlagChange"]
    assert [(one.kind.value.title(), one.item_id) for one in listing.changes] == [
        (one["change"], one["item_id"]) for one in told
    ]
    assert all(one.item_kind.value == "other" for one in listing.changes)  # they are mail


def compare_request(answer: Answer, expected: dict[str, Any]) -> None:
    """Read the items that a request of another client holds; what else it asks is the server's."""
    items = [read_item(one) for one in answer.response.iter(CALENDAR_ITEM)]
    if "subjects" in expected:
        assert [item.subject for item in items] == expected["subjects"]
    elif "set" in expected:
        zones = {item.start_zone[0].name for item in items if item.start_zone}
        zones |= {item.end_zone[0].name for item in items if item.end_zone}
        assert zones == {expected["time_zone"]}
        times = [zulu(item.start or item.end) for item in items if item.start or item.end]
        assert times == [expected["set"][key] for key in _TIMES if key in expected["set"]]
    elif items and "subject" in expected:
        compare_item(items[0], {key: expected[key] for key in expected if key != "operation"})
    else:
        assert set(expected) - NOT_TAKEN <= {"operation"} | OF_REQUESTS


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_is_read_as_expected(name: str) -> None:
    expected = expectation(name)
    if "fault" in expected:
        compare_fault(name, expected)
        return
    answer = files.answer(name)
    assert answer.operation == expected["operation"].removesuffix(" (request)")
    if expected["operation"].endswith("(request)"):
        compare_request(answer, expected)
    elif "changes" in expected:
        compare_listing(answer, expected)
        compared = ("operation", "response_class", "response_code", "sync_state", "last_page")
        assert rest(expected, *compared, "changes") == set()
    elif "messages" in expected:
        compare_messages(answer, expected["messages"])
        assert rest(expected, "operation", "messages") == set()
    else:
        wanted = {key: expected[key] for key in ("response_class", "response_code", "items")}
        compare_messages(answer, [wanted])
        assert rest(expected, "operation", *wanted) == set()


def compare_fault(name: str, expected: dict[str, Any]) -> None:
    with pytest.raises(ExchangeError) as raised:
        files.answer(name)
    fault = expected["fault"]
    assert raised.value.detail == (fault["response_code"] or "")
    assert rest(fault, "response_code") == set()
    assert rest(expected, "fault") == set()
    for text in ("faultstring_contains", "violation_contains", "message"):
        assert fault.get(text, "nothing of it") not in str(raised.value)


def test_a_master_whose_rule_was_not_asked_for_is_no_single_appointment() -> None:
    name = "microsoft-docs/getitem-response-batch-single-master-meeting-with-attendees.xml"
    master = items_of_message(files.answer(name).messages[1])[0]
    with pytest.raises(Malformed, match="Recurrence is missing"):
        appointment_of(master, master.item_id, "UTC")
