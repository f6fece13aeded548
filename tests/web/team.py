"""A made-up sales team and its calendars, for walks through the pages and for pictures of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from keepstep_simulator import Attendee, MailboxModel, Person, Recurrence, Simulator
from keepstep_simulator.meetings import attendee_copy

WEST, EAST = "West", "East"
BEFORE, AHEAD = 14, 42
MEETING = "Pipeline round"


@dataclass(frozen=True, slots=True)
class Member:
    """An operator of the team; `known` says whether Exchange has the mailbox."""

    email: str
    name: str
    group: str
    zone: str = "Europe/Berlin"
    sync: bool = True
    known: bool = True


ANNA = Member("anna@example.com", "Anna Adler", WEST)
MAYA = Member("maya.levi@example.com", "Maya Levi", EAST)
JONAS = Member("jonas.weber@example.com", "Jonas Weber", EAST)
UNKNOWN = Member("grace.okafor@example.com", "Grace Okafor", EAST, "Europe/London", known=False)
TEAM = (
    ANNA,
    Member("bruno.costa@example.com", "Bruno Costa", WEST, "Europe/Lisbon"),
    Member("chloe.dubois@example.com", "Chloé Dubois", WEST, "Europe/Paris"),
    Member("emma.larsson@example.com", "Emma Larsson", WEST, "Europe/Stockholm"),
    JONAS,
    Member("klara.novakova@example.com", "Klára Nováková", EAST, "Europe/Prague"),
    Member("liam.obrien@example.com", "Liam O'Brien", EAST, "Europe/Dublin"),
    MAYA,
    UNKNOWN,
    Member("paulo.silva@example.com", "Paulo Silva", EAST, "Europe/Lisbon", sync=False),
)

_SUBJECTS = (
    "Demo for Nordlicht AG", "Visit at Hansen & Sons", "Offer 17: last questions",
    "Contract with Miller Ltd", "Call with Ana Prado", "Lunch with Rossi SpA",
    "Prepare the trade fair", "Kick-off at Baltic Foods", "Prices for next year",
    "Training: new product", "Follow-up: Meyer Logistics", "Renewal: City Hospital",
)  # fmt: skip
_PLACES = ("Room 5", "Phone", "At the customer's", "Café Central", "https://meet.example.com/17")
_CUSTOMERS = (
    Person("Rita Hansen", "rita@hansen.example"), Person("Tom Miller", "tom@miller.example"),
    Person("Ana Prado", "ana@prado.example"),
)  # fmt: skip
_BODY = (
    "<html><body><p>Dear all,</p><p>we go through the open points of the offer.</p>"
    "<ul><li>Prices</li><li>Delivery</li><li>Next steps</li></ul></body></html>"
)


def csv(members: tuple[Member, ...] = TEAM) -> str:
    """Give the team as a file to import."""
    lines = ["email,name,calendar_sync,access_group,time_zone"]
    lines += [
        f"{each.email},{each.name},{str(each.sync).lower()},{each.group},{each.zone}"
        for each in members
    ]
    return "\n".join(lines) + "\n"


def simulator() -> Simulator:
    """Give an Exchange with the team's mailboxes and calendars, by the machine's clock."""
    made = Simulator(clock=lambda: datetime.now(UTC), seed=1)
    today = datetime.now(UTC).date()
    random = Random(7)
    for each in TEAM:
        if each.known:
            made.add_mailbox(each.email, each.name, each.zone)
            _fill(made.mailboxes[each.email], today, random)
    _weekly(made, WEST, MEETING, today, "Monday", time(9, 30))
    _weekly(made, EAST, MEETING, today, "Tuesday", time(10))
    _weekly(made, WEST, "Forecast with finance", today, "Thursday", time(14))
    return made


def delete_most(made: Simulator, member: Member) -> int:
    """Delete most of what a member has ahead, at once; give how many."""
    mailbox, now = made.mailboxes[member.email], datetime.now(UTC)
    gone = [each.id for each in mailbox.items() if each.start > now and not each.is_series]
    for each in gone:
        mailbox.delete(each)
    return len(gone)


def _fill(mailbox: MailboxModel, today: date, random: Random) -> None:
    for day in _workdays(today):
        hours = random.sample((8, 11, 13, 15, 16), random.choice((1, 2, 2, 3)))
        for hour in sorted(hours):
            _appointment(mailbox, day, time(hour, random.choice((0, 30))), random)
    start = today + timedelta(days=7 - today.weekday() + random.randint(0, 2))
    days_off = {"all_day": True, "show_as": "out_of_office", "subject": "Trade fair, Milan"}
    mailbox.create(start=start, end=start + timedelta(days=2), **days_off)
    later = today + timedelta(days=1)
    dentist = datetime.combine(later, time(17))
    mailbox.create(
        start=dentist, end=dentist + timedelta(hours=1), subject="Dentist", sensitivity="private"
    )


def _appointment(mailbox: MailboxModel, day: date, at: time, random: Random) -> None:
    start = datetime.combine(day, at)
    guest = random.choice(_CUSTOMERS)
    answer = random.choice(("accepted", "accepted", "tentative", "none"))
    mailbox.create(
        start=start,
        end=start + timedelta(minutes=random.choice((30, 60, 60, 90))),
        subject=random.choice(_SUBJECTS),
        location=random.choice(_PLACES),
        body=_BODY,
        show_as=random.choice(("busy", "busy", "busy", "tentative")),
        attendees=(Attendee(guest.name, guest.email, response=answer),),
        join_url="https://meet.example.com/17" if random.random() < 0.4 else None,
    )


def _weekly(made: Simulator, group: str, subject: str, today: date, day: str, at: time) -> None:
    boxes = [made.mailboxes[each.email] for each in TEAM if each.group == group and each.known]
    first = today - timedelta(days=28)
    start = datetime.combine(first, at)
    guests = tuple(Attendee(each.name, each.email, response="accepted") for each in boxes[1:])
    item_id = boxes[0].create(
        start=start,
        end=start + timedelta(minutes=45),
        time_zone="Europe/Berlin",
        subject=subject,
        location="Room 2",
        body=_BODY,
        attendees=guests,
        recurrence=Recurrence("weekly", first, 1, (day,)),
    )
    item = boxes[0].get(item_id)
    for guest in boxes[1:]:
        guest.create(uid=item.uid, **attendee_copy(item, "accepted"))


def _workdays(today: date) -> Iterator[date]:
    for number in range(-BEFORE, AHEAD):
        day = today + timedelta(days=number)
        if day.weekday() < 5:
            yield day
