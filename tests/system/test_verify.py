"""Verify proves that a mailbox is in step, and mends it where Exchange kept silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.core.page import Listing, ReadItem
from keepstep.exchange.connector import Connector, Folder, Target
from keepstep.store import models
from keepstep.sync.guard import Refused
from keepstep.sync.verify import Drift
from keepstep_simulator import Fault, Simulator
from keepstep_simulator.items import Recurrence
from keepstep_simulator.model import MailboxModel
from tests.engine import NOW, Clock, Engine, add_operator
from tests.oracle import Oracle, assert_in_step

EMAIL = "anna@example.com"


class Scene:
    """One operator with a synchronized mailbox."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.simulator = Simulator(clock=self.clock)
        self.mailbox: MailboxModel = self.simulator.add_mailbox(EMAIL)
        self.engine = Engine(self.simulator, self.clock)
        add_operator(EMAIL)

    def requests(self) -> list[str]:
        return [entry.operation for entry in self.simulator.log]

    def assert_in_step(self) -> None:
        oracle = Oracle(self.mailbox)
        oracle.succeed(NOW)
        assert_in_step(oracle, EMAIL, self.clock())


class ComparisonFails:
    """A connector that lists changes once, for the round, and then no more."""

    error: Exception = ExchangeError("server-error")

    def __init__(self, inner: Connector) -> None:
        self._inner = inner
        self._listings = 0

    @property
    def requests(self) -> int:
        return self._inner.requests

    async def folder(self, target: Target) -> Folder:
        return await self._inner.folder(target)

    async def changes(self, target: Target, sync_state: str | None, batch_size: int) -> Listing:
        self._listings += 1
        if self._listings > 1:
            raise self.error
        return await self._inner.changes(target, sync_state, batch_size)

    async def appointments(
        self, target: Target, item_ids: Sequence[str], batch_size: int
    ) -> dict[str, ReadItem]:
        return await self._inner.appointments(target, item_ids, batch_size)

    async def close(self) -> None:
        await self._inner.close()


class ComparisonBreaks(ComparisonFails):
    """One in which the comparison meets what nobody foresaw."""

    error = ZeroDivisionError()


class ComparisonIsRefused(ComparisonFails):
    """One before which the server is paused as a whole after the round."""

    error = Refused("server-busy", NOW + timedelta(hours=1))


@pytest.fixture
def scene(database: None) -> Scene:
    return Scene()


def _single(scene: Scene, hours: int, subject: str = "Single") -> str:
    start = NOW + timedelta(hours=hours)
    return scene.mailbox.create(start=start, end=start + timedelta(hours=1), subject=subject)


def test_two_thousand_items_without_drift_cost_five_requests_and_no_item_is_read(
    scene: Scene,
) -> None:
    for hours in range(2000):
        _single(scene, hours)
    scene.engine.sync()
    before = len(scene.simulator.log)

    result, found = scene.engine.verify()

    assert found.drift == []
    assert found.checked == 2000
    operations = scene.requests()[before:]
    assert set(operations) == {"SyncFolderItems"}
    assert len(operations) <= 5
    assert result.requests == len(operations)


def test_a_series_that_is_over_is_read_once_and_never_again(scene: Scene) -> None:
    start = NOW - timedelta(days=400)
    for subject in ("Standing", "Lunch"):
        scene.mailbox.create(
            start=start,
            end=start + timedelta(hours=1),
            subject=subject,
            recurrence=Recurrence("daily", start.date(), count=10),
        )
    _single(scene, 5)
    scene.engine.sync()
    before = len(scene.simulator.log)

    scene.engine.verify()
    scene.engine.sync(full=True)

    assert "GetItem" not in scene.requests()[before:]


def test_a_series_that_changed_when_it_was_over_is_read_once_and_never_again(
    scene: Scene,
) -> None:
    start = NOW - timedelta(days=20)
    series = scene.mailbox.create(
        start=start,
        end=start + timedelta(hours=1),
        subject="Standing",
        recurrence=Recurrence("daily", start.date(), count=5),
    )
    scene.engine.sync()
    scene.clock.go(minutes=5)
    scene.mailbox.update(series, subject="Renamed")
    scene.engine.sync()
    before = len(scene.simulator.log)

    assert scene.engine.verify()[1].drift == []

    assert "GetItem" not in scene.requests()[before:]


def test_an_occurrence_that_changed_without_announcement_is_found_and_mended(
    scene: Scene,
) -> None:
    start = NOW + timedelta(days=1)
    series = scene.mailbox.create(
        start=start,
        end=start + timedelta(hours=1),
        subject="Stand-up",
        recurrence=Recurrence("daily", start.date(), count=10),
    )
    scene.engine.sync()
    scene.clock.go(minutes=5)
    scene.mailbox.change_occurrence(
        series, start + timedelta(days=3), announce=False, subject="Retrospective"
    )
    assert scene.engine.sync().updated == 0, "the server keeps silent about it"

    _, found = scene.engine.verify()

    uid = scene.mailbox.get(series).uid
    assert found.drift == [Drift(EMAIL, uid, "changed")]
    scene.assert_in_step()
    assert scene.engine.verify()[1].drift == []


