"""Verify proves that a mailbox is in step, and mends it where Exchange kept silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keepstep.store import models
from keepstep.sync.verify import Drift
from keepstep_simulator import Simulator
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
    from keepstep_simulator import Fault

    _single(scene, 5)
    scene.engine.sync()
    scene.simulator.faults.add(Fault("http", times=None, status=500))

    result, found = scene.engine.verify()

    assert result.failed == 1
    assert found.drift == []
    assert models.Appointment.objects.filter(state="live").count() == 1
