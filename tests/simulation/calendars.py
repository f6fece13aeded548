"""What people do to their calendars while the engine runs, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from keepstep_simulator import Simulator
from keepstep_simulator.items import Attendee, Item, Occurrence, Recurrence
from keepstep_simulator.model import MailboxModel
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
WORDS = ("Lunch", "Demo", "Review", "Call", "Übergabe", "予定", "A & B <c>")
_DAY = timedelta(days=1)


class People:
    """Those whose calendars they are. `gap` is about how long the story pauses between steps."""

    def __init__(
        self,
        simulator: Simulator,
        truths: Sequence[Truth],
        random: Random,
        gap: float,
        trace: Trace,
    ) -> None:
        self._simulator = simulator
        self._truths = truths
        self._random = random
        self._gap = gap
        self._trace = trace
        self.unannounced = False
        self._of_new_hours: set[str] = set()
        self._of_new_ids: set[str] = set()
        self._deeds: list[tuple[int, Callable[[Truth], str | None]]] = [
            (6, self._make_single),
            (2, self._make_all_day),
            (3, self._make_series),
            (2, self._invite),
            (4, self._rename),
            (3, self._move),
            (2, self._move_into_the_past),
            (2, self._lengthen),
            (4, self._delete),
            (1, self._call_off),
            (3, self._accept),
            (1, self._move_out_and_in),
            (2, self._turn_private),
            (1, self._turn_open),
            (4, self._change_occurrence),
            (3, self._delete_occurrence),
            (2, self._split),
            (1, self._new_hour),
            (1, self._end_series),
        ]

    def act(self) -> None:
        """Do one thing in one calendar."""
        weights = [weight for weight, _ in self._deeds]
        (deed,) = self._random.choices([deed for _, deed in self._deeds], weights)
        truth = self._random.choice(self._truths)
        what = deed(truth)
        if what is not None:
            self._trace("people", truth.mailbox.email, what)
        self.note()

    def fill(self, truth: Truth, items: int) -> None:
        """Put some appointments in, before the story begins."""
        for _ in range(items):
            self._random.choice(
                (self._make_single, self._make_single, self._make_series, self._make_all_day)
            )(truth)

    def note(self) -> None:
        """Let the truths take down what changed."""
        for truth in self._truths:
            truth.note(self._now)

    def save_again(self, email: str, item_id: str) -> None:
        """Open and save an appointment, as the remedy of an unreadable item says."""
        mailbox = self._simulator.mailboxes[email.lower()]
        if item_id in mailbox:
            mailbox.update(item_id, keep_exceptions=True, importance="normal")
        self.note()

    @property
    def _now(self) -> datetime:
        return self._simulator.clock()

    # What they make

    def _some_time(self) -> datetime:
        """Give an instant that is likely crossed while the story lasts, or far from it."""
        reach = self._random.choice((3 * self._gap, 12 * self._gap, 3 * 86_400, 15 * 86_400))
        seconds = self._random.uniform(-0.4, 1) * reach
        return self._now.replace(microsecond=0) + timedelta(seconds=int(seconds))

    def _some_length(self) -> timedelta:
        return timedelta(seconds=self._random.choice((0, 30, 300, 1800, 3600, 26 * 3600)))

    def _texts(self) -> dict[str, Any]:
        return {
            "subject": f"{self._random.choice(WORDS)} {self._random.randrange(100)}",
            "location": self._random.choice((None, "Room 1", "Room 2")),
            "show_as": self._random.choice(("busy", "tentative", "free")),
            "sensitivity": "private" if self._random.random() < 0.08 else "normal",
            "time_zone": self._random.choice(ZONES),
        }

    def _make_single(self, truth: Truth) -> str:
        start = self._some_time()
        truth.mailbox.create(start=start, end=start + self._some_length(), **self._texts())
        return f"makes one at {start}"

    def _make_all_day(self, truth: Truth) -> str:
        day = self._some_time().date()
        days = self._random.choice((1, 1, 3))
        truth.mailbox.create(start=day, end=day + days * _DAY, all_day=True, **self._texts())
        return f"makes one of {days} days at {day}"

    def _make_series(self, truth: Truth) -> str:
        # In the hours that clock changes skip or double the two sides' expansions may differ, which
        # the tests of recurrence tell apart.
        first = self._now.date() - self._random.randrange(12) * _DAY
        start = datetime.combine(first, time(self._random.randrange(6, 20)))
        pattern = self._pattern(first)
        texts = self._texts()
        truth.mailbox.create(
            start=start, end=start + timedelta(hours=1), recurrence=pattern, **texts
        )
        return f"makes a series from {start} in {texts['time_zone']}: {pattern}"

    def _pattern(self, first: date) -> Recurrence:
        interval = self._random.randint(1, 3)
        limit: dict[str, Any] = self._random.choice(
            ({}, {"count": self._random.randint(1, 14)}, {"end": first + 16 * _DAY})
        )
        if self._random.random() < 0.6:
            return Recurrence("daily", first, interval, **limit)
        days = {first.strftime("%A"), self._random.choice(("Monday", "Thursday"))}
        return Recurrence("weekly", first, interval, days=tuple(sorted(days)), **limit)

    def _invite(self, truth: Truth) -> str | None:
        others = [each for each in self._truths if each is not truth]
        if not others:
            return None
        guest = self._random.choice(others).mailbox
        start = self._some_time()
        item_id = truth.mailbox.create(
            start=start,
            end=start + self._some_length(),
            attendees=[Attendee(guest.name, guest.email)],
            **self._texts(),
        )
        self._simulator.deliver(truth.mailbox, item_id, "invite")
        return f"invites {guest.email} to {start}"

    # What they change

    def _one(self, truth: Truth, fits: Callable[[Item], bool] = lambda _: True) -> Item | None:
        items = [item for item in truth.mailbox.items() if fits(item)]
        return self._random.choice(items) if items else None

    def _update(self, mailbox: MailboxModel, item: Item, **given: Any) -> None:
        mailbox.update(item.id, **given)
        self._simulator.deliver(mailbox, item.id, "update")

    def _rename(self, truth: Truth) -> str | None:
        if (item := self._one(truth)) is None:
            return None
        subject = f"{self._random.choice(WORDS)} again {self._random.randrange(100)}"
        self._update(truth.mailbox, item, subject=subject, keep_exceptions=True)
        return f"renames {item.uid[-6:]}"

    def _move(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: not (each.is_series or each.all_day))
        if item is None:
            return None
        start = self._some_time()
        self._update(truth.mailbox, item, start=start, end=start + (item.end - item.start))
        return f"moves {item.uid[-6:]} to {start}"

    def _move_into_the_past(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: not (each.is_series or each.all_day))
        if item is None:
            return None
        end = self._now - timedelta(seconds=int(self._random.uniform(0, 6) * self._gap))
        self._update(truth.mailbox, item, start=end - timedelta(minutes=10), end=end)
        return f"moves {item.uid[-6:]} to end at {end}"

    def _lengthen(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: not (each.is_series or each.all_day))
        if item is None:
            return None
        end = max(item.start, self._some_time())
        self._update(truth.mailbox, item, end=end)
        return f"has {item.uid[-6:]} end at {end}"

    def _delete(self, truth: Truth) -> str | None:
        if (item := self._one(truth)) is None:
            return None
        if self._random.random() < 0.3:
            truth.mailbox.move_out(item.id)
        else:
            truth.mailbox.delete(item.id)
        return f"deletes {item.uid[-6:]}"

    def _call_off(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: each.is_meeting)
        if item is None:
            return None
        if item.is_organizer:
            self._simulator.deliver(truth.mailbox, item.id, "cancel")
        truth.mailbox.cancel(item.id)
        return f"cancels {item.uid[-6:]}"

    def _may_change_its_id(self, truth: Truth, item: Item) -> bool:
        """Tell apart one over that moves, or turns private, and changes its id between rounds.

        It is two, by UID and start; a listing does not tell that they are one meeting.
        """
        if item.is_series:
            return item.uid not in self._of_new_hours and item.uid not in truth.ever_private
        return truth.never_over(item, self._now)

    def _is_series_of_new_id(self, item: Item) -> bool:
        return item.is_series and item.uid in self._of_new_ids

    def _accept(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: self._may_change_its_id(truth, each))
        if item is None:
            return None
        order = self._random.choice(("delete-first", "create-first"))
        self._of_new_ids.add(item.uid)
        truth.mailbox.accept(item.id, order=order)
        return f"accepts {item.uid[-6:]} {order}"

    def _move_out_and_in(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: self._may_change_its_id(truth, each))
        if item is None:
            return None
        self._of_new_ids.add(item.uid)
        truth.mailbox.move(item.id)
        return f"moves {item.uid[-6:]} out and in"

    def _turn_private(self, truth: Truth) -> str | None:
        item = self._one(
            truth,
            lambda each: each.sensitivity == "normal" and not self._is_series_of_new_id(each),
        )
        if item is None:
            return None
        kind = self._random.choice(("private", "personal", "confidential"))
        truth.mailbox.update(item.id, sensitivity=kind, keep_exceptions=True)
        return f"turns {item.uid[-6:]} {kind}"

    def _turn_open(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: each.sensitivity != "normal")
        if item is None:
            return None
        truth.mailbox.update(item.id, sensitivity="normal", keep_exceptions=True)
        return f"turns {item.uid[-6:]} open"

    # What they do to series

    def _occurrence(self, truth: Truth) -> Occurrence | None:
        """Give one that is ahead."""
        series = self._one(truth, lambda each: each.is_series)
        if series is None:
            return None
        ahead = [
            each
            for each in truth.mailbox.occurrences(self._now, self._now + 12 * _DAY)
            if each.item.id == series.id and each.start > self._now
        ]
        return self._random.choice(ahead[:6]) if ahead else None

    def _change_occurrence(self, truth: Truth) -> str | None:
        if (each := self._occurrence(truth)) is None:
            return None
        assert each.original_start is not None
        given: dict[str, Any] = {"subject": f"Changed {self._random.randrange(100)}"}
        if self._random.random() < 0.6:
            shift = self._random.choice((-3 * self._gap, -3600, 1800, 5 * 3600))
            given["start"] = each.start + timedelta(seconds=int(shift))
        announce = not self.unannounced or self._random.random() < 0.5
        truth.mailbox.change_occurrence(
            each.item.id, each.original_start, announce=announce, **given
        )
        told = "" if announce else ", unannounced"
        return f"changes {each.item.uid[-6:]} of {each.original_start}: {given}{told}"

    def _delete_occurrence(self, truth: Truth) -> str | None:
        if (each := self._occurrence(truth)) is None:
            return None
        assert each.original_start is not None
        truth.mailbox.delete_occurrence(each.item.id, each.original_start)
        return f"deletes {each.item.uid[-6:]} of {each.original_start}"

    def _split(self, truth: Truth) -> str | None:
        if (each := self._occurrence(truth)) is None:
            return None
        assert each.original_start is not None
        originals = [
            other
            for other in truth.mailbox.occurrences(
                each.original_start - 30 * _DAY, each.original_start
            )
            if other.item.id == each.item.id
            and other.original_start is not None
            and other.original_start < each.original_start
        ]
        if not originals:
            return None
        truth.mailbox.split_series(each.item.id, each.original_start, subject="Split")
        return f"splits {each.item.uid[-6:]} at {each.original_start}"

    def _new_hour(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: each.is_series and not self._is_series_of_new_id(each))
        if item is None:
            return None
        first = item.start_zone.wall(item.start)
        start = first.replace(hour=self._random.randrange(6, 20))
        self._of_new_hours.add(item.uid)
        truth.mailbox.update(item.id, start=start, end=start + timedelta(hours=1))
        return f"has {item.uid[-6:]} begin at {start:%H}"

    def _end_series(self, truth: Truth) -> str | None:
        item = self._one(truth, lambda each: each.is_series)
        if item is None or item.recurrence is None:
            return None
        end = max(item.recurrence.start, self._now.date() + self._random.randrange(-2, 6) * _DAY)
        pattern = Recurrence(
            item.recurrence.kind,
            item.recurrence.start,
            item.recurrence.interval,
            days=item.recurrence.days,
            end=end,
        )
        last = item.start_zone.instant(datetime.combine(end, time(23, 59)))
        truth.mailbox.update(
            item.id,
            recurrence=pattern,
            exceptions=[each for each in item.exceptions if each.original_start <= last],
            deleted_occurrences=[each for each in item.deleted_occurrences if each <= last],
            keep_exceptions=True,
        )
        return f"has {item.uid[-6:]} end on {end}"