def test_what_is_missing_or_extra_in_the_sales_calendar_is_mended(scene: Scene) -> None:
    lost = scene.mailbox.get(_single(scene, 5, "Lost here")).uid
    _single(scene, 6, "Stays")
    scene.engine.sync()
    models.Appointment.objects.filter(uid=lost).delete()
    stays = models.Appointment.objects.get(subject="Stays")
    stays.pk, stays.item_id, stays.uid = None, "made up", "made-up-uid"
    stays.save(force_insert=True)

    _, found = scene.engine.verify()

    assert found.drift == [Drift(EMAIL, lost, "missing"), Drift(EMAIL, "made-up-uid", "extra")]
    scene.assert_in_step()


def test_past_meetings_are_no_drift(scene: Scene) -> None:
    _single(scene, -30 * 24, "Long over")
    scene.engine.sync()
    models.Appointment.objects.all().delete()

    assert scene.engine.verify()[1].drift == []


def test_a_mailbox_that_cannot_be_compared_is_a_failure_that_loses_nothing(
    scene: Scene,
) -> None:
    _single(scene, 5)
    scene.engine.sync()
    scene.simulator.faults.add(Fault("http", times=None, status=500))

    result, found = scene.engine.verify()

    assert result.failed == 1
    assert found.drift == []
    assert models.Appointment.objects.filter(state="live").count() == 1


def test_an_item_set_aside_is_over_when_it_is_read_again_and_then_read_no_more(
    scene: Scene,
) -> None:
    start = NOW - timedelta(days=400)
    scene.mailbox.create(
        start=start,
        end=start + timedelta(hours=1),
        recurrence=Recurrence("daily", start.date(), count=5),
    )
    scene.simulator.faults.add(Fault("poisoned", "GetItem"))
    scene.engine.sync()
    assert models.Quarantine.objects.count() == 1

    assert scene.engine.verify()[1].drift == []

    assert not models.Quarantine.objects.exists()
    before = len(scene.simulator.log)
    scene.engine.verify()
    assert "GetItem" not in scene.requests()[before:]


def test_an_item_set_aside_that_exchange_lists_no_more_is_not_shown_as_set_aside(
    scene: Scene,
) -> None:
    item_id = _single(scene, 5)
    scene.simulator.faults.add(Fault("poisoned", "GetItem"))
    scene.engine.sync()
    scene.mailbox.delete(item_id)

    scene.engine.verify()

    assert not models.Quarantine.objects.exists()


def test_a_changed_occurrence_that_could_not_be_read_is_read_again(scene: Scene) -> None:
    start = NOW + timedelta(days=1)
    times = {"start": start, "end": start + timedelta(hours=1)}
    pattern = Recurrence("daily", start.date(), count=10)
    series = scene.mailbox.create(**times, subject="Stand-up", body="Text", recurrence=pattern)
    scene.mailbox.change_occurrence(series, start + timedelta(days=3), subject="Retrospective")
    single = scene.mailbox.create(**times, subject="Single", body="Text")
    # Of each of two requests the first item: the single one, listed first, then the occurrence.
    scene.simulator.faults.add(Fault("item-error", "GetItem", times=2, code="ErrorAccessDenied"))
    scene.engine.sync()
    scene.simulator.faults.add(Fault("item-error", "GetItem", times=2, code="ErrorAccessDenied"))
    while_refused = scene.engine.verify()[1].drift

    _, found = scene.engine.verify()

    assert while_refused == [], "there is nothing new to tell as long as it can't be read"
    uid = {"missing": scene.mailbox.get(single).uid, "changed": scene.mailbox.get(series).uid}
    assert found.drift == [Drift(EMAIL, each, what) for what, each in uid.items()]
    scene.assert_in_step()
    before = len(scene.simulator.log)
    scene.engine.verify()
    assert "GetItem" not in scene.requests()[before:]


@pytest.mark.parametrize(
    ("broken", "code", "failures"),
    [
        (ComparisonFails, "server-error", 1),
        (ComparisonBreaks, "internal-error", 1),
        (ComparisonIsRefused, "server-busy", 0),
    ],
)
def test_a_comparison_that_fails_after_a_good_round_begins_a_new_episode(
    scene: Scene, broken: type[ComparisonFails], code: str, failures: int
) -> None:
    scene.simulator.faults.add(Fault("http", status=500))
    scene.engine.sync()
    scene.clock.go(minutes=20)
    scene.engine.wrap = broken

    result, _ = scene.engine.verify()

    mailbox = models.Mailbox.objects.get()
    assert result.failed == 1
    assert mailbox.last_success == scene.clock()
    assert (mailbox.failure_code, mailbox.failures) == (code, failures)
    assert mailbox.failing_since == scene.clock()


def test_a_round_that_fails_before_the_comparison_goes_on_with_the_episode(scene: Scene) -> None:
    scene.simulator.faults.add(Fault("http", status=500, times=None))
    scene.engine.sync()
    scene.clock.go(minutes=20)

    scene.engine.verify()

    mailbox = models.Mailbox.objects.get()
    assert (mailbox.failures, mailbox.failing_since) == (2, NOW)
