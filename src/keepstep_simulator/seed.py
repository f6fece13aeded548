"""Believable calendars, drawn from a seed.

The first dozen items of each mailbox run through every kind once (so that few items hold them
all), the rest are drawn as a sales team's calendars look: mostly single meetings around now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from keepstep_simulator.ids import case_twin
from keepstep_simulator.items import DAY_NAMES, Attendee, Person, Recurrence
from keepstep_simulator.meetings import attendee_copy
from keepstep_simulator.model import Clock, MailboxModel
from keepstep_simulator.series import occurrences
from keepstep_simulator.texts import BODIES, CITIES, LOCATIONS, LONG_SUBJECT, NAMES, SUBJECTS

if TYPE_CHECKING:
    from keepstep_simulator.simulator import Simulator

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Europe/London",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Australia/Sydney",
    "America/Sao_Paulo",
)
Fields = dict[str, Any]


class Writer:
    """Draws the fields of appointments."""

    def __init__(self, random: Random, clock: Clock) -> None:
        """Take the generator and the clock whose "now" the calendars lie around."""
        self._random = random
        self._clock = clock

    def subject(self) -> str:
        """Give a subject line."""
        kind = self._random.choice(SUBJECTS)
        return kind.format(city=self._random.choice(CITIES), number=self._random.randint(2, 98))

    def _day(self, *, ahead_only: bool = False) -> date:
        reach = (1, 90) if ahead_only else (-150, 120)
        day = self._clock().date() + timedelta(days=self._random.randint(*reach))
        return day if day.weekday() < 5 else day + timedelta(days=2)

    def _times(self, day: date) -> Fields:
        begin = time(self._random.randint(7, 17), self._random.choice((0, 0, 15, 30, 30, 45)))
        start = datetime.combine(day, begin)
        length = timedelta(minutes=self._random.choice((15, 30, 30, 45, 60, 60, 90, 120)))
        return {"start": start, "end": start + length}

    def single(self, mailbox: MailboxModel, *, ahead_only: bool = False) -> Fields:
        """Give an appointment of one hour or so."""
        body, body_type = self._random.choice(BODIES)
        return {
            **self._times(self._day(ahead_only=ahead_only)),
            "time_zone": mailbox.zone,
            "subject": self.subject(),
            "location": self._random.choice(LOCATIONS),
            "body": body,
            "body_type": body_type,
            "show_as": self._random.choice(("busy", "busy", "busy", "tentative", "free")),
            "categories": self._random.choice(((), (), (), ("Key account",), ("Travel", "予定"))),
            "reminder_minutes": self._random.choice((None, 5, 15, 15, 30)),
        }

    def all_day(self, mailbox: MailboxModel, days: int = 1) -> Fields:
        """Give a day, or several, in the mailbox's own zone."""
        day = self._day()
        return {
            **self.single(mailbox),
            "start": day,
            "end": day + timedelta(days=days),
            "all_day": True,
            "show_as": self._random.choice(("free", "out_of_office")),
        }

    def meeting(
        self, mailbox: MailboxModel, guests: Sequence[MailboxModel], *, ahead_only: bool = False
    ) -> Fields:
        """Give a meeting with other mailboxes, somebody from outside, and perhaps a room."""
        answers = ("none", "accepted", "accepted", "tentative", "declined")
        attendees = [
            Attendee(
                each.name,
                each.email,
                self._random.choice(("required", "required", "optional")),
                self._random.choice(answers),
            )
            for each in guests
        ]
        outside = self._random.choice(NAMES)
        address = f"{outside.lower().replace(' ', '.').encode('ascii', 'ignore').decode()}"
        attendees.append(Attendee(outside, f"{address or 'guest'}@customer.example"))
        room = self._random.randint(1, 9)
        attendees.append(
            Attendee(f"Room {room}", f"room{room}@example.com", "resource", "accepted")
        )
        fields = self.single(mailbox, ahead_only=ahead_only)
        url = f"https://meet.example.com/{self._random.getrandbits(40):x}"
        with_url = {"join_url": url} if self._random.random() < 0.5 else {}
        return {**fields, "attendees": _answered(attendees, self._clock()), **with_url}

    def series(self, mailbox: MailboxModel, kind: int) -> Fields:
        """Give a series; ``kind`` runs through the patterns and ranges."""
        now = self._clock().date()
        start = now - timedelta(days=self._random.choice((10, 40, 200, 700)))
        return {
            **self.single(mailbox),
            **self._times(start),
            "recurrence": self._range(self._pattern(kind, start), kind),
        }

    def _pattern(self, kind: int, start: date) -> Recurrence:
        random = self._random
        weekday = random.choice(DAY_NAMES[:5])
        index = random.choice(("First", "Second", "Third", "Fourth", "Last"))
        group = random.choice((weekday, "Weekday", "WeekendDay", "Day"))
        patterns = (
            Recurrence("weekly", start, 1, (weekday,)),
            Recurrence("daily", start, random.randint(1, 4)),
            Recurrence("absolute_monthly", start, 1, day_of_month=random.choice((1, 15, 31))),
            Recurrence("relative_monthly", start, random.randint(1, 3), (group,), index),
            Recurrence("weekly", start, 2, ("Tuesday", "Thursday"), first_day_of_week="Monday"),
            Recurrence("absolute_yearly", start, day_of_month=29, month=2),
            Recurrence("relative_yearly", start, 1, (group,), index, month=random.randint(1, 12)),
            Recurrence("weekly", start, 1, DAY_NAMES[:5], first_day_of_week="Sunday"),
        )
        return patterns[kind % len(patterns)]

    def _range(self, pattern: Recurrence, kind: int) -> Recurrence:
        if kind % 3 == 0 or pattern.kind.endswith("yearly"):
            return pattern
        if kind % 3 == 1:
            return replace(pattern, count=self._random.randint(5, 120))
        return replace(pattern, end=pattern.start + timedelta(days=self._random.randint(250, 900)))


