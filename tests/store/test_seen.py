"""Calendars as one person may see them: sight, meetings once, exceptions, how many queries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from keepstep.core.appointment import Response, Sensitivity
from keepstep.core.decisions import RowState
from keepstep.core.record import Shown
from keepstep.core.roles import Sight
from keepstep.core.shown_times import WallClock
from keepstep.store import calendar, seen, seen_detail
from keepstep.store.seen import SeenOperator
from tests.web.calendars import (
    DAY,
    HOUR,
    SECRET,
    add_operator,
    all_day,
    changed,
    meeting,
    put,
    single,
    weekly,
)

pytestmark = pytest.mark.usefixtures("any_database")

MONDAY = date(2026, 11, 23)
TEN = datetime(2026, 11, 24, 9, tzinfo=UTC)
PRIVATE = [Sensitivity.PRIVATE, Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL]


@pytest.fixture
def anna(any_database):
    return add_operator("anna@example.com", "Anna", "West")


@pytest.fixture
def ben(any_database):
    return add_operator("ben@example.com", "Ben", "West")


def whole(*operators):
    return [SeenOperator(each, Sight.ALL) for each in operators]


def from_outside(*operators):
    return [SeenOperator(each, Sight.NOT_PRIVATE) for each in operators]


def week(members, first=MONDAY, days=7, zone="Europe/Berlin", **options):
    return seen.entries(members, calendar.window(zone, first, first + days * DAY), **options)


def starts(entries):
    return sorted(time.start for entry in entries for time in entry.times)


@pytest.mark.parametrize("sensitivity", PRIVATE)
def test_a_private_one_is_blocked_time_to_others_and_whole_to_its_owner(anna, sensitivity):
    put(anna, single(SECRET, TEN, location=SECRET, sensitivity=sensitivity))
    (own,) = week(whole(anna))
    assert (own.subject, own.location, own.is_private, own.is_withheld) == (
        SECRET,
        SECRET,
        True,
        False,
    )
    (blocked,) = week(from_outside(anna))
    assert SECRET not in repr(blocked)
    assert (blocked.is_withheld, blocked.show_as, starts([blocked])) == (True, "busy", [TEN])


def test_one_private_occurrence_of_an_open_series_is_withheld_alone(anna):
    series = weekly("Open", TEN)
    put(anna, changed(series, 1, HOUR, subject=SECRET, sensitivity=Sensitivity.PRIVATE))
    found = week(from_outside(anna), days=14)
    assert SECRET not in repr(found)
    assert {(each.subject, each.is_withheld, each.is_exception) for each in found} == {
        ("Open", False, False),
        ("", True, False),
    }


def test_an_open_occurrence_of_a_private_series_is_withheld_too(anna):
    series = weekly(SECRET, TEN, sensitivity=Sensitivity.PRIVATE)
    put(anna, changed(series, 1, HOUR, subject=SECRET, sensitivity=Sensitivity.NORMAL))
    found = week(from_outside(anna), days=14)
    assert SECRET not in repr(found)
    assert all(each.is_withheld for each in found)
    assert starts(found) == [TEN, TEN + 7 * DAY + HOUR]


def test_a_withheld_one_that_is_cancelled_is_not_shown_at_all(anna):
    put(anna, single(SECRET, TEN, sensitivity=Sensitivity.PRIVATE, cancelled=True))
    assert week(from_outside(anna), include_cancelled=True) == []
    assert len(week(whole(anna), include_cancelled=True)) == 1


def test_cancelled_ones_are_shown_when_asked_for(anna):
    put(anna, single("off", TEN, cancelled=True))
    assert week(whole(anna)) == []
    assert [each.is_cancelled for each in week(whole(anna), include_cancelled=True)] == [True]


def test_a_meeting_comes_once_with_all_its_operators(anna, ben):
    made = meeting("Review", TEN, ben, [anna])
    put(anna, replace(made, details=replace(made.details, subject="FW: Review")))
    put(ben, made)
    (only,) = week(from_outside(anna, ben))
    assert only.operators == (anna.pk, ben.pk)
    assert only.subject == "Review"


def test_a_copy_that_stands_goes_before_one_that_is_cancelled(anna, ben):
    made = meeting("Review", TEN, ben, [anna])
    put(anna, made)
    put(ben, replace(made, details=replace(made.details, cancelled=True)))
    (only,) = week(from_outside(anna, ben), include_cancelled=True)
    assert not only.is_cancelled


def test_occurrences_that_only_some_attend_come_apart_and_the_rest_stay_together(anna, ben):
    series = weekly("Call", TEN)
    put(anna, series)
    put(ben, replace(series, deleted=(TEN + 7 * DAY,)))
    found = week(whole(anna, ben), days=21)
    assert {each.operators: starts([each]) for each in found} == {
        (anna.pk, ben.pk): [TEN, TEN + 14 * DAY],
        (anna.pk,): [TEN + 7 * DAY],
    }


def test_a_withheld_copy_joins_only_a_meeting_that_names_its_operator(anna, ben):
    made = meeting("Review", TEN, anna, [ben])
    put(anna, made)
    put(ben, replace(made, details=replace(made.details, sensitivity=Sensitivity.PRIVATE)))
    (only,) = week(from_outside(anna, ben))
    assert (only.subject, only.operators) == ("Review", (anna.pk, ben.pk))


def test_a_withheld_copy_of_a_meeting_that_does_not_name_its_operator_stands_alone(anna, ben):
    made = single("Board", TEN)
    put(anna, made)
    put(ben, replace(made, details=replace(made.details, sensitivity=Sensitivity.PRIVATE)))
    found = week(from_outside(anna, ben))
    assert {(each.subject, each.operators) for each in found} == {
        ("Board", (anna.pk,)),
        ("", (ben.pk,)),
    }


def test_two_withheld_copies_of_one_meeting_do_not_tell_that_they_are_one(anna, ben):
    made = meeting(SECRET, TEN, anna, [ben])
    made = replace(made, details=replace(made.details, sensitivity=Sensitivity.PRIVATE))
    put(anna, made)
    put(ben, made)
    found = week(from_outside(anna, ben))
    assert sorted(each.operators for each in found) == [(anna.pk,), (ben.pk,)]


def test_it_shows_what_the_command_line_lists(anna, ben):
    put(anna, single("late", datetime(2026, 11, 22, 23, 30, tzinfo=UTC)))
    put(anna, single("flash", datetime(2026, 11, 22, 23, tzinfo=UTC), timedelta(0)))
    put(anna, single("before", datetime(2026, 11, 22, 22, tzinfo=UTC)))
    put(anna, single("after", datetime(2026, 11, 29, 23, tzinfo=UTC)))
    put(anna, all_day("days", date(2026, 11, 21), 3))
    put(anna, all_day("later days", date(2026, 11, 30)))
    put(anna, changed(weekly("moved in", TEN - 28 * DAY), 2, 15 * DAY))
    put(anna, changed(weekly("moved out", TEN - 28 * DAY), 4, 12 * DAY, subject="elsewhere"))
    put(anna, single("held", TEN), RowState.HELD)
    put(anna, single("removed", TEN), RowState.REMOVED)
    ended = weekly("ended", TEN - 28 * DAY)
    put(anna, ended, RowState.RECORD, Shown(until=TEN + HOUR), part=1)
    listed = calendar.entries("anna@example.com", MONDAY, MONDAY + 7 * DAY)
    shown = [
        (
            each.subject,
            (time.first_day or time.start).isoformat().replace("+00:00", "Z"),
            time.original is not None,
        )
        for each in week(whole(anna))
        for time in each.times
    ]
    assert sorted(shown) == sorted(
        (each["subject"], each["start"], each["recurrence_id"] is not None) for each in listed
    )
    assert len(shown) == 7


def test_what_one_has_declined_and_what_a_person_kept_are_marked(anna):
    put(anna, single("no", TEN, response=Response.DECLINED))
    put(anna, single("kept", TEN), RowState.KEPT)
    put(anna, single('"r":"declined"', TEN, categories=('"r":"declined"',)))
    marks = {each.subject: (each.is_declined, each.is_kept) for each in week(whole(anna))}
    assert marks == {
        "no": (True, False),
        "kept": (False, True),
        '"r":"declined"': (False, False),
    }


def test_a_team_is_read_by_one_query_however_many_it_has(anna, ben):
    more = [add_operator(f"o{number}@example.com", "", "West") for number in range(20)]
    for each in (anna, ben, *more):
        put(each, single(f"of {each.email}", TEN))
    members = whole(anna, ben, *more)
    for each in members:
        assert each.operator.mailbox
    with CaptureQueriesContext(connection) as queries:
        assert len(week(members)) == 22
    assert len(queries) == 1


def test_an_agenda_has_what_lasts_for_days_on_each_of_them(anna):
    put(anna, all_day("fair", MONDAY - DAY, 3))
    put(anna, single("night", datetime(2026, 11, 24, 22, tzinfo=UTC), 4 * HOUR))
    days = calendar.window("Europe/Berlin", MONDAY, MONDAY + 7 * DAY)
    clock = WallClock(ZoneInfo("Europe/Berlin"), days.start, days.end)
    agenda = seen.by_day(week(whole(anna)), days, clock)
    assert [(day, [each.entry.subject for each in lines]) for day, lines in agenda] == [
        (MONDAY, ["fair"]),
        (MONDAY + DAY, ["fair", "night"]),
        (MONDAY + 2 * DAY, ["night"]),
    ]


def test_an_occurrence_is_found_by_its_original_start_wherever_it_was_moved(anna):
    row = put(anna, changed(weekly("Call", TEN), 1, 9 * DAY, subject="Moved"))
    found = seen_detail.find(row.pk, TEN + 7 * DAY)
    assert found.occurrence.details.subject == "Moved"
    assert found.occurrence.start == TEN + 16 * DAY
    assert seen_detail.find(row.pk, TEN + 14 * DAY).occurrence.details.subject == "Call"
    assert seen_detail.find(row.pk, TEN + 8 * DAY) is None
    assert seen_detail.find(row.pk, None).occurrence.start == TEN


def test_an_occurrence_that_went_over_to_the_record_of_the_past_is_found_there(anna):
    series = weekly("Call", TEN)
    row = put(anna, replace(series, item_id="new"), shown=Shown(after=TEN + 8 * DAY))
    record = put(anna, series, RowState.RECORD, Shown(until=TEN + 8 * DAY), part=1)
    assert seen_detail.find(row.pk, TEN).row == record.pk
    assert seen_detail.find(row.pk, TEN + 14 * DAY).row == row.pk


def test_what_was_removed_is_not_found(anna):
    row = put(anna, single("gone", TEN), RowState.REMOVED)
    assert seen_detail.find(row.pk, None) is None
    assert seen_detail.find(row.pk + 1, None) is None


def test_whose_calendars_a_meeting_is_in_tells_of_withheld_copies_only_what_it_names(anna, ben):
    made = single("Board", TEN)
    row = put(anna, made)
    put(ben, replace(made, details=replace(made.details, sensitivity=Sensitivity.PRIVATE)))
    found = seen_detail.find(row.pk, None)
    assert seen_detail.shared_with(found, from_outside(anna, ben)) == [anna]
    assert seen_detail.shared_with(found, whole(anna, ben)) == [anna, ben]
