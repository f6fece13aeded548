"""exchangelib, a real and independent client, works against the simulator over a real socket."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from exchangelib import (
    BASIC,
    IMPERSONATION,
    Account,
    CalendarItem,
    Configuration,
    Credentials,
    EWSDate,
    EWSDateTime,
    EWSTimeZone,
    HTMLBody,
)
from exchangelib import recurrence as ews
from exchangelib.items import SEND_ONLY_TO_ALL, SEND_TO_NONE
from exchangelib.properties import Attendee, Mailbox
from exchangelib.protocol import BaseProtocol, close_connections

from keepstep_simulator import MailboxModel, Recurrence, Simulator, SimulatorThread

BERLIN = EWSTimeZone("Europe/Berlin")
NEW_YORK = EWSTimeZone("America/New_York")
DAY = EWSDateTime(2026, 12, 1, 9, 0, tzinfo=BERLIN)
HOUR = timedelta(hours=1)


@pytest.fixture
def served(simulator: Simulator) -> Iterator[SimulatorThread]:
    BaseProtocol.TIMEOUT = 10
    with SimulatorThread(simulator) as thread:
        yield thread
    close_connections()


def account_of(served: SimulatorThread, mailbox: MailboxModel) -> Account:
    configuration = Configuration(
        service_endpoint=served.url, credentials=Credentials("svc", "secret"), auth_type=BASIC
    )
    return Account(
        mailbox.email,
        config=configuration,
        autodiscover=False,
        access_type=IMPERSONATION,
        default_timezone=BERLIN,
    )


@pytest.fixture
def account(served: SimulatorThread, mailbox: MailboxModel) -> Account:
    return account_of(served, mailbox)


def item(account: Account, **fields: Any) -> CalendarItem:
    values = {"subject": "Item", "start": DAY, "end": DAY + HOUR, **fields}
    return CalendarItem(account=account, folder=account.calendar, **values)


def saved(account: Account, **fields: Any) -> CalendarItem:
    made = item(account, **fields)
    made.save(send_meeting_invitations=SEND_TO_NONE)
    return made


def test_an_appointment_is_kept_as_the_client_gave_it(
    account: Account, mailbox: MailboxModel
) -> None:
    saved(
        account,
        subject="Überraschung 🎉 <&> 会議",
        location="Café",
        body=HTMLBody("<p>Hello <b>you</b></p>"),
        categories=["A", "B c"],
        sensitivity="Private",
        legacy_free_busy_status="OOF",
        start=EWSDateTime(2026, 12, 1, 9, 0, tzinfo=NEW_YORK),
        end=EWSDateTime(2026, 12, 1, 18, 0, tzinfo=BERLIN),
    )
    (kept,) = mailbox.items()
    assert (kept.subject, kept.location) == ("Überraschung 🎉 <&> 会議", "Café")
    assert (kept.body, kept.body_type) == ("<p>Hello <b>you</b></p>", "HTML")
    assert (kept.categories, kept.sensitivity) == (("A", "B c"), "private")
    assert kept.show_as == "out_of_office"
    assert (kept.start_zone.iana, kept.end_zone.iana) == ("America/New_York", "Europe/Berlin")
    assert kept.start == datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
    assert kept.end == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    (read,) = account.calendar.all()
    assert (read.subject, read.body) == (kept.subject, kept.body)
    assert (read.start, read.end) == (kept.start, kept.end)
    assert (read.uid, read.sensitivity) == (kept.uid, "Private")
    assert read.organizer.email_address == "anna@example.com"


@pytest.mark.parametrize(
    ("first", "last", "zone"),
    [
        (EWSDate(2026, 12, 1), EWSDate(2026, 12, 1), "Europe/Berlin"),
        (EWSDate(2026, 3, 28), EWSDate(2026, 3, 30), "Europe/Berlin"),
    ],
)
def test_all_day_items_keep_their_dates(
    account: Account, mailbox: MailboxModel, first: EWSDate, last: EWSDate, zone: str
) -> None:
    saved(account, start=first, end=last, is_all_day=True)
    (kept,) = mailbox.items()
    tz = ZoneInfo(zone)
    assert kept.all_day
    assert kept.start.astimezone(tz).replace(tzinfo=None) == datetime(*first.timetuple()[:3])  # noqa: DTZ001
    end = kept.end.astimezone(tz).replace(tzinfo=None)
    assert end == datetime(*last.timetuple()[:3]) + timedelta(days=1)  # noqa: DTZ001
    (read,) = account.calendar.all()
    assert (read.start, read.end) == (first, last)


MONDAY = EWSDate(2026, 11, 30)


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ({"pattern": ews.DailyPattern(interval=2)}, Recurrence("daily", MONDAY, 2)),
        (
            {"pattern": ews.WeeklyPattern(interval=3, weekdays=["Monday", "Friday"])},
            Recurrence("weekly", MONDAY, 3, ("Monday", "Friday"), first_day_of_week="Monday"),
        ),
        (
            {"pattern": ews.AbsoluteMonthlyPattern(interval=1, day_of_month=31)},
            Recurrence("absolute_monthly", MONDAY, 1, day_of_month=31),
        ),
        (
            {
                "pattern": ews.RelativeMonthlyPattern(
                    interval=2, weekday="Weekday", week_number="Last"
                )
            },
            Recurrence("relative_monthly", MONDAY, 2, ("Weekday",), "Last"),
        ),
        (
            {"pattern": ews.AbsoluteYearlyPattern(day_of_month=29, month="February")},
            Recurrence("absolute_yearly", MONDAY, day_of_month=29, month=2),
        ),
        (
            {
                "pattern": ews.RelativeYearlyPattern(
                    weekday="Thursday", week_number="Fourth", month="November"
                )
            },
            Recurrence("relative_yearly", MONDAY, 1, ("Thursday",), "Fourth", month=11),
        ),
    ],
)
@pytest.mark.parametrize("end", ["none", "date", "number"])
def test_series_of_every_pattern_and_range_are_kept_and_read_back(
    account: Account, mailbox: MailboxModel, pattern: dict[str, Any], kept: Recurrence, end: str
) -> None:
    ranges: dict[str, dict[str, Any]] = {
        "none": {"boundary": ews.NoEndPattern(start=MONDAY)},
        "date": {"boundary": ews.EndDatePattern(start=MONDAY, end=EWSDate(2029, 1, 1))},
        "number": {"boundary": ews.NumberedPattern(start=MONDAY, number=7)},
    }
    saved(account, recurrence=ews.Recurrence(**pattern, **ranges[end]))
    (series,) = mailbox.items()
    assert series.recurrence is not None
    expected = {
        "none": kept,
        "date": with_range(kept, end=date(2029, 1, 1)),
        "number": with_range(kept, count=7),
    }
    assert series.recurrence == expected[end]
    (read,) = account.calendar.all()
    assert type(read.recurrence.pattern) is type(pattern["pattern"])
    assert read.recurrence.boundary.start == MONDAY
    assert read.type == "RecurringMaster"
    view = list(account.calendar.view(start=DAY, end=DAY + timedelta(days=400), max_items=900))
    happen = mailbox.occurrences(DAY, DAY + timedelta(days=400))
    assert [each.start for each in view] == [each.start for each in happen]
    assert len(view) > 0


def with_range(recurrence: Recurrence, **fields: Any) -> Recurrence:
    values = {name: getattr(recurrence, name) for name in Recurrence.__slots__}
    return Recurrence(**{**values, **fields})


def test_occurrences_are_changed_and_deleted_by_the_client(
    account: Account, mailbox: MailboxModel
) -> None:
    pattern = ews.Recurrence(
        pattern=ews.DailyPattern(interval=1),
        boundary=ews.NumberedPattern(start=EWSDate(2026, 12, 1), number=5),
    )
    master = saved(account, recurrence=pattern)
    second = master.occurrence(index=2)
    second.refresh()
    second.subject = "Moved"
    second.start += HOUR * 3
    second.end += HOUR * 3
    second.save(update_fields=["subject", "start", "end"], send_meeting_invitations=SEND_TO_NONE)
    third = master.occurrence(index=3)
    third.refresh()
    third.delete(send_meeting_cancellations=SEND_TO_NONE)
    (read,) = account.calendar.all()
    (changed,) = read.modified_occurrences
    (deleted,) = read.deleted_occurrences
    original = DAY + timedelta(days=1)
    assert (changed.original_start, changed.start) == (original, original + HOUR * 3)
    assert deleted.start == DAY + timedelta(days=2)
    (itself,) = account.fetch(ids=[(changed.id, changed.changekey)])
    assert (itself.subject, itself.type) == ("Moved", "Exception")
    assert len(mailbox.occurrences(DAY, DAY + timedelta(days=30))) == 4
    (first_of_all,) = account.fetch(ids=[(read.first_occurrence.id, None)])
    assert first_of_all.start == DAY
    assert itself.recurring_master().id == itself.id


def test_what_changed_is_synced(account: Account, mailbox: MailboxModel) -> None:
    kept, gone = saved(account), saved(account)
    assert sorted(what for what, _ in account.calendar.sync_items()) == ["create", "create"]
    assert list(account.calendar.sync_items()) == []
    gone_id = gone.id
    kept.subject = "Changed"
    kept.save(update_fields=["subject"], send_meeting_invitations=SEND_TO_NONE)
    gone.delete(send_meeting_cancellations=SEND_TO_NONE)
    new = saved(account, subject="New")
    told = {(what, changed.id) for what, changed in account.calendar.sync_items()}
    assert told == {("update", kept.id), ("create", new.id), ("delete", gone_id)}
    assert sorted(each.subject or "" for each in mailbox.items()) == ["Changed", "New"]


def test_a_meeting_reaches_those_invited_and_their_answers_are_told(
    served: SimulatorThread, account: Account, mailbox: MailboxModel, simulator: Simulator
) -> None:
    guest = simulator.add_mailbox("ben@example.com", "Ben")
    required = Attendee(
        mailbox=Mailbox(name="Ben", email_address="ben@example.com"), response_type="Accept"
    )
    room = Mailbox(name="Room", email_address="room@example.com")
    meeting = item(
        account,
        required_attendees=[required],
        optional_attendees=["outside@customer.example"],
        resources=[Attendee(mailbox=room)],
    )
    meeting.save(send_meeting_invitations=SEND_ONLY_TO_ALL)
    (mine,) = mailbox.items()
    assert [(each.email, each.role) for each in mine.attendees] == [
        ("ben@example.com", "required"),
        ("outside@customer.example", "optional"),
        ("room@example.com", "resource"),
    ]
    theirs = account_of(served, guest)
    (received,) = theirs.calendar.all()
    assert received.uid == mine.uid
    assert received.my_response_type == "NoResponseReceived"
    received.accept()
    (answered,) = guest.items()
    assert (answered.my_response, answered.uid) == ("accepted", mine.uid)
    assert answered.id != received.id
    meeting.refresh()
    meeting.cancel()
    assert mailbox.items() == []
    (cancelled,) = guest.items()
    assert cancelled.cancelled


def test_private_items_arrive_in_full(account: Account) -> None:
    saved(account, subject="Doctor", sensitivity="Private", body="Room 2")
    (read,) = account.calendar.all()
    assert (read.subject, read.body) == ("Doctor", "Room 2")


def test_a_seeded_calendar_is_read_whole(served: SimulatorThread, simulator: Simulator) -> None:
    first = simulator.seed_calendars(3, items_each=40)[0]
    read = {each.id: each for each in account_of(served, first).calendar.all()}
    assert set(read) == {each.id for each in first.items()}
    for kept in first.items():
        told = read[kept.id]
        assert (told.subject or None) == (kept.subject or None)
        assert told.uid == kept.uid
        assert told.is_cancelled == kept.cancelled
        assert [each.mailbox.email_address for each in told.required_attendees or ()] == [
            each.email for each in kept.attendees if each.role == "required"
        ]
        if not kept.all_day:
            assert (told.start, told.end) == (kept.start, kept.end)
