"""Zones by the names that servers use, and by the rules they send."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from keepstep.core.appointment import Weekday, Zone, ZoneChange, ZoneEra
from keepstep.core.timezones import instant, local, zone_exists, zone_from_wire
from tests.unit.core.builders import (
    CUSTOM_NEW_YORK,
    NEW_YORK,
    NEW_YORK_ERAS,
    sunday_rule,
    utc,
    wall,
)

BERLIN_RULES = (
    ZoneEra(
        None,
        timedelta(hours=1),
        (sunday_rule(3, -1, time(2), 2), sunday_rule(10, -1, time(3), 1)),
    ),
)
# The southern summer spans the new year.
SYDNEY_RULES = (
    ZoneEra(
        None,
        timedelta(hours=11),
        (sunday_rule(4, 1, time(3), 10), sunday_rule(10, 1, time(2), 11)),
    ),
)


@pytest.mark.parametrize(
    ("wire_id", "name"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe STANDARD time", "Europe/Berlin"),
        (" W. Europe Standard Time ", "Europe/Berlin"),
        ("Eastern Standard Time", "America/New_York"),
        ("Nepal Standard Time", "Asia/Katmandu"),  # CLDR keeps to the older spelling
        ("Lord Howe Standard Time", "Australia/Lord_Howe"),
        ("Samoa Standard Time", "Pacific/Apia"),
        ("UTC", "UTC"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("Europe/Paris", "Europe/Paris"),
        ("Etc/UTC", "UTC"),
        ("Etc/GMT-3", "Etc/GMT-3"),
    ],
)
def test_a_known_zone_is_known_without_a_doubt(wire_id: str, name: str) -> None:
    """The rules sent with it are left aside for those of the IANA data."""
    zone, warning = zone_from_wire(wire_id, "", BERLIN_RULES)
    assert (zone.name, zone.eras, warning) == (name, (), "")
    assert zone.wire_name == wire_id


def test_a_zone_can_be_known_by_its_display_name() -> None:
    zone, warning = zone_from_wire("", "Eastern Standard Time", ())
    assert (zone.name, warning) == ("America/New_York", "")


@pytest.mark.parametrize(
    "wire_id", ["tzone://Microsoft/Custom", "Customized Time Zone", "My Time", "", "../UTC"]
)
@pytest.mark.parametrize(
    ("eras", "name"),
    [
        (BERLIN_RULES, "Europe/Berlin"),
        (SYDNEY_RULES, "Australia/Sydney"),
        (NEW_YORK_ERAS, "America/New_York"),
        ((ZoneEra(None, timedelta(hours=3)),), "Etc/GMT-3"),
        ((ZoneEra(None, timedelta(hours=-8)),), "Etc/GMT+8"),
        ((ZoneEra(None, timedelta(0)),), "UTC"),
        ((ZoneEra(None, timedelta(minutes=345)),), "UTC"),
    ],
)
def test_an_unknown_zone_follows_the_rules_sent_with_it(
    wire_id: str, eras: tuple[ZoneEra, ...], name: str
) -> None:
    zone, warning = zone_from_wire(wire_id, "", eras)
    assert (zone.name, zone.eras, zone.wire_name) == (name, eras, wire_id)
    assert warning == "unknown-time-zone"


def test_rules_like_no_other_zone_are_named_by_their_winter() -> None:
    odd = (
        ZoneEra(
            None,
            timedelta(hours=2),
            (sunday_rule(5, 2, time(1), 3), sunday_rule(8, 3, time(4), 2)),
        ),
    )
    zone, warning = zone_from_wire("", "Odd", odd)
    assert (zone.name, zone.eras, warning) == ("Etc/GMT-2", odd, "unknown-time-zone")
    assert instant(wall("2026-06-01 09:00"), zone) == utc("2026-06-01 06:00")


def test_an_unknown_zone_without_rules_is_utc_with_a_warning() -> None:
    zone, warning = zone_from_wire("My Time", "Mine", ())
    assert (zone, warning) == (Zone("UTC", wire_name="My Time"), "unknown-time-zone")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../../etc/passwd", "/etc/passwd", "Europe", "europe/Nowhere", "a" * 5000,
     "Europe/Berlin\0", "localtime", "posixrules", "Factory", "Europe//Berlin", "Ünal"],
)  # fmt: skip
def test_what_is_no_zone_does_not_exist(name: str) -> None:
    assert not zone_exists(name)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Etc/GMT+8", "America/Port-au-Prince"])
def test_a_zone_exists(name: str) -> None:
    assert zone_exists(name)


def test_a_zone_by_its_rules_equals_the_zone_it_spells_out() -> None:
    """Every half hour about each change, and noon of each day between, over thirty years."""
    moment = utc("1995-01-01")
    differing = []
    while moment < utc("2026-01-01"):
        if local(moment, CUSTOM_NEW_YORK) != local(moment, NEW_YORK):
            differing.append(moment)
        clock = local(moment, NEW_YORK)
        if instant(clock, CUSTOM_NEW_YORK) != instant(clock, NEW_YORK):
            differing.append(moment)
        near = moment.month in (3, 4, 10, 11)
        moment += timedelta(minutes=30) if near and moment.weekday() == 6 else timedelta(hours=6)
    assert differing == []


@pytest.mark.parametrize(
    ("rules", "name"), [(BERLIN_RULES, "Europe/Berlin"), (SYDNEY_RULES, "Australia/Sydney")]
)
def test_the_zone_by_rules_equals_the_named_one_hour_by_hour(
    rules: tuple[ZoneEra, ...], name: str
) -> None:
    custom, named = Zone(name, rules), Zone(name)
    hours = [utc("2024-12-30") + timedelta(hours=number) for number in range(2 * 8784)]
    assert [local(hour, custom) for hour in hours] == [local(hour, named) for hour in hours]
    walls = [hour.replace(tzinfo=None) + timedelta(minutes=30) for hour in hours]
    assert [instant(each, custom) for each in walls] == [instant(each, named) for each in walls]


def test_an_era_that_begins_within_a_year_begins_in_its_season() -> None:
    """From fixed time to Berlin's rules in July, that is, into summer time."""
    summer = ZoneEra(wall("2026-07-01"), timedelta(hours=1), BERLIN_RULES[0].changes)
    eras = (ZoneEra(None, timedelta(hours=1)), summer)
    zone = Zone("UTC", eras)
    assert instant(wall("2026-06-30 12:00"), zone) == utc("2026-06-30 11:00")
    assert instant(wall("2026-07-01 12:00"), zone) == utc("2026-07-01 10:00")
    assert local(utc("2026-06-30 22:59"), zone) == wall("2026-06-30 23:59")
    assert local(utc("2026-06-30 23:00"), zone) == wall("2026-07-01 01:00")
    assert instant(wall("2026-12-01 12:00"), zone) == utc("2026-12-01 11:00")


