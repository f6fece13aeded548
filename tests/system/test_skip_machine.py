"""After changing conditions in any order and syncing, the calendar equals the filtered truth."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from keepstep.core.appointment import Response, Sensitivity, ShowAs
from keepstep.core.skip import Conditions, Traits, condition_met
from keepstep.store import settings as application
from keepstep.store.models import (
    Appointment,
    AuditEntry,
    History,
    LeftOut,
    Mailbox,
    Operator,
    Quarantine,
    Setting,
)
from keepstep_simulator import Simulator
from keepstep_simulator.items import Attendee, Item, Person, Recurrence
from keepstep_simulator.model import MailboxModel
from tests.engine import Clock, Engine, add_operator
from tests.oracle import Oracle, assert_in_step, happenings

EMAIL = "anna@example.com"
SOAK = bool(os.environ.get("KEEPSTEP_SOAK"))
CATEGORIES = ("Travel", "Lunch")
SUBJECTS = ("Talk on travel", "Lunch", "Review")
SHOWN = ("busy", "free", "tentative")


class FilteredOracle(Oracle):
    """The oracle, of a calendar that leaves out what meets the conditions."""

    def __init__(self, mailbox: MailboxModel) -> None:
        super().__init__(mailbox)
        self.conditions = Conditions()
        self._known: dict[str, Traits] = {}

    def change(self, conditions: Conditions) -> None:
        """Other conditions hold from now on: what is known and ahead goes at once."""
        self.conditions = conditions
        boundary = self._boundary or self._cutoff
        for key in list(self.calendar):
            known = self._known.get(key[0])
            ahead = boundary is not None and self.calendar[key].end > boundary
            if ahead and known is not None and condition_met(known, conditions):
                del self.calendar[key]

    def succeed(self, began: datetime) -> None:
        self.begin(began)
        boundary = self._boundary or self._cutoff
        assert boundary is not None
        now = happenings(self._mailbox)
        self._known |= {item.uid: _traits(item) for item in self._mailbox.items()}
        for key in self.calendar.keys() | now.keys():
            old, new = self.calendar.get(key), now.get(key)
            if (old and old.end > boundary) or (new and new.end > boundary):
                self.calendar.pop(key, None)
                if new and not condition_met(self._known[key[0]], self.conditions):
                    self.calendar[key] = new
        self._looked(began)


def _traits(item: Item) -> Traits:
    return Traits(
        item.subject or "",
        item.categories,
        ShowAs(item.show_as),
        Sensitivity(item.sensitivity),
        Response(item.my_response),
        item.all_day,
    )


def _given() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "subject": st.sampled_from(SUBJECTS),
            "categories": st.sampled_from([(), ("travel",), CATEGORIES]),
            "show_as": st.sampled_from(SHOWN),
            "my_response": st.sampled_from(["accepted", "declined"]),
        },
    )


CHOICES = {
    "skip_categories": ("", "TRAVEL", "Lunch;Travel"),
    "skip_show_as": ("", "free", "free;tentative", "tentative"),
    "skip_sensitivities": ("", "private", "private;personal"),
    "skip_declined": ("on", ""),
    "skip_all_day": ("on", ""),
    "skip_subject_contains": ("", "TRAVEL", "lunch;vie", "re"),
}
SETTINGS = st.lists(
    st.sampled_from([(name, value) for name, values in CHOICES.items() for value in values]),
    min_size=1,
    max_size=3,
).map(dict)
HOURS = st.integers(-60 * 24, 60 * 24)
INVITED: dict[str, Any] = {
    "organizer": Person("Cleo", "cleo@customer.example"),
    "attendees": (Attendee("Anna", EMAIL),),
    "is_organizer": False,
    "my_response": "accepted",
}


class SkipMachine(RuleBasedStateMachine):
    """Conditions and calendars change in any order, with rounds of every kind between."""

    @initialize(
        batch=st.sampled_from([1, 3, 100]),
        seed=st.integers(0, 99),
        singles=st.lists(st.tuples(HOURS, _given()), min_size=2, max_size=6),
        values=SETTINGS,
    )
    def set_up(
        self,
        batch: int,
        seed: int,
        singles: list[tuple[int, dict[str, Any]]],
        values: dict[str, str],
    ) -> None:
        for model in (History, Quarantine, LeftOut, Appointment, Mailbox, Operator, Setting):
            model.objects.all().delete()
        AuditEntry.objects.all().delete()
        self.clock = Clock()
        self.simulator = Simulator(clock=self.clock, seed=seed)
        self.mailbox = self.simulator.add_mailbox(EMAIL, time_zone="Europe/Berlin")
        self.oracle = FilteredOracle(self.mailbox)
        self.batch = batch
        self.in_step = False
        add_operator(EMAIL)
        for number, (hours, given) in enumerate(singles):
            sensitivity = "private" if number == 0 else "normal"
            self.make_a_single_appointment(hours, given, sensitivity, all_day=number == 1)
        self.make_a_series(-10, 40, {"categories": CATEGORIES})
        self.change_the_conditions(values, then_sync=True)

    @rule(
        hours=HOURS,
        given=_given(),
        sensitivity=st.sampled_from(["normal", "normal", "private"]),
        all_day=st.booleans(),
    )
    def make_a_single_appointment(
        self, hours: int, given: dict[str, Any], sensitivity: str, all_day: bool
    ) -> None:
        start = self.clock() + timedelta(hours=hours, minutes=30)
        times: dict[str, Any] = {"start": start, "end": start + timedelta(hours=2)}
        if all_day:
            day = start.date()
            times = {"start": day, "end": day + timedelta(days=1), "all_day": True}
        kind = {"subject": "Review", "sensitivity": sensitivity}
        self.mailbox.create(**times, **{**INVITED, **kind, **given})
        self.in_step = False

    @rule(days=st.integers(-40, 20), count=st.integers(1, 60), given=_given())
    def make_a_series(self, days: int, count: int, given: dict[str, Any]) -> None:
        start = (self.clock() + timedelta(days=days)).replace(hour=7)
        pattern = Recurrence("daily", start.date(), 1, count=count)
        times = {"start": start, "end": start + timedelta(hours=1), "recurrence": pattern}
        self.mailbox.create(**times, **{**INVITED, "subject": "Review", **given})
        self.in_step = False

    def _any(self, data: st.DataObject, *, series: bool | None = None) -> Item | None:
        items = [
            each for each in self.mailbox.items() if series is None or each.is_series is series
        ]
        return data.draw(st.sampled_from(items)) if items else None

    @rule(data=st.data(), given=_given(), then_sync=st.booleans())
    def change_what_one_is(
        self, data: st.DataObject, given: dict[str, Any], then_sync: bool
    ) -> None:
        if given and (item := self._any(data)):
            self.mailbox.update(item.id, keep_exceptions=True, **given)
            self.in_step = False
        if then_sync:
            self.sync(full=False)

    @rule(data=st.data(), position=st.integers(0, 40), given=_given())
    def change_an_occurrence_ahead(
        self, data: st.DataObject, position: int, given: dict[str, Any]
    ) -> None:
        """What it says of itself decides nothing: the series is judged by its master."""
        item = self._any(data, series=True)
        now = self.clock()
        ahead = [
            each
            for each in self.mailbox.occurrences(now, now + timedelta(days=60))
            if item and each.item.id == item.id and each.start > now
        ]
        subject = given.get("subject", "Lunch")
        if item and ahead:
            original = ahead[position % len(ahead)].original_start
            assert original is not None
            self.mailbox.change_occurrence(item.id, original, subject=subject)
            self.in_step = False

    @precondition(lambda self: self.in_step)
    @rule(data=st.data(), hours=st.integers(-300, 300))
    def move_one(self, data: st.DataObject, hours: int) -> None:
        """Told apart: what is known between a broken round and the next would decide else."""
        item = self._any(data, series=False)
        if item and not item.all_day:
            start = self.clock() + timedelta(hours=hours, minutes=10)
            self.mailbox.update(item.id, start=start, end=start + timedelta(minutes=30))
            self.sync(full=False)

    @rule(data=st.data())
    def delete_one(self, data: st.DataObject) -> None:
        if item := self._any(data):
            self.mailbox.delete(item.id)
            self.in_step = False

    @rule(hours=st.integers(1, 24 * 10))
    def time_passes(self, hours: int) -> None:
        self.clock.go(hours=hours)

    @rule()
    def drop_all_conditions(self) -> None:
        self.change_the_conditions(dict.fromkeys(CHOICES, ""), then_sync=True)

    @rule(values=SETTINGS)
    def let_other_conditions_hold_alone(self, values: dict[str, str]) -> None:
        self.change_the_conditions(dict.fromkeys(CHOICES, "") | values, then_sync=True)

    @rule(values=SETTINGS, then_sync=st.booleans())
    def change_the_conditions(self, values: dict[str, str], then_sync: bool) -> None:
        before = application.load().policy.conditions
        application.change({name: value or _off(name) for name, value in values.items()})
        after = application.load().policy.conditions
        if after != before:
            self.oracle.change(after)
            self.in_step = self.in_step and not _wanted()
        if then_sync:
            self.sync(full=False)

    @rule(full=st.booleans())
    def sync(self, full: bool) -> None:
        began = self.clock()
        self.oracle.begin(began)
        result = self._engine().sync(full=full)
        assert (result.failed, result.failures) == (0, [])
        self.oracle.succeed(began)
        self.in_step = True

    @precondition(lambda self: self.in_step)
    @rule()
    def a_comparison_finds_nothing_and_reads_nothing(self) -> None:
        """What was left out is known by its version, so it is neither drift nor read again."""
        self.sync(full=False)
        self.simulator.log.clear()
        result, found = self._engine().verify()
        assert (result.failed, found.drift) == (0, [])
        assert self.simulator.requests("GetItem") == []
        self.oracle.succeed(self.clock())

    def _engine(self) -> Engine:
        policy = application.load().policy
        return Engine(self.simulator, self.clock, batch_size=self.batch, policy=policy)

    @invariant()
    def the_sales_calendar_is_the_filtered_truth(self) -> None:
        if getattr(self, "in_step", False):
            assert_in_step(self.oracle, EMAIL, self.clock())


def _off(name: str) -> str:
    return application.RULES[name].default


def _wanted() -> bool:
    return Mailbox.objects.filter(full_round_wanted=True).exists()


def test_the_calendar_equals_the_filtered_truth_whatever_conditions_change(
    any_database: str,
) -> None:
    """On each database: fewer steps on PostgreSQL, whose every run costs more."""
    examples = 30 if any_database == "sqlite" else 10
    run_state_machine_as_test(
        SkipMachine,
        settings=settings(
            max_examples=examples * (10 if SOAK else 1),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
