"""Appointments of all kinds, made by exchangelib as people make them: 30 for each of two owners."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from exchangelib import HTMLBody
from exchangelib import recurrence as ews
from exchangelib.items import SEND_TO_NONE
from exchangelib.properties import Attendee, Mailbox

from tests.system.independent import Owner

HOUR = timedelta(hours=1)
SECRET = "Quittungszwetschge"  # a word that is nowhere else
SCRIPTS = (
    "客户会议 — 第三季度",
    "اجتماع العملاء",
    "🎉 Launch 👩🏽‍🚀 party",
    "Überraschung <&> \"quoted\" 'single'",
    "Ελληνικά и русский",
)


def fill(owner: Owner, guest: Owner) -> None:
    """Fill the owner's calendar with 30 items of all kinds; the guest is invited to some."""
    _singles(owner)
    _days(owner)
    _series(owner)
    _exceptions(owner)
    _meetings(owner, guest)
    _private(owner)


def _singles(owner: Owner) -> None:
    for number, subject in enumerate(SCRIPTS):
        owner.save(subject, number, 9 + number, location=f"Room {subject[:5]}", body=subject)
    owner.save("Long ago, but not too long", -100)
    owner.save("Under the other summer time", 180, legacy_free_busy_status="WorkingElsewhere")
    owner.save("", 4, 18)
    owner.save("Far ahead", 300, categories=["Key account", "予定", "a, b; c"])
    owner.save(
        "Flight",
        3,
        start=owner.at(3, 7, zone="Europe/London"),
        end=owner.at(3, 18, zone="Asia/Tokyo"),
        legacy_free_busy_status="OOF",
    )
    page = "<html><body><p>Hello <b>you</b>,</p><p>see <a href='https://x.example/a?b=1&amp;c=2'>"
    page += "the agenda</a>.</p><ul><li>One &amp; two</li><li>三</li></ul></body></html>"
    owner.save("With a page", 5, 14, body=HTMLBody(page), legacy_free_busy_status="Tentative")
    owner.save("No time at all", 6, end=owner.at(6, 9), legacy_free_busy_status="Free")


def _days(owner: Owner) -> None:
    day = {"is_all_day": True}
    owner.save("A day", 0, start=owner.day(8), end=owner.day(8), **day)
    owner.save("A week off", 0, start=owner.day(20), end=owner.day(24), **day)
    owner.save("Two nights", 0, start=owner.at(15, 20), end=owner.at(17, 6))


def _series(owner: Owner) -> None:
    """One of every pattern, each with one of the three kinds of end."""
    begin = owner.day(-30)
    every = owner.save
    for subject, pattern, end in (
        ("Daily", ews.DailyPattern(interval=3), ews.NumberedPattern(start=begin, number=25)),
        (
            "Weekly",
            ews.WeeklyPattern(interval=2, weekdays=["Monday", "Thursday"]),
            ews.EndDatePattern(start=begin, end=owner.day(120)),
        ),
        (
            "On the 31st",
            ews.AbsoluteMonthlyPattern(interval=1, day_of_month=31),
            ews.NoEndPattern(start=begin),
        ),
        (
            "Last weekday",
            ews.RelativeMonthlyPattern(interval=1, weekday="Weekday", week_number="Last"),
            ews.NoEndPattern(start=begin),
        ),
        (
            "Yearly",
            ews.AbsoluteYearlyPattern(day_of_month=29, month="February"),
            ews.NoEndPattern(start=begin),
        ),
        (
            "Thanksgiving",
            ews.RelativeYearlyPattern(weekday="Thursday", week_number="Fourth", month="November"),
            ews.NumberedPattern(start=begin, number=5),
        ),
    ):
        every(subject, -30, 11, recurrence=ews.Recurrence(pattern=pattern, boundary=end))


def _exceptions(owner: Owner) -> None:
    """A series of which one occurrence is moved, one renamed, one deleted."""
    daily = ews.Recurrence(
        pattern=ews.DailyPattern(interval=1),
        boundary=ews.NumberedPattern(start=owner.day(2), number=9),
    )
    body = HTMLBody("<p>Bring <i>coffee</i></p>")
    master = owner.save("Stand-up", 2, 8, recurrence=daily, location="Hall", body=body)
    moved = master.occurrence(index=2)
    moved.refresh()
    moved.start += 3 * HOUR
    moved.end += 4 * HOUR
    moved.save(update_fields=["start", "end"], send_meeting_invitations=SEND_TO_NONE)
    renamed = master.occurrence(index=4)
    renamed.refresh()
    renamed.subject, renamed.location = "Stand-up with 客户", "Roof"
    renamed.save(update_fields=["subject", "location"], send_meeting_invitations=SEND_TO_NONE)
    gone = master.occurrence(index=6)
    gone.refresh()
    gone.delete(send_meeting_cancellations=SEND_TO_NONE)


def _meetings(owner: Owner, guest: Owner) -> None:
    room = Mailbox(name="Room 7", email_address="room7@example.com")
    customer = Mailbox(name="Zoë Müller", email_address="zoe@customer.example")
    everybody: dict[str, Any] = {
        "required_attendees": [
            _invited(guest.account.primary_smtp_address, "Accept"),
            Attendee(mailbox=customer, response_type="Decline"),
        ],
        "optional_attendees": [_invited("opt@customer.example", "Tentative")],
        "resources": [Attendee(mailbox=room, response_type="Accept")],
    }
    owner.save("With everybody", 9, 15, **everybody)
    owner.invite("Kick-off", 10, 16, **everybody)
    called_off = owner.invite("Called off", 11, 16, **everybody)
    called_off.cancel()
    answered = owner.invite("Answered", 12, 16, **everybody)
    answered.refresh()
    for each in guest.account.calendar.filter(subject="Answered"):
        if each.uid == answered.uid:
            each.accept()


def _invited(address: str, response: str) -> Attendee:
    mailbox = Mailbox(name=address.partition("@")[0].title(), email_address=address)
    return Attendee(mailbox=mailbox, response_type=response)


def _private(owner: Owner) -> None:
    for number, sensitivity in enumerate(("Private", "Personal", "Confidential")):
        owner.save(
            f"{SECRET} {sensitivity}",
            13 + number,
            17,
            sensitivity=sensitivity,
            body=HTMLBody(f"<p>All of the {SECRET}</p>"),
            location=f"{SECRET} street",
            categories=[SECRET],
            required_attendees=[_invited(f"{SECRET}@customer.example", "Accept")],
        )
