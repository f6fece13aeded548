"""The fragments, put where they were cut out."""

from __future__ import annotations

from datetime import timedelta

from lxml import etree

from keepstep.core.appointment import Attendee, Response, Role, ZoneEra
from keepstep.exchange.ews.item import read_item
from keepstep.exchange.ews.zones import eras_of_definition, zone_of_definition
from tests.samples import files
from tests.samples.fragments import FRAGMENTS

_T = "{http://schemas.microsoft.com/exchange/services/2006/types}"


def fragment(kind: str) -> etree._Element:
    [name] = [name for name, of_kind in FRAGMENTS.items() if of_kind == kind]
    return etree.fromstring(files.content(name))


def test_an_attendee_without_an_address_and_of_an_unknown_kind_is_kept_by_name() -> None:
    item = etree.Element(f"{_T}CalendarItem")
    item.append(fragment("attendees"))
    hidden = "***REDACTED***"
    assert read_item(item).attendees == (
        Attendee(hidden, hidden, Role.REQUIRED, Response.NONE),
        Attendee(hidden, "", Role.REQUIRED, Response.NONE),
    )


def test_a_zone_whose_group_names_a_period_is_one_without_changes() -> None:
    element = fragment("zone")
    found = zone_of_definition(element)
    assert found is not None
    zone, warning = found
    assert (zone.name, warning) == ("UTC", "")
    assert eras_of_definition(element) == (ZoneEra(None, timedelta(0)),)


def test_is_recurring_does_not_make_a_series() -> None:
    item = read_item(fragment("item"))
    assert item.kind is None
    assert not item.is_series
    assert item.subject is None
    assert item.location == "Pleasanton, California, United States"
    assert (item.show_as, item.is_cancelled, item.all_day) == ("tentative", False, False)
    assert item.uid is not None
    assert item.uid.endswith("9D0B5711B9F83F")
