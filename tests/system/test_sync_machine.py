"""After any sequence of changes, faults, repeats and kills the calendar equals the oracle."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
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

from keepstep.core.errors import ExchangeError
from keepstep.core.page import Listing, ReadItem
from keepstep.exchange.connector import Connector, Folder, Target
from keepstep.store.models import Appointment, History, Mailbox, Operator, Quarantine
from keepstep_simulator import Simulator
from keepstep_simulator.items import Recurrence
from tests.engine import Clock, Engine, add_operator
from tests.oracle import Oracle, assert_in_step

EMAIL = "anna@example.com"
SOAK = bool(os.environ.get("KEEPSTEP_SOAK"))


class Killed(BaseException):
    """The process died here: nothing of it runs on."""


class Troubled:
    """A connector whose calls go as `plan` says, one word a call; then all go well.

    `lost`: the answer is lost on the way. `killed-before`, `killed-after`: the process dies.
    `repeat`: the listing before is given once more. `meanwhile`: something changes in Exchange
    after the answer. Anything else: all is well. `opened` hears that the folder was opened.
    """

    def __init__(
        self,
        inner: Connector,
        plan: list[str],
        meanwhile: Callable[[], None],
        opened: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._plan = plan
        self._meanwhile = meanwhile
        self._opened = opened
        self._last: Listing | None = None

    @property
    def requests(self) -> int:
        return self._inner.requests

    async def folder(self, target: Target) -> Folder:
        folder: Folder = await self._call(lambda: self._inner.folder(target))
        self._opened()
        return folder

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        if self._plan and self._plan[0] == "repeat" and self._last is not None:
            self._plan.pop(0)
            return self._last
        self._last = await self._call(lambda: self._inner.changes(target, sync_state, batch_size))
        return self._last

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        return await self._call(lambda: self._inner.appointments(target, item_ids, batch_size))

    async def close(self) -> None:
        await self._inner.close()

    async def _call(self, call: Callable[[], Any]) -> Any:
        word = self._plan.pop(0) if self._plan else "well"
        if word == "killed-before":
            raise Killed
        answer = await call()
        if word == "killed-after":
            raise Killed
        if word == "lost":
            raise ExchangeError("timed-out")
        if word == "meanwhile":
            self._meanwhile()
        return answer


WORDS = st.sampled_from(
    ["well", "well", "lost", "killed-before", "killed-after", "repeat", "meanwhile"]
)
OFFSETS = st.integers(-190 * 24, 100 * 24)
PLANS = st.lists(WORDS, max_size=8)


class SyncMachine(RuleBasedStateMachine):
    """Everything that may happen to one mailbox, in any order."""

    @initialize(batch=st.sampled_from([1, 2, 3, 7, 100]), seed=st.integers(0, 99))
    def set_up(self, batch: int, seed: int) -> None:
        for model in (History, Quarantine, Appointment, Mailbox, Operator):
            model.objects.all().delete()
        self.clock = Clock()
        self.random = random.Random(seed)
        self.simulator = Simulator(clock=self.clock, seed=seed)
        self.mailbox = self.simulator.add_mailbox(EMAIL, time_zone="Europe/Berlin")
        self.oracle = Oracle(self.mailbox)
        self.batch = batch
        self.in_step = False
        add_operator(EMAIL)

    # What happens in Exchange

    @rule(hours=OFFSETS, length=st.integers(0, 60), private=st.booleans())
    def make_a_single_appointment(self, hours: int, length: int, private: bool) -> None:
        start = self.clock() + timedelta(hours=hours, minutes=30)
        self.mailbox.create(
            start=start,
            end=start + timedelta(hours=length),
            subject=f"Single {hours}",
            sensitivity="private" if private else "normal",
        )
        self.in_step = False

    @rule(
        days=st.integers(-250, 60),
        kind=st.sampled_from(["daily", "weekly"]),
        interval=st.integers(1, 3),
        count=st.one_of(st.none(), st.integers(1, 30)),
    )
    def make_a_series(self, days: int, kind: str, interval: int, count: int | None) -> None:
        # In the hours that clock changes skip the simulator sees it in another way than we do;
        # those are told apart in the tests of recurrence.
        start = (self.clock() + timedelta(days=days)).replace(hour=7)
        given = {"days": (start.strftime("%A"),)} if kind == "weekly" else {}
        pattern = Recurrence(kind, start.date(), interval, count=count, **given)
        self.mailbox.create(
            start=start,
            end=start + timedelta(hours=1),
            subject=f"Series {days}",
            recurrence=pattern,
        )
        self.in_step = False

    def _any(self, data: st.DataObject, *, series: bool | None = None) -> Any:
        items = [
            each for each in self.mailbox.items() if series is None or each.is_series is series
        ]
        return data.draw(st.sampled_from(items)) if items else None

    @rule(data=st.data(), name=st.sampled_from(["Lunch", "Demo", "Review"]))
    def rename_one(self, data: st.DataObject, name: str) -> None:
        if item := self._any(data):
            self.mailbox.update(item.id, subject=name, keep_exceptions=True)
            self.in_step = False

    @rule(data=st.data(), hours=st.integers(1, 100 * 24))
    def move_a_single_one_ahead(self, data: st.DataObject, hours: int) -> None:
        if item := self._any(data, series=False):
            start = self.clock() + timedelta(hours=hours)
            end = start + (item.end - item.start)
            self.mailbox.update(item.id, start=start, end=end)
            self.in_step = False

    @precondition(lambda self: self.in_step)
    @rule(data=st.data(), hours=st.integers(2, 100 * 24))
    def move_one_into_the_past(self, data: st.DataObject, hours: int) -> None:
        """Told apart: what is known between a broken round and the next would decide else."""
        if item := self._any(data, series=False):
            start = self.clock() - timedelta(hours=hours)
            self.mailbox.update(item.id, start=start, end=start + timedelta(minutes=30))
            self.sync([])

    @rule(data=st.data())
    def delete_one(self, data: st.DataObject) -> None:
        if item := self._any(data):
            self.mailbox.delete(item.id)
            self.in_step = False

    @rule(data=st.data())
    def cancel_one(self, data: st.DataObject) -> None:
        if item := self._any(data, series=False):
            self.mailbox.update(item.id, cancelled=True)
            self.in_step = False

    @precondition(lambda self: self.in_step)
    @rule(data=st.data(), order=st.sampled_from(["delete-first", "create-first"]))
    def accept_one(self, data: st.DataObject, order: str) -> None:
        """Told apart: one over that moves and changes its id is two, by UID and start."""
        item = self._any(data)
        if item and (item.is_series or item.end > self.clock()):
            self.mailbox.accept(item.id, order=order)
            self.in_step = False

    @rule(data=st.data())
    def turn_one_private(self, data: st.DataObject) -> None:
        if item := self._any(data, series=False):
            self.mailbox.update(item.id, sensitivity="private")
            self.in_step = False

    @rule(data=st.data(), position=st.integers(0, 40), shift=st.integers(0, 48))
    def change_an_occurrence_ahead(self, data: st.DataObject, position: int, shift: int) -> None:
        if (each := self._occurrence_ahead(data, position)) is not None:
            start = each.start + timedelta(hours=shift)
            self.mailbox.change_occurrence(
                each.item.id, each.original_start, start=start, subject=f"Moved by {shift}"
            )
            self.in_step = False

    @rule(data=st.data(), position=st.integers(0, 40))
    def delete_an_occurrence_ahead(self, data: st.DataObject, position: int) -> None:
        if (each := self._occurrence_ahead(data, position)) is not None:
            self.mailbox.delete_occurrence(each.item.id, each.original_start)
            self.in_step = False

    def _occurrence_ahead(self, data: st.DataObject, position: int) -> Any:
        item = self._any(data, series=True)
        if item is None:
            return None
        ahead = [
            each
            for each in self.mailbox.occurrences(self.clock(), self.clock() + timedelta(days=90))
            if each.item.id == item.id and each.start > self.clock()
        ]
        return ahead[position % len(ahead)] if ahead else None

    @rule(hours=st.integers(1, 24 * 20))
    def time_passes(self, hours: int) -> None:
        self.clock.go(hours=hours)

    @rule()
    def exchange_forgets_the_sync_state(self) -> None:
        self.mailbox.forget_sync_states()

    # What Keepstep does

    @rule(plan=PLANS)
    def sync_in_trouble(self, plan: list[str]) -> None:
        self.sync(plan)

    @rule(full=st.booleans())
    def sync_in_peace(self, full: bool) -> None:
        self.sync([], full=full)
        assert self.in_step

    def sync(self, plan: list[str], *, full: bool = False) -> None:
        began: datetime = self.clock()
        meanwhile = "meanwhile" in plan
        # A page that a full round is given twice is doubted, and the round tried again.
        passing = {"timed-out", "listing-doubtful"} if "repeat" in plan else {"timed-out"}
        engine = Engine(
            self.simulator,
            self.clock,
            batch_size=self.batch,
            # A first round has begun once the calendar folder is open.
            wrap=lambda inner: Troubled(
                inner, plan, self._something_changes, lambda: self.oracle.begin(began)
            ),
        )
        try:
            result = engine.sync(full=full)
        except Killed:
            return
        if result.failed:
            assert {each["code"] for each in result.failures} <= passing
            return
        if meanwhile:
            # What came between two pages may or may not be in: one more round tells.
            result = Engine(self.simulator, self.clock, batch_size=self.batch).sync()
            assert result.failed == 0, result
        assert not [each for each in result.failures if each["code"] != "held-mass-removal"]
        self.oracle.succeed(began)
        self.in_step = True

    def _something_changes(self) -> None:
        ahead = [each for each in self.mailbox.items() if each.end > self.clock()]
        if not ahead:
            return
        item = self.random.choice(ahead)
        if self.random.random() < 0.5:
            self.mailbox.update(item.id, subject="Changed meanwhile", keep_exceptions=True)
        else:
            self.mailbox.delete(item.id)

    @invariant()
    def the_sales_calendar_is_in_step(self) -> None:
        if getattr(self, "in_step", False):
            assert_in_step(self.oracle, EMAIL, self.clock())


def test_the_sales_calendar_equals_the_oracle_whatever_happens(any_database: str) -> None:
    """On each database: fewer steps on PostgreSQL, whose every run costs more."""
    examples = 40 if any_database == "sqlite" else 12
    run_state_machine_as_test(
        SyncMachine,
        settings=settings(
            max_examples=examples * (10 if SOAK else 1),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
