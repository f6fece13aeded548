"""What the items in answers of Exchange hold."""
# ruff: noqa: E501, RUF001 - texts of the samples, in their scripts

from __future__ import annotations

from datetime import date

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Recurrence,
    Weekday,
    Weekly,
)
from tests.samples.expectation import Expected
from tests.samples.words import days

EXCHANGE: dict[str, tuple[Expected, ...]] = {
    "field/getitem-allproperties-text-body-categories.xml": (
        Expected(
            subject="Test Calendar Item",
            start="2020-04-07T10:24:37Z",
            end="2020-04-07T10:54:37Z",
            zone=None,
            body="Body line 1.\nBody line 2.",
            cancelled=False,
            response="organizer",
            organizer="alice@example.com",
            categories=("Green category",),
        ),
    ),
    "field/getitem-meeting-attendees-all-answers-conflicts.xml": (
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-20T20:42:50Z",
            end="2050-05-20T21:43:51Z",
            zone=None,
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
            attendees=(
                "required none ämëlïä ëärhärt <earheart@example.com>",
                "required none máŕíé ćúŕíé <curie@example.com>",
                "required none ġüïlhërmïnä süġġïä <suggia@example.com>",
                "required none ŕőśálíńd fŕáńklíń <franklin@example.com>",
                "optional none líśé méítńéŕ <meitner@example.com>",
                "optional none αdα lovelαce <lovelace@example.com>",
                "optional none ğřăčĕ ɦŏρρĕř <hopper@example.com>",
                "optional none máŕgáŕét átwőőd <atwood@example.com>",
                "resource none flÿïnġ dïnösäür <dinosaur@example.com>",
            ),
        ),
    ),
    "field/getitem-occurrences-by-index-three-and-two-out-of-range.xml": (
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-20T20:42:50Z",
            end="2050-05-20T21:43:51Z",
            zone=None,
            kind="Occurrence",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
        ),
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-21T20:42:50Z",
            end="2050-05-21T21:43:51Z",
            zone=None,
            kind="Occurrence",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
        ),
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-22T20:42:50Z",
            end="2050-05-22T21:43:51Z",
            zone=None,
            kind="Occurrence",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
        ),
    ),
    "field/getitem-one-occurrence-by-index.xml": (
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-20T20:42:50Z",
            end="2050-05-20T21:43:51Z",
            zone=None,
            kind="Occurrence",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
        ),
    ),
    "field/getitem-recurring-master-absolute-monthly.xml": (
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-20T20:42:50Z",
            end="2050-05-20T21:43:51Z",
            zone="America/Chicago",
            kind="RecurringMaster",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
            recurrence=Recurrence(
                AbsoluteMonthly(1, 20), date(2050, 5, 20), last_date=date(2050, 7, 31)
            ),
        ),
    ),
    "field/getitem-recurring-master-absolute-yearly.xml": (
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-20T20:42:50Z",
            end="2050-05-20T21:43:51Z",
            zone="America/Chicago",
            kind="RecurringMaster",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
            recurrence=Recurrence(
                AbsoluteYearly(5, 20), date(2050, 5, 20), last_date=date(2055, 5, 31)
            ),
        ),
    ),
    "field/getitem-recurring-master-daily-no-isrecurring.xml": (
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-20T20:42:50Z",
            end="2050-05-20T21:43:51Z",
            zone=None,
            kind="RecurringMaster",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
            recurrence=Recurrence(Daily(1), date(2050, 5, 20), last_date=date(2050, 5, 25)),
        ),
    ),
    "field/getitem-recurring-master-weekly-enddate-meetingtimezone.xml": (
        Expected(
            subject="нyвrιd ѕolαr eclιpѕe",
            start="2050-05-20T20:42:50Z",
            end="2050-05-20T21:43:51Z",
            zone="America/Chicago",
            kind="RecurringMaster",
            location="söüth päċïfïċ (40.1°S 123.7°W)",
            body="rärr ï äm ä dïnösäür",
            cancelled=False,
            response="organizer",
            organizer="noether@example.com",
            recurrence=Recurrence(
                Weekly(1, days("Monday", "Tuesday", "Friday"), Weekday.SUNDAY),
                date(2050, 5, 20),
                last_date=date(2050, 5, 31),
            ),
        ),
    ),
    "microsoft-docs/getitem-response-batch-single-master-meeting-with-attendees.xml": (
        Expected(
            subject="Review current quarterly deliverables",
            start="2014-01-19T18:59:07Z",
            end="2014-01-19T21:59:07Z",
            zone=None,
            all_day=None,
            location="Local food bank",
            body='<html> <head> <meta http-equiv="Content-Type" content="text/html; charset=utf-8"> </head> <body> Wrap up all outstanding deliverables for this quarter and prepare for Q2. </body> </html>',
            sensitivity=None,
            show_as=None,
        ),
        Expected(
            subject="Food bank delivery",
            start="2014-01-18T18:59:07Z",
            end="2014-01-18T19:59:07Z",
            zone=None,
            kind="RecurringMaster",
            all_day=None,
            body='<html> <head> <meta http-equiv="Content-Type" content="text/html; charset=utf-8"> </head> <body> Deliver the team\'s weekly food drive collection to the food bank. </body> </html>',
            sensitivity=None,
            show_as=None,
        ),
        Expected(
            subject="Code Blast",
            start="2014-01-20T18:59:08Z",
            end="2014-01-21T00:59:08Z",
            zone=None,
            all_day=None,
            location="The lounge",
            body='<html> <head> <meta http-equiv="Content-Type" content="text/html; charset=utf-8"> </head> <body> Let\'s get together to finish all the methods and unit tests for the ContosoLive project. </body> </html>',
            sensitivity=None,
            show_as=None,
            attendees=(
                "required none Mack@contoso.com <Mack@contoso.com>",
                "required none Sadie@contoso.com <Sadie@contoso.com>",
                "required none Magdalena@contoso.com <Magdalena@contoso.com>",
            ),
        ),
    ),
    "microsoft-docs/getitem-response-calendar-item-allproperties-conflicts.xml": (
        Expected(
            start="2006-06-16T00:30:00Z",
            end="2006-06-16T01:00:00Z",
            zone=None,
            cancelled=False,
            response="organizer",
            organizer="someone@example.com",
        ),
    ),
    "microsoft-docs/getitem-response-calendar-item-default.xml": (
        Expected(
            start="2006-06-16T00:30:00Z",
            end="2006-06-16T01:00:00Z",
            zone=None,
            all_day=None,
            body=None,
            sensitivity=None,
            organizer="someone@example.com",
        ),
    ),
    "microsoft-docs/getitem-response-calendar-item-idonly.xml": (
        Expected(zone=None, kind=None, all_day=None, body=None, sensitivity=None, show_as=None),
    ),
    "microsoft-docs/getitem-response-meeting.xml": (
        Expected(
            subject="Team building exercise",
            zone=None,
            kind=None,
            all_day=None,
            body=None,
            sensitivity=None,
            show_as=None,
        ),
    ),
    "microsoft-docs/getitem-response-recurring-master-weekly-numbered-first-last-occurrence.xml": (
        Expected(
            subject="Weekly Update Meeting",
            zone=None,
            kind="RecurringMaster",
            all_day=None,
            body=None,
            sensitivity=None,
            show_as=None,
            recurrence=Recurrence(
                Weekly(1, days("Saturday"), Weekday.SUNDAY), date(2014, 3, 8), count=10
            ),
        ),
    ),
    "microsoft-docs/getitem-response-single-appointment.xml": (
        Expected(
            subject="Tennis lesson",
            zone=None,
            kind=None,
            all_day=None,
            body=None,
            sensitivity=None,
            show_as=None,
        ),
    ),
}
