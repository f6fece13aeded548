"""Recurrences that are odd, and those that must not be guessed at."""

from __future__ import annotations

from datetime import date

import pytest

from keepstep.core.appointment import AbsoluteYearly, Daily, Recurrence, Weekday, Weekly
from keepstep.exchange.ews.recurrence import recurrence_of
from keepstep.exchange.ews.wire import Malformed
from tests.unit.ews.elements import element

DAILY = "<DailyRecurrence><Interval>2</Interval></DailyRecurrence>"
NO_END = "<NoEndRecurrence><StartDate>2027-03-01</StartDate></NoEndRecurrence>"


def read(*inner: str) -> Recurrence:
    return recurrence_of(element(f"<Recurrence>{''.join(inner)}</Recurrence>"))


@pytest.mark.parametrize(
    "written",
    [
        "2027-03-01",
        "2027-03-01Z",
        "2027-03-01+14:00",
        "2027-03-01-05:00",
        "2027-03-01T00:00:00Z",
        "2027-03-01T00:00:00.000000000Z",
        "2027-03-01T23:59:59-11:00",
        "\n 2027-03-01+01:00 ",
    ],
)
def test_dates_are_taken_as_written(written: str) -> None:
    """The offset is that of the item's zone: applying it would move the series by a day."""
    ends = f"<EndDate>{written.replace('03-01', '05-31')}</EndDate>"
    range_ = f"<EndDateRecurrence><StartDate>{written}</StartDate>{ends}</EndDateRecurrence>"
    assert read(DAILY, range_) == Recurrence(
        Daily(2), date(2027, 3, 1), last_date=date(2027, 5, 31)
    )


def test_a_week_begins_on_sunday_unless_said() -> None:
    weekly = "<WeeklyRecurrence><Interval>1</Interval><DaysOfWeek>{}</DaysOfWeek>{}"
    days = frozenset({Weekday.MONDAY, Weekday.SUNDAY})
    plain = weekly.format(" Monday\n Sunday ", "") + "</WeeklyRecurrence>"
    assert read(plain, NO_END).pattern == Weekly(1, days, Weekday.SUNDAY)
    said = weekly.format("Sunday Monday", "<FirstDayOfWeek>Saturday</FirstDayOfWeek>")
    assert read(said + "</WeeklyRecurrence>", NO_END).pattern == Weekly(1, days, Weekday.SATURDAY)


def test_workdays_are_a_word_of_their_own() -> None:
    weekly = (
        "<WeeklyRecurrence><Interval>1</Interval><DaysOfWeek>Weekday</DaysOfWeek>"
        "</WeeklyRecurrence>"
    )
    assert read(weekly, NO_END).pattern == Weekly(1, frozenset(list(Weekday)[:5]))


def test_a_leap_day_every_year() -> None:
    yearly = (
        "<AbsoluteYearlyRecurrence><DayOfMonth>29</DayOfMonth><Month>February</Month>"
        "</AbsoluteYearlyRecurrence>"
    )
    assert read(yearly, NO_END).pattern == AbsoluteYearly(2, 29)


RANGE_OF = (
    "<NumberedRecurrence><StartDate>2027-03-01</StartDate>"
    "<NumberOfOccurrences>{}</NumberOfOccurrences></NumberedRecurrence>"
)


@pytest.mark.parametrize(
    "inner",
    [
        "",
        DAILY,
        NO_END,
        "<DailyRegeneration><Interval>1</Interval></DailyRegeneration>" + NO_END,
        "<WeeklyRegeneration><Interval>1</Interval></WeeklyRegeneration>" + NO_END,
        "<MonthlyRegeneration><Interval>1</Interval></MonthlyRegeneration>" + NO_END,
        "<YearlyRegeneration><Interval>1</Interval></YearlyRegeneration>" + NO_END,
        "<HourlyRecurrence><Interval>1</Interval></HourlyRecurrence>" + NO_END,
        "<DailyRecurrence><Interval>0</Interval></DailyRecurrence>" + NO_END,
        "<DailyRecurrence><Interval>-1</Interval></DailyRecurrence>" + NO_END,
        "<DailyRecurrence><Interval>often</Interval></DailyRecurrence>" + NO_END,
        "<WeeklyRecurrence><DaysOfWeek/></WeeklyRecurrence>" + NO_END,
        "<WeeklyRecurrence><DaysOfWeek>Funday</DaysOfWeek></WeeklyRecurrence>" + NO_END,
        "<AbsoluteMonthlyRecurrence><DayOfMonth>32</DayOfMonth></AbsoluteMonthlyRecurrence>"
        + NO_END,
        "<RelativeMonthlyRecurrence><DaysOfWeek>Monday</DaysOfWeek>"
        "<DayOfWeekIndex>Fifth</DayOfWeekIndex></RelativeMonthlyRecurrence>" + NO_END,
        "<AbsoluteYearlyRecurrence><DayOfMonth>1</DayOfMonth><Month>13</Month>"
        "</AbsoluteYearlyRecurrence>" + NO_END,
        DAILY + "<NoEndRecurrence/>",
        DAILY + "<NoEndRecurrence><StartDate>2027-02-30</StartDate></NoEndRecurrence>",
        DAILY + "<NoEndRecurrence><StartDate>20270228</StartDate></NoEndRecurrence>",
        DAILY + "<EndDateRecurrence><StartDate>2027-03-01</StartDate></EndDateRecurrence>",
        DAILY + RANGE_OF.format("0"),
        DAILY + RANGE_OF.format("9" * 5000),
        DAILY + RANGE_OF.format(""),
    ],
)
def test_what_would_be_wrong_if_guessed_is_malformed(inner: str) -> None:
    with pytest.raises(Malformed):
        read(inner)