def test_an_era_without_changes_ends_the_daylight_time() -> None:
    eras = (*NEW_YORK_ERAS, ZoneEra(wall("2027-01-01"), timedelta(hours=-4)))
    zone = Zone("America/New_York", eras)
    assert instant(wall("2026-12-31 12:00"), zone) == utc("2026-12-31 17:00")
    assert instant(wall("2027-01-01 12:00"), zone) == utc("2027-01-01 16:00")
    assert instant(wall("2027-07-01 12:00"), zone) == utc("2027-07-01 16:00")


def test_a_change_on_a_fixed_day_happens_on_it() -> None:
    changes = (
        ZoneChange(2, 0, Weekday.MONDAY, 31, time(0), timedelta(hours=2)),  # the last of February
        ZoneChange(9, 0, Weekday.MONDAY, 15, time(0), timedelta(hours=1)),
    )
    zone = Zone("UTC", (ZoneEra(None, timedelta(hours=1), changes),))
    assert local(utc("2026-02-27 22:59"), zone) == wall("2026-02-27 23:59")
    assert local(utc("2026-02-27 23:00"), zone) == wall("2026-02-28 01:00")
    assert local(utc("2028-02-28 23:00"), zone) == wall("2028-02-29 01:00")
    assert local(utc("2026-09-14 22:00"), zone) == wall("2026-09-14 23:00")


@pytest.mark.parametrize(
    "zone", [Zone("Pacific/Kiritimati"), Zone("Pacific/Pago_Pago"), CUSTOM_NEW_YORK]
)
def test_the_ends_of_the_calendar_raise_nothing(zone: Zone) -> None:
    for edge in (utc("0001-01-01"), utc("9999-12-31 23:59")):
        assert local(edge, zone).year == edge.year
        assert instant(edge.replace(tzinfo=None), zone).year == edge.year
