"""The calendars of the demo's made-up team, read back from their feeds by another library."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from keepstep.core.decisions import RowState
from keepstep.core.record import Shown
from keepstep.core.roles import Sight
from keepstep.core.skip import Policy, PrivateAppointments
from keepstep.feeds.subscription import Subscription, window_of
from keepstep.store import calendar, calendar_addresses, seen
from keepstep.store.calendar_addresses import Subject
from keepstep.store.models import Appointment, CalendarAddress, Operator
from keepstep.store.seen import SeenOperator
from keepstep_simulator import Simulator
from keepstep_simulator.seed import seed_calendars
from tests.engine import NOW, Clock, Engine, add_operator
from tests.feeds.feeding import TEXTS
from tests.feeds.reader import Seen, components, in_order, read
from tests.web.calendars import DAY, HOUR, changed, meeting, put, single, weekly

TEAM = "Nord"
SEEDS = range(20) if os.environ.get("KEEPSTEP_SOAK") == "1" else (3,)
Plain = tuple[str, str, str, str]


@pytest.fixture(params=SEEDS)
def team(database: None, request: pytest.FixtureRequest) -> list[Operator]:
    """Six mailboxes of the demo, in step; then a week of changes, deletions and new exceptions.

    All that is private is stored whole: the feed must withhold it.
    """
    clock = Clock()
    simulator = Simulator(clock=clock, seed=request.param)
    for box in seed_calendars(simulator, 6, 45):
        add_operator(box.email, time_zone=box.zone.iana or "UTC", group=TEAM)
    policy = Policy(private_appointments=PrivateAppointments.FULL)
    engine = Engine(simulator, clock, policy=policy)
    engine.sync()
    for _ in range(3):
        clock.go(days=2, hours=5)
        _live(simulator, random.Random(request.param))
        engine.sync()
    assert Appointment.objects.filter(state=RowState.RECORD).exists()
    return list(Operator.objects.select_related("mailbox").order_by("email"))


def _live(simulator: Simulator, chance: random.Random) -> None:
    for box in simulator.mailboxes.values():
        for item in chance.sample(list(box.items()), 6):
            if chance.random() < 0.25:
                box.delete(item.id)
            else:
                hours = timedelta(hours=chance.choice((-1, 1, 3)))
                box.update(item.id, start=item.start + hours, end=item.end + hours)


def subscription_of(operators: list[Operator], *, is_team: bool) -> Subscription:
    address = (
        CalendarAddress(access_group=TEAM) if is_team else CalendarAddress(operator=operators[0])
    )
    return Subscription.of(address, TEXTS, NOW)


def listed(operator: Operator, first: date, last: date) -> list[Seen]:
    """What `keepstep appointments` lists, with what is private told as blocked time."""
    found = []
    for each in calendar.entries(operator.email, first, last, include_cancelled=True):
        private = _is_private(operator, each)
        if private and each["status"] == "cancelled":
            continue
        read_as = date.fromisoformat if each["all_day"] else datetime.fromisoformat
        subject = TEXTS.private if private else each["subject"] or TEXTS.no_subject
        found.append(Seen(read_as(each["start"]), read_as(each["end"]), subject))
    return in_order(found)


def _is_private(operator: Operator, entry: dict[str, Any]) -> bool:
    rows = Appointment.objects.filter(mailbox__operator=operator, uid=entry["uid"])
    series = rows.exclude(state=RowState.REMOVED).values_list("sensitivity", flat=True)
    return entry["sensitivity"] != "normal" or set(series) - {"normal"} != set()


def test_an_operators_feed_tells_what_the_calendar_shows(team: list[Operator]) -> None:
    window = window_of(NOW)
    first, last = window.start.date() + 2 * DAY, window.horizon.date() - 2 * DAY
    told = 0
    for operator in team:
        text = subscription_of([operator], is_team=False).content()
        days = calendar.window(operator.time_zone, first, last)
        read_back = read(text, days.start, days.end)
        expected = listed(operator, first, last)
        assert _on(read_back, first, last) == _on(expected, first, last), operator.email
        told += len(expected)
        assert all(len(line) <= 75 for line in text.split(b"\r\n"))
        assert {each["CLASS"] for each in components(text)} == {"PUBLIC", "PRIVATE"}
    assert told > 1000
    assert any(
        each["STATUS"] == "CANCELLED"
        for operator in team
        for each in components(subscription_of([operator], is_team=False).content())
    )


def _on(found: list[Seen], first: date, last: date) -> list[Seen]:
    """Give those whose dates lie within: at the edges a reader takes its own zone for dates."""
    return [
        each
        for each in found
        if isinstance(each.start, datetime) or (each.end > first + DAY and each.start < last - DAY)
    ]


def test_a_teams_feed_tells_each_meeting_once_as_the_page_does(team: list[Operator]) -> None:
    window = window_of(NOW)
    text = subscription_of(team, is_team=True).content()
    names = {each.pk: each.name or each.email for each in team}
    members = [SeenOperator(each, Sight.NOT_PRIVATE) for each in team]
    first = window.start.date() + 2 * DAY
    expected: Counter[Seen] = Counter()
    while first < window.horizon.date() - 40 * DAY:
        days = calendar.window("UTC", first, first + 30 * DAY)
        for entry in seen.entries(members, days, include_cancelled=True):
            whose = ", ".join(names[each] for each in entry.operators[:3])
            whose += f" +{len(entry.operators) - 3}" if len(entry.operators) > 3 else ""
            words = TEXTS.private if entry.is_withheld else entry.subject or TEXTS.no_subject
            for time in entry.times:
                if (time.first_day or time.start.date()) >= first:
                    start, end = time.first_day or time.start, time.last_day or time.end
                    expected[Seen(start, end, f"{words} ({whose})")] += 1
        first += 30 * DAY
    begin = calendar.window("UTC", window.start.date() + 2 * DAY, first)
    read_back = [
        each
        for each in read(text, begin.start, begin.end)
        if begin.first
        <= (each.start.date() if isinstance(each.start, datetime) else each.start)
        < begin.last
    ]
    assert read_back == in_order(list(expected))
    assert max(each.subject.count(", ") for each in expected) >= 2


@pytest.fixture
def anna(any_database: str) -> Operator:
    add_operator("anna@example.com", group=TEAM)
    return Operator.objects.select_related("mailbox").get()


def rows() -> QuerySet[Appointment]:
    return Appointment.objects.all()


def changes(anna: Operator) -> Iterator[str]:
    """Make changes one after the other; tell each."""
    put(anna, single("Visit", NOW))
    yield "a new one"
    rows().update(location="Room 7")
    yield "another text, stored without a word to anybody"
    rows().update(sensitivity="private")
    yield "private now"
    put(anna, single("Other", NOW + DAY))
    yield "one more"
    rows().filter(uid="Other").update(state=RowState.REMOVED)
    yield "one less"
    Operator.objects.update(name="Anna Adler")
    yield "another name"


def test_any_change_is_known_by_the_etag_and_nothing_else_is(anna: Operator) -> None:
    def etag(now: datetime = NOW) -> str:
        operator = Operator.objects.select_related("mailbox").get()
        return Subscription.of(CalendarAddress(operator=operator), TEXTS, now).etag()

    known = [etag()]
    for change in changes(anna):
        assert etag() != known[-1], change
        assert etag(NOW + DAY) == etag()
        known.append(etag())
    assert etag(NOW + 30 * DAY) != etag(), "a month later it begins later"


def test_details_are_told_in_the_fields_that_outlook_google_and_apple_read(anna: Operator) -> None:
    guest = Operator(name='Rita; "Hansen"\r\nX', email="rita@hansen.example")
    made = meeting("Kick-off, part 1; über\nalles", NOW + DAY, anna, [guest])
    put(anna, made)
    row = Appointment.objects.get()
    row.show_as, row.body = "out_of_office", "Agenda\r\n\x07https://zoom.us/j/123"
    row.save()
    (event,) = components(subscription_of([anna], is_team=False).content())
    assert str(event["SUMMARY"]) == "Kick-off, part 1; über\nalles"
    assert str(event["DESCRIPTION"]) == "Agenda\nhttps://zoom.us/j/123"
    assert str(event["URL"]) == "https://zoom.us/j/123"
    assert event["CONFERENCE"].params["FEATURE"] == "VIDEO"
    assert event["X-MICROSOFT-CDO-BUSYSTATUS"] == "OOF"
    assert (event["TRANSP"], event["STATUS"]) == ("OPAQUE", "CONFIRMED")
    assert str(event["ORGANIZER"]) == "mailto:anna@example.com"
    assert event["ATTENDEE"].params["CN"] == "Rita; 'Hansen' X"
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert {"UID", "DTSTAMP", "LAST-MODIFIED"} <= set(event)


def test_the_calendar_says_what_it_is_and_when_to_ask_again(anna: Operator) -> None:
    put(anna, single("Visit", NOW + DAY))
    text = subscription_of([anna], is_team=False).content().decode()
    head = text.partition("BEGIN:VTIMEZONE")[0].split("\r\n")
    assert head[0] == "BEGIN:VCALENDAR"
    assert {"VERSION:2.0", "CALSCALE:GREGORIAN", "X-WR-CALNAME:anna@example.com"} <= set(head)
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT15M" in head
    assert any(each.startswith("PRODID:-//Keepstep//") for each in head)
    assert "METHOD" not in text


def test_what_is_long_over_is_left_out_of_singles_and_series_alike(anna: Operator) -> None:
    put(anna, single("Old", NOW - 400 * DAY))
    put(anna, changed(weekly("Series", NOW - 800 * DAY), 3, HOUR, subject="Old exception"))
    ended = weekly("Ended", NOW - 800 * DAY)
    put(anna, ended, RowState.RECORD, Shown(until=NOW - 500 * DAY), part=1)
    text = subscription_of([anna], is_team=False).content()
    (event,) = components(text)
    assert event["DTSTART"].dt >= window_of(NOW).start
    assert event["SUMMARY"] == "Series"


def test_an_address_is_found_by_its_token_alone_until_it_is_revoked(anna: Operator) -> None:
    token = calendar_addresses.make(Subject(anna), NOW)
    assert token not in repr(list(CalendarAddress.objects.values_list()))
    found = calendar_addresses.find(token)
    assert found is not None
    assert found.operator == anna
    assert calendar_addresses.find(token[:-1] + "_") is None
    assert calendar_addresses.find(found.digest) is None
    newer = calendar_addresses.make(Subject(anna), NOW)
    assert calendar_addresses.find(token) is None
    calendar_addresses.revoke(Subject(anna))
    assert calendar_addresses.find(newer) is None


def test_the_time_of_the_last_change_moves_on_a_second_at_least(anna: Operator) -> None:
    token = calendar_addresses.make(Subject(anna), NOW)

    def note(etag: str, seconds: float) -> float:
        address = calendar_addresses.find(token)
        assert address is not None
        at = calendar_addresses.note_read(address, etag, NOW + timedelta(seconds=seconds))
        return (at - NOW).total_seconds()

    assert [note("a", 0.1), note("a", 5.2), note("b", 5.4), note("c", 5.6)] == [0, 0, 5, 6]
    assert note("c", 3000) == 6
    assert CalendarAddress.objects.get().last_read == NOW + timedelta(seconds=5.6), "known roughly"
    assert note("c", 7200) == 6
    assert CalendarAddress.objects.get().last_read == NOW + timedelta(hours=2)


def test_a_meeting_of_many_names_some_in_its_line_and_all_in_its_text(anna: Operator) -> None:
    team = [anna]
    for number in range(4):
        add_operator(f"o{number}@example.com", group=TEAM)
        team.append(Operator.objects.select_related("mailbox").get(email=f"o{number}@example.com"))
    for each in team:
        put(each, meeting("Forecast", NOW + DAY, anna, team[1:]))
    (event,) = components(subscription_of(team, is_team=True).content())
    names = [each.email for each in team]
    assert str(event["SUMMARY"]) == f"Forecast ({', '.join(names[:3])} +2)"
    assert str(event["DESCRIPTION"]) == ", ".join(names)
    assert [str(each) for each in event["X-KEEPSTEP-OPERATOR"]] == [f"mailto:{n}" for n in names]
    assert "ATTENDEE" not in event
