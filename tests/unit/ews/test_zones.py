"""Time zones as the wire describes them."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from keepstep.core.appointment import Weekday, ZoneChange, ZoneEra
from keepstep.exchange.ews.wire import Malformed
from keepstep.exchange.ews.zones import (
    eras_of_definition,
    eras_of_meeting_zone,
    zone_of_definition,
    zone_of_meeting_zone,
)
from tests.unit.ews.elements import element

HOUR = timedelta(hours=1)

PERIODS = (
    '<Periods><Period Bias="-PT120M" Name="Standard" Id="S"/>'
    '<Period Bias="-PT3H" Name="Daylight" Id="D"/><Period Bias="PT3H30M" Id="X"/></Periods>'
)
DAY_CHANGE = (
    '<RecurringDayTransition><To Kind="Period">{}</To><TimeOffset>{}</TimeOffset>'
    "<Month>{}</Month><DayOfWeek>{}</DayOfWeek><Occurrence>{}</Occurrence>"
    "</RecurringDayTransition>"
)
SUMMER = DAY_CHANGE.format("D", "PT2H", 3, "Sunday", -1)
WINTER = DAY_CHANGE.format("S", "PT3H", 10, "Sunday", -1)
TO_GROUP = '<Transition><To Kind="Group">{}</To></Transition>'


def definition(groups: str, transitions: str, attributes: str = 'Id="Own"') -> str:
    return (
        f"<StartTimeZone {attributes}>{PERIODS}<TransitionsGroups>{groups}</TransitionsGroups>"
        f"<Transitions>{transitions}</Transitions></StartTimeZone>"
    )


def eras(groups: str, transitions: str) -> tuple[ZoneEra, ...]:
    return eras_of_definition(element(definition(groups, transitions)))


TWICE_A_YEAR = f'<TransitionsGroup Id="0">{SUMMER}{WINTER}</TransitionsGroup>'
CHANGES = (
    ZoneChange(3, -1, Weekday.SUNDAY, 0, time(2), 3 * HOUR),
    ZoneChange(10, -1, Weekday.SUNDAY, 0, time(3), 2 * HOUR),
)


def test_yearly_changes() -> None:
    assert eras(TWICE_A_YEAR, TO_GROUP.format(0)) == (ZoneEra(None, 2 * HOUR, CHANGES),)


def test_changes_are_in_order_of_the_year_however_they_are_sent() -> None:
    swapped = f'<TransitionsGroup Id="0">{WINTER}{SUMMER}</TransitionsGroup>'
    assert eras(swapped, TO_GROUP.format(0)) == (ZoneEra(None, 2 * HOUR, CHANGES),)


def test_a_group_that_names_a_period_has_no_changes() -> None:
    fixed = '<TransitionsGroup Id="0"><Transition><To Kind="Period">X</To></Transition>'
    told = eras(fixed + "</TransitionsGroup>", TO_GROUP.format(0))
    assert told == (ZoneEra(None, -timedelta(hours=3, minutes=30)),)


@pytest.mark.parametrize("moment", ["2007-01-01T00:00:00", "2007-01-01T00:00:00Z"])
def test_rules_change_at_a_wall_time(moment: str) -> None:
    fixed = '<TransitionsGroup Id="1"><Transition><To Kind="Period">S</To></Transition>'
    later = (
        f'<AbsoluteDateTransition><To Kind="Group">0</To><DateTime>{moment}</DateTime>'
        "</AbsoluteDateTransition>"
    )
    told = eras(TWICE_A_YEAR + fixed + "</TransitionsGroup>", later + TO_GROUP.format(1))
    assert told == (
        ZoneEra(None, 2 * HOUR),
        ZoneEra(datetime(2007, 1, 1), 2 * HOUR, CHANGES),  # noqa: DTZ001 - a wall time
    )


def test_a_change_on_a_fixed_day() -> None:
    by_date = (
        '<RecurringDateTransition><To Kind="Period">D</To><TimeOffset>PT0H</TimeOffset>'
        "<Month>4</Month><Day>1</Day></RecurringDateTransition>"
    )
    group = f'<TransitionsGroup Id="0">{by_date}{WINTER}</TransitionsGroup>'
    [era] = eras(group, TO_GROUP.format(0))
    assert era.changes[0] == ZoneChange(4, 0, Weekday.MONDAY, 1, time(0), 3 * HOUR)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("PT0S", time(0)),
        ("PT24H", time.max),
        ("P1D", time.max),
        ("PT23H59M59.999S", time(23, 59, 59, 999000)),
        ("-PT1H", time(0)),
    ],
)
def test_a_change_at_the_edge_of_a_day(written: str, at: time) -> None:
    group = f'<TransitionsGroup Id="0">{DAY_CHANGE.format("D", written, 3, "Friday", 2)}{WINTER}'
    [era] = eras(group + "</TransitionsGroup>", TO_GROUP.format(0))
    assert era.changes[0].at == at


def test_the_fifth_weekday_is_the_last() -> None:
    group = f'<TransitionsGroup Id="0">{DAY_CHANGE.format("D", "PT2H", 3, "Friday", 5)}{WINTER}'
    [era] = eras(group + "</TransitionsGroup>", TO_GROUP.format(0))
    assert era.changes[0].position == -1


@pytest.mark.parametrize(
    "broken",
    [
        definition(TWICE_A_YEAR, TO_GROUP.format(7)),
        definition(TWICE_A_YEAR.replace(">D<", ">E<"), TO_GROUP.format(0)),
        definition(TWICE_A_YEAR.replace("PT2H", "2 h"), TO_GROUP.format(0)),
        definition(TWICE_A_YEAR.replace("Sunday", "Someday"), TO_GROUP.format(0)),
        definition(TWICE_A_YEAR.replace(">-1<", ">0<"), TO_GROUP.format(0)),
        definition(TWICE_A_YEAR, TO_GROUP.format(0)).replace("-PT120M", "PT48H"),
        definition(TWICE_A_YEAR, TO_GROUP.format(0)).replace("-PT120M", "P"),
    ],
)
def test_rules_that_can_not_be_read_are_as_if_not_sent_and_doubted_aloud(broken: str) -> None:
    with pytest.raises(Malformed):
        eras_of_definition(element(broken))
    found = zone_of_definition(element(broken))
    assert found is not None
    assert (found[0].eras, found[1]) == ((), "unknown-time-zone")


def test_a_zone_known_by_name_needs_no_rules() -> None:
    known = definition("", "", 'Id="W. Europe Standard Time" Name="(UTC+01:00) Amsterdam"')
    found = zone_of_definition(element(known))
    assert found is not None
    assert (found[0].name, found[1]) == ("Europe/Berlin", "")


def test_a_definition_without_id_and_name_goes_by_its_rules() -> None:
    nameless = definition(TWICE_A_YEAR, TO_GROUP.format(0), 'Id="" Name=""')
    found = zone_of_definition(element(nameless))
    assert found is not None
    assert found[0].eras == (ZoneEra(None, 2 * HOUR, CHANGES),)
    assert found[1] == "unknown-time-zone"


def test_a_definition_that_says_nothing_is_none() -> None:
    assert zone_of_definition(element('<StartTimeZone Id="" Name=""/>')) is None
    assert zone_of_meeting_zone(element("<MeetingTimeZone/>")) is None


MEETING = (
    "<MeetingTimeZone><BaseOffset>PT360M</BaseOffset>"
    "<Standard><Offset>PT0M</Offset>{}<Time>02:00:00</Time></Standard>"
    "<Daylight><Offset>{}</Offset><RelativeYearlyRecurrence><DaysOfWeek>Sunday</DaysOfWeek>"
    "<DayOfWeekIndex>Second</DayOfWeekIndex><Month>March</Month></RelativeYearlyRecurrence>"
    "<Time>02:00:00.0000000</Time></Daylight></MeetingTimeZone>"
)
NOVEMBER = (
    "<RelativeYearlyRecurrence><DaysOfWeek>Sunday</DaysOfWeek>"
    "<DayOfWeekIndex>First</DayOfWeekIndex><Month>November</Month></RelativeYearlyRecurrence>"
)


def test_the_form_of_2007_has_one_bias_and_two_changes() -> None:
    [era] = eras_of_meeting_zone(element(MEETING.format(NOVEMBER, "-PT60M")))
    assert era == ZoneEra(
        None,
        -6 * HOUR,
        (
            ZoneChange(3, 2, Weekday.SUNDAY, 0, time(2), -5 * HOUR),
            ZoneChange(11, 1, Weekday.SUNDAY, 0, time(2), -6 * HOUR),
        ),
    )


def test_the_form_of_2007_with_a_date_and_without_daylight_time() -> None:
    dated = "<AbsoluteDate>2026-11-01</AbsoluteDate>"
    [era] = eras_of_meeting_zone(element(MEETING.format(dated, "-PT60M")))
    assert era.changes[1] == ZoneChange(11, 0, Weekday.MONDAY, 1, time(2), -6 * HOUR)
    [fixed] = eras_of_meeting_zone(element(MEETING.format(NOVEMBER, "PT0M")))
    assert fixed == ZoneEra(None, -6 * HOUR)