def _answered(attendees: Sequence[Attendee], now: datetime) -> tuple[Attendee, ...]:
    when = now.astimezone(UTC).replace(microsecond=0) - timedelta(days=1)
    return tuple(
        each if each.response == "none" else replace(each, responded=when) for each in attendees
    )


def seed_calendars(simulator: "Simulator", n_mailboxes: int, items_each: int) -> list[MailboxModel]:
    """Add ``n_mailboxes`` mailboxes with about ``items_each`` items; gives them."""
    random = Random(f"{simulator.seed}:seed")
    boxes = []
    for number in range(n_mailboxes):
        name = NAMES[number % len(NAMES)]
        first = name.split()[0].encode("ascii", "ignore").decode().lower() or "user"
        zone = ZONES[number % len(ZONES)] if number % 3 else ZONES[0]
        boxes.append(simulator.add_mailbox(f"{first}.{number + 1}@example.com", name, zone))
    for mailbox in boxes:
        _Filler(mailbox, boxes, random, simulator.clock).fill(items_each)
    return boxes


class _Filler:
    """Fills one mailbox; meetings reach the other mailboxes invited."""

    def __init__(
        self,
        mailbox: MailboxModel,
        boxes: Sequence[MailboxModel],
        random: Random,
        clock: Clock,
    ) -> None:
        self._mailbox = mailbox
        self._others = [each for each in boxes if each is not mailbox][:40]
        self._random = random
        self._clock = clock
        self._writer = Writer(random, clock)
        self._series = 0

    def fill(self, count: int) -> None:
        kinds: tuple[Callable[[], object], ...] = (
            self._single,
            self._a_series,
            self._meeting,
            lambda: self._add(self._writer.all_day(self._mailbox)),
            self._hidden,
            self._a_series,
            self._cancelled,
            lambda: self._add(self._writer.all_day(self._mailbox, self._random.randint(2, 5))),
            self._far_zone,
            self._case_twins,
            self._awkward_subject,
            self._long_id,
        )
        weights = (30, 8, 14, 4, 4, 6, 1, 2, 3, 0, 1, 1)
        for number in range(count):
            if len(self._mailbox) >= count:
                return
            if number < len(kinds):
                kinds[number]()
            else:
                self._random.choices(kinds, weights)[0]()

    def _add(self, fields: Mapping[str, Any]) -> str:
        now = self._clock().replace(microsecond=0)
        made = now - timedelta(days=self._random.randint(1, 60))
        return self._mailbox.create(**{"created": made, "modified": made, **fields})

    def _single(self) -> None:
        self._add(self._writer.single(self._mailbox))

    def _hidden(self) -> None:
        sensitivity = self._random.choice(("private", "personal", "confidential"))
        self._add({**self._writer.single(self._mailbox), "sensitivity": sensitivity})

    def _far_zone(self) -> None:
        fields = self._writer.single(self._mailbox)
        start, end = self._random.sample(ZONES, 2)
        if self._random.random() < 0.5:
            self._add({**fields, "time_zone": start})
            return
        hours = timedelta(hours=20)
        flight = {"start_zone": start, "end_zone": end, "end": fields["start"] + hours * 2}
        del fields["time_zone"]
        self._add({**fields, **flight, "subject": f"✈ {start} → {end}"})

    def _awkward_subject(self) -> None:
        subject = self._random.choice(
            (None, "", LONG_SUBJECT, "🎉🎂 👨‍👩‍👧‍👦", "يوم العملاء", "לקוח <&>")
        )
        self._add({**self._writer.single(self._mailbox), "subject": subject})

    def _long_id(self) -> None:
        self._add({**self._writer.single(self._mailbox), "id_length": 512})

    def _case_twins(self) -> None:
        first = self._add(self._writer.single(self._mailbox))
        self._add({**self._writer.single(self._mailbox), "item_id": case_twin(first)})

    def _meeting(self) -> None:
        guests = self._random.sample(
            self._others, min(len(self._others), self._random.randint(1, 3))
        )
        fields = self._writer.meeting(self._mailbox, guests)
        item_id = self._add(fields)
        item = self._mailbox.get(item_id)
        for guest in guests:
            answer = next(each.response for each in item.attendees if each.email == guest.email)
            if answer != "declined":
                guest.create(uid=item.uid, **attendee_copy(item, answer))

    def _cancelled(self) -> None:
        fields = self._writer.single(self._mailbox)
        organizer = Person(self._random.choice(NAMES), "organizer@customer.example")
        me = Attendee(self._mailbox.name, self._mailbox.email, response="none")
        item_id = self._add(
            {
                **fields,
                "organizer": organizer,
                "attendees": (me,),
                "is_organizer": False,
                "my_response": "none",
            }
        )
        self._mailbox.cancel(item_id)

    def _a_series(self) -> None:
        item_id = self._add(self._writer.series(self._mailbox, self._series))
        self._series += 1
        if self._random.random() < 0.7:
            self._except(item_id)

    def _except(self, item_id: str) -> None:
        now = self._clock()
        window = now - timedelta(days=20), now + timedelta(days=60)
        found = occurrences(self._mailbox.get(item_id), *window)
        mine = [each.original_start for each in found if each.original_start is not None]
        for original in self._random.sample(mine, min(len(mine), 3)):
            choice = self._random.random()
            if choice < 0.3:
                self._mailbox.delete_occurrence(item_id, original)
            elif choice < 0.7:
                start = original + timedelta(minutes=90)
                self._mailbox.change_occurrence(item_id, original, start=start)
            else:
                self._mailbox.change_occurrence(
                    item_id, original, subject=self._writer.subject(), location="Room 5"
                )
