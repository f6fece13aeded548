"""What the items in answers of gromox hold: series and their occurrences."""
# ruff: noqa: RUF001 - texts of the samples, in their scripts

from __future__ import annotations

from datetime import date

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    Daily,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekday,
    Weekly,
)
from tests.samples.expectation import Expected
from tests.samples.words import WORKDAYS, days

SERIES: dict[str, tuple[Expected, ...]] = {
    "gromox/getitem-response-allproperties-base-shape-recurring-master.xml": (
        Expected(
            subject="Weekly with exceptions",
            start="2027-03-01T08:00:00Z",
            end="2027-03-01T09:00:00Z",
            kind="RecurringMaster",
            uid="ks-049-weekly-exc@client.example",
            location="Room 5",
            body=None,
            recurrence=Recurrence(
                Weekly(1, days("Monday"), Weekday.MONDAY), date(2027, 3, 1), count=10
            ),
            changed=(
                ("2027-03-28T23:00:00Z", "2027-03-23T14:00:00Z", "2027-03-23T15:30:00Z"),
                ("2027-04-11T23:00:00Z", "2027-04-12T08:00:00Z", "2027-04-12T09:00:00Z"),
            ),
            deleted=("2027-03-08T08:00:00Z",),
        ),
    ),
    "gromox/getitem-response-exception-by-occurrence-id-1.xml": (
        Expected(
            subject="Weekly with exceptions",
            start="2027-03-23T14:00:00Z",
            end="2027-03-23T15:30:00Z",
            kind="Exception",
            uid="ks-049-weekly-exc@client.example",
            location="Room 5",
        ),
    ),
    "gromox/getitem-response-exception-by-occurrence-id-2.xml": (
        Expected(
            subject="Weekly with exceptions – special guest ✨",
            start="2027-04-12T08:00:00Z",
            end="2027-04-12T09:00:00Z",
            kind="Exception",
            uid="ks-049-weekly-exc@client.example",
            location="Room 9",
        ),
    ),
    "gromox/getitem-response-exception-daily-across-us-dst.xml": (
        Expected(
            subject="Training week",
            start="2027-03-16T14:00:00Z",
            end="2027-03-15T21:00:00Z",
            zone="America/New_York",
            kind="Exception",
            uid="ks-057-daily-exc@client.example",
        ),
    ),
    "gromox/getitem-response-exception-subject-location-changed-by-index.xml": (
        Expected(
            subject="Weekly with exceptions – special guest ✨",
            start="2027-04-12T08:00:00Z",
            end="2027-04-12T09:00:00Z",
            kind="Exception",
            uid="ks-049-weekly-exc@client.example",
            location="Room 9",
        ),
    ),
    "gromox/getitem-response-exception-time-moved-by-index.xml": (
        Expected(
            subject="Weekly with exceptions",
            start="2027-03-23T14:00:00Z",
            end="2027-03-23T15:30:00Z",
            kind="Exception",
            uid="ks-049-weekly-exc@client.example",
            location="Room 5",
        ),
    ),
    "gromox/getitem-response-meeting-as-attendee-recurring-tentative.xml": (
        Expected(
            subject="Alice invites: weekly 1:1",
            start="2027-02-05T08:00:00Z",
            end="2027-02-05T08:30:00Z",
            kind="RecurringMaster",
            uid="ks-inv-rec@organizer.example",
            all_day=None,
            show_as="tentative",
            cancelled=False,
            response="tentative",
            organizer="alice@peer.example",
            attendees=(
                "required none Alice Peer <alice@peer.example>",
                "required none Dave Peer <dave@peer.example>",
            ),
            recurrence=Recurrence(
                Weekly(1, days("Friday"), Weekday.MONDAY), date(2027, 2, 5), count=4
            ),
        ),
    ),
    "gromox/getitem-response-occurrence-after-dst-unmodified-by-index.xml": (
        Expected(
            subject="Weekly with exceptions",
            start="2027-04-05T08:00:00Z",
            end="2027-04-05T09:00:00Z",
            kind="Occurrence",
            uid="ks-049-weekly-exc@client.example",
            location="Room 5",
        ),
    ),
    "gromox/getitem-response-occurrence-unmodified-by-index.xml": (
        Expected(
            subject="Weekly with exceptions",
            start="2027-03-22T08:00:00Z",
            end="2027-03-22T09:00:00Z",
            kind="Occurrence",
            uid="ks-049-weekly-exc@client.example",
            location="Room 5",
        ),
    ),
    "gromox/getitem-response-occurrences-batch.xml": (
        Expected(
            subject="Daily stand-up",
            start="2027-05-03T07:00:00Z",
            end="2027-05-03T07:15:00Z",
            kind="Occurrence",
            uid="ks-045-daily-num@client.example",
        ),
        Expected(
            subject="Daily stand-up",
            start="2027-05-04T07:00:00Z",
            end="2027-05-04T07:15:00Z",
            kind="Occurrence",
            uid="ks-045-daily-num@client.example",
        ),
        Expected(
            subject="Daily stand-up",
            start="2027-05-05T07:00:00Z",
            end="2027-05-05T07:15:00Z",
            kind="Occurrence",
            uid="ks-045-daily-num@client.example",
        ),
        Expected(
            subject="Daily stand-up",
            start="2027-05-06T07:00:00Z",
            end="2027-05-06T07:15:00Z",
            kind="Occurrence",
            uid="ks-045-daily-num@client.example",
        ),
        Expected(
            subject="Daily stand-up",
            start="2027-05-07T07:00:00Z",
            end="2027-05-07T07:15:00Z",
            kind="Occurrence",
            uid="ks-045-daily-num@client.example",
        ),
    ),
    "gromox/getitem-response-recurring-master-daily-every-2-days-no-end.xml": (
        Expected(
            subject="Every other day, no end",
            start="2027-05-04T06:00:00Z",
            end="2027-05-04T06:10:00Z",
            kind="RecurringMaster",
            uid="ks-046-daily-noend@client.example",
            recurrence=Recurrence(Daily(2), date(2027, 5, 4)),
        ),
    ),
    "gromox/getitem-response-recurring-master-daily-every-7-days-over-midnight.xml": (
        Expected(
            subject="Night batch",
            start="2027-04-05T21:00:00Z",
            end="2027-04-05T23:00:00Z",
            kind="RecurringMaster",
            uid="ks-058-night-series@client.example",
            recurrence=Recurrence(Daily(7), date(2027, 4, 5), last_date=date(2027, 5, 10)),
        ),
    ),
    "gromox/getitem-response-recurring-master-daily-exceptions-across-us-dst.xml": (
        Expected(
            subject="Training week",
            start="2027-03-11T14:00:00Z",
            end="2027-03-11T17:00:00Z",
            zone="America/New_York",
            kind="RecurringMaster",
            uid="ks-057-daily-exc@client.example",
            recurrence=Recurrence(Daily(1), date(2027, 3, 11), count=6),
            changed=(("2027-03-16T05:00:00Z", "2027-03-16T14:00:00Z", "2027-03-15T21:00:00Z"),),
            deleted=("2027-03-13T14:00:00Z",),
        ),
    ),
    "gromox/getitem-response-recurring-master-daily-numbered.xml": (
        Expected(
            subject="Daily stand-up",
            start="2027-05-03T07:00:00Z",
            end="2027-05-03T07:15:00Z",
            kind="RecurringMaster",
            uid="ks-045-daily-num@client.example",
            recurrence=Recurrence(Daily(1), date(2027, 5, 3), count=5),
        ),
    ),
    "gromox/getitem-response-recurring-master-monthly-day-31.xml": (
        Expected(
            subject="Invoice run",
            start="2027-01-31T16:00:00Z",
            end="2027-01-31T17:00:00Z",
            kind="RecurringMaster",
            uid="ks-051-monthly-abs@client.example",
            recurrence=Recurrence(AbsoluteMonthly(1, 31), date(2027, 1, 31), count=12),
        ),
    ),
    "gromox/getitem-response-recurring-master-monthly-first-monday.xml": (
        Expected(
            subject="First Monday review",
            start="2027-02-01T09:00:00Z",
            end="2027-02-01T10:00:00Z",
            kind="RecurringMaster",
            uid="ks-052-monthly-rel@client.example",
            recurrence=Recurrence(RelativeMonthly(1, days("Monday"), 1), date(2027, 2, 1), count=6),
        ),
    ),
    "gromox/getitem-response-recurring-master-monthly-last-weekday-every-3-months.xml": (
        Expected(
            subject="Last weekday of the quarter",
            start="2027-03-31T14:00:00Z",
            end="2027-03-31T15:00:00Z",
            kind="RecurringMaster",
            uid="ks-053-monthly-rel-last-weekday@client.example",
            recurrence=Recurrence(
                RelativeMonthly(3, WORKDAYS, -1), date(2027, 3, 31), last_date=date(2028, 3, 31)
            ),
        ),
    ),
    "gromox/getitem-response-recurring-master-weekly-allday-deleted-occurrence.xml": (
        Expected(
            subject="Home-office day",
            start="2027-06-04T00:00:00Z",
            end="2027-06-05T00:00:00Z",
            zone="UTC",
            kind="RecurringMaster",
            uid="ks-056-allday-weekly@client.example",
            all_day=True,
            show_as="working_elsewhere",
            recurrence=Recurrence(
                Weekly(1, days("Friday"), Weekday.MONDAY), date(2027, 6, 4), count=6
            ),
            deleted=("2027-06-11T00:00:00Z",),
        ),
    ),
    "gromox/getitem-response-recurring-master-weekly-every-2-weeks-tue-thu.xml": (
        Expected(
            subject="Bi-weekly sales pipeline",
            start="2027-03-09T13:00:00Z",
            end="2027-03-09T14:00:00Z",
            kind="RecurringMaster",
            uid="ks-048-weekly-biweekly@client.example",
            recurrence=Recurrence(
                Weekly(2, days("Tuesday", "Thursday"), Weekday.MONDAY), date(2027, 3, 9), count=12
            ),
        ),
    ),
    "gromox/getitem-response-recurring-master-weekly-exceptions.xml": (
        Expected(
            subject="Weekly with exceptions",
            start="2027-03-01T08:00:00Z",
            end="2027-03-01T09:00:00Z",
            kind="RecurringMaster",
            uid="ks-049-weekly-exc@client.example",
            location="Room 5",
            recurrence=Recurrence(
                Weekly(1, days("Monday"), Weekday.MONDAY), date(2027, 3, 1), count=10
            ),
            changed=(
                ("2027-03-28T23:00:00Z", "2027-03-23T14:00:00Z", "2027-03-23T15:30:00Z"),
                ("2027-04-11T23:00:00Z", "2027-04-12T08:00:00Z", "2027-04-12T09:00:00Z"),
            ),
            deleted=("2027-03-08T08:00:00Z",),
        ),
    ),
    "gromox/getitem-response-recurring-master-weekly-meeting-exception-after-dst.xml": (
        Expected(
            subject="Weekly customer meeting",
            start="2027-03-03T10:00:00Z",
            end="2027-03-03T11:00:00Z",
            kind="RecurringMaster",
            uid="ks-050-weekly-meeting@client.example",
            cancelled=False,
            response="none",
            organizer="dave@peer.example",
            attendees=(
                "required accepted Bob Peer <bob@peer.example>",
                "required none Zoë O'Neil (Customer) <ext1@customer.example>",
            ),
            recurrence=Recurrence(
                Weekly(1, days("Wednesday"), Weekday.MONDAY), date(2027, 3, 3), count=8
            ),
            changed=(("2027-03-30T23:00:00Z", "2027-04-01T09:00:00Z", "2027-04-01T10:00:00Z"),),
        ),
    ),
    "gromox/getitem-response-recurring-master-weekly-workdays-enddate.xml": (
        Expected(
            subject="Workday check",
            start="2027-05-10T12:00:00Z",
            end="2027-05-10T12:30:00Z",
            zone="America/New_York",
            kind="RecurringMaster",
            uid="ks-047-weekly-workdays@client.example",
            recurrence=Recurrence(
                Weekly(1, WORKDAYS, Weekday.MONDAY), date(2027, 5, 10), last_date=date(2027, 5, 28)
            ),
        ),
    ),
    "gromox/getitem-response-recurring-master-yearly-4th-thursday-november.xml": (
        Expected(
            subject="Thanksgiving",
            start="2027-11-25T17:00:00Z",
            end="2027-11-25T23:00:00Z",
            zone="America/New_York",
            kind="RecurringMaster",
            uid="ks-055-yearly-rel@client.example",
            recurrence=Recurrence(
                RelativeYearly(11, days("Thursday"), 4), date(2027, 11, 25), count=3
            ),
        ),
    ),
    "gromox/getitem-response-recurring-master-yearly-feb-28-allday.xml": (
        Expected(
            subject="Founder's day",
            start="2027-02-28T00:00:00Z",
            end="2027-03-01T00:00:00Z",
            zone="UTC",
            kind="RecurringMaster",
            uid="ks-054-yearly-abs@client.example",
            all_day=True,
            show_as="free",
            recurrence=Recurrence(AbsoluteYearly(2, 28), date(2027, 2, 28)),
        ),
    ),
}
