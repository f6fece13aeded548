"""Items in answers, read to every value that they hold."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from keepstep.exchange.ews.item import CALENDAR_ITEM, ItemOnWire, read_item
from tests.samples import files
from tests.samples.exchange_items import EXCHANGE
from tests.samples.expectation import seen, zulu
from tests.samples.gromox_series import SERIES
from tests.samples.gromox_texts import TEXTS
from tests.samples.gromox_times import TIMES
from tests.samples.messages import FOUND

ITEMS = EXCHANGE | SERIES | TEXTS | TIMES
_T = "{http://schemas.microsoft.com/exchange/services/2006/types}"


def items_in(name: str) -> list[tuple[etree._Element, ItemOnWire]]:
    """Give the items of an answer, as elements and as read; nested ones are none of them."""
    return [
        (element, read_item(element))
        for element in files.answer(name).response.iter(CALENDAR_ITEM)
        if (parent := element.getparent()) is not None and parent.tag.endswith("}Items")
    ]


@pytest.mark.parametrize("name", sorted(ITEMS))
def test_items_are_read_to_every_value(name: str) -> None:
    assert tuple(seen(item) for _, item in items_in(name)) == ITEMS[name]


@pytest.mark.parametrize("name", sorted(FOUND))
def test_items_of_other_operations_are_read_as_well(name: str) -> None:
    items = items_in(name)
    assert len(items) == FOUND[name]
    for element, item in items:
        assert item.item_id == element.find(f"{_T}ItemId").get("Id")  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(ITEMS | FOUND))
def test_plain_values_are_those_between_the_tags(name: str) -> None:
    """The same values, read a second way: by name from the element, compared as they stand."""
    for element, item in items_in(name):
        assert item.uid == element.findtext(f"{_T}UID")
        assert (item.subject or None) == (element.findtext(f"{_T}Subject") or None)
        assert (item.location or None) == (element.findtext(f"{_T}Location") or None)
        assert item.kind == element.findtext(f"{_T}CalendarItemType")
        for moment, tag in ((item.start, "Start"), (item.end, "End")):
            assert zulu(moment) == _whole_seconds(element.findtext(_T + tag))
        told = [one.text for one in element.iterfind(f"{_T}Categories/{_T}String")]
        assert list(item.categories) == told
        addresses = [
            address.text or ""
            for role in ("RequiredAttendees", "OptionalAttendees", "Resources")
            for address in element.iterfind(f"{_T}{role}//{_T}EmailAddress")
        ]
        assert [one.email for one in item.attendees] == addresses


def _whole_seconds(text: str | None) -> str | None:
    return None if text is None else re.sub(r"\.\d+", "", text.strip())


def test_a_body_that_is_html_comes_as_plain_text_with_its_links() -> None:
    for name in ("html-body-as-html", "html-body-best"):
        [(_, item)] = items_in(f"gromox/getitem-response-{name}.xml")
        assert item.body is not None
        assert item.body.startswith("Привет, мир! 😀 & café")
        assert "deal <https://crm.example" in item.body
        assert "<p" not in item.body


def test_a_legacy_address_is_shown_by_its_name_alone() -> None:
    names = [
        (item.organizer.name, item.organizer.email)
        for file in (
            "field/finditem-allproperties-no-view-allday-summer-time.xml",
            "field/finditem-allproperties-three-items-allday-india.xml",
        )
        for _, item in items_in(file)
        if item.organizer is not None
    ]
    assert names
    assert all(name and not address for name, address in names)
