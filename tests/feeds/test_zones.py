"""VTIMEZONE, taken by itself, tells the same offsets as the rules that Keepstep reckons by."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from keepstep.core.appointment import Weekday, Zone, ZoneChange, ZoneEra
from keepstep.core.ical.zones import Observance, observances, zone_id
from keepstep.core.timezones import local
from keepstep.feeds.calendar_text import timezone_component
from tests.unit.core.builders import CUSTOM_NEW_YORK

YEARS = 2024, 2029
# Of each kind: no change, two rules, half an hour, a day after a weekday, Ramadan, southern,
# summer as the standard time, an end of all changes, a change long ago.
NAMES = (
    "Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Jerusalem",
    "Africa/Casablanca", "America/Santiago", "Europe/Dublin", "America/Sao_Paulo", "Asia/Kathmandu",
    "Pacific/Apia", "America/Havana", "Etc/GMT-3",
)  # fmt: skip
# As Windows tells Brazil's: a thousandth before midnight; and by a fixed day.
ODD = Zone(
    "Etc/GMT+3",
    (
        ZoneEra(
            None,
            timedelta(hours=-3),
            (
                ZoneChange(
                    10, 3, Weekday.SATURDAY, 0, time(23, 59, 59, 999000), timedelta(hours=-2)
                ),
                ZoneChange(2, 0, Weekday.SUNDAY, 15, time(0), timedelta(hours=-3)),
            ),
        ),
    ),
    "Odd \r\n<Zone>",
)
ZONES = [*map(Zone, NAMES), CUSTOM_NEW_YORK, ODD]


@pytest.mark.parametrize("zone", ZONES, ids=zone_id)
def test_a_reader_of_the_component_reckons_as_keepstep_does(zone: Zone) -> None:
    """Read by dateutil, each thirteen hours of six years, and in the years beyond each month."""
    read = timezone_component(zone, *YEARS).to_tz(lookup_tzid=False)
    at = datetime.combine(date(YEARS[0], 1, 1), time())
    while at.year < 2040:
        moment = at.replace(tzinfo=UTC)
        shown = local(moment, zone)
        wall = shown.replace(tzinfo=read)
        # In a doubled hour a wall time tells two moments.
        if local(moment - timedelta(hours=2), zone) + timedelta(hours=2) == shown:
            assert wall.utcoffset() == shown - at, (zone_id(zone), shown)
        at += timedelta(hours=13) if at.year <= YEARS[1] else timedelta(days=23)


def told(zone: Zone) -> list[tuple[bool, str, str]]:
    return [(each.is_daylight, str(each.begins), _rule(each)) for each in observances(zone, *YEARS)]


def _rule(observance: Observance) -> str:
    rule = observance.rule or {}
    return ";".join(f"{name}={','.join(map(str, values))}" for name, values in rule.items())


def test_a_zone_with_two_rules_is_told_by_two_rules() -> None:
    assert told(Zone("Europe/Berlin")) == [
        (True, "2023-03-26 02:00:00", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
        (False, "2023-10-29 03:00:00", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
    ]


def test_a_day_that_hangs_on_another_weekday_is_told_by_the_days_of_the_month() -> None:
    """In Israel summer begins on the Friday before the last Sunday of March."""
    assert told(Zone("Asia/Jerusalem"))[0] == (
        True,
        "2023-03-24 02:00:00",
        "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=23,24,25,26,27,28,29;BYDAY=FR",
    )


def test_a_zone_without_changes_is_told_by_one_standard_time() -> None:
    assert [(each.is_daylight, each.rule) for each in observances(Zone("Asia/Tokyo"), *YEARS)] == [
        (False, None)
    ]


def test_a_zone_that_only_the_wire_describes_has_a_name_of_its_own() -> None:
    assert zone_id(CUSTOM_NEW_YORK).startswith("Customized Time Zone ")
    assert zone_id(ODD) != zone_id(CUSTOM_NEW_YORK)
    assert not any(each in zone_id(ODD) for each in "\r\n<>;:")
    assert len(observances(CUSTOM_NEW_YORK, *YEARS)) == 2
