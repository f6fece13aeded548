"""When most of a calendar vanishes at once, nothing goes before a person has looked."""

from __future__ import annotations

import pytest

from keepstep.core.decisions import RowState
from keepstep.store import holds, models
from keepstep.store.explain import explain
from tests.oracle import shown_calendar
from tests.system.test_verify import EMAIL, Scene, _single


@pytest.fixture
def scene(database: None) -> Scene:
    scene = Scene()
    for hours in range(1, 41):
        _single(scene, hours, f"Meeting {hours}")
    scene.engine.sync()
    return scene


def _delete(scene: Scene, count: int) -> None:
    for item in scene.mailbox.items()[:count]:
        scene.mailbox.delete(item.id)


def _states() -> list[str]:
    return sorted(models.Appointment.objects.values_list("state", flat=True))


def test_half_of_the_calendar_is_removed_without_ado(scene: Scene) -> None:
    _delete(scene, 20)

    assert scene.engine.sync().removed == 20


def test_more_than_half_and_more_than_twenty_are_held_and_stay_in_view(scene: Scene) -> None:
    _delete(scene, 21)

    result = scene.engine.sync()

    assert result.removed == 0
    assert result.succeeded == 1
    assert [each["code"] for each in result.failures] == ["held-mass-removal"]
    assert "21 appointments" in result.failures[0]["message"]
    assert len(shown_calendar(EMAIL, scene.clock())) == 40
    (hold,) = holds.listing()
    assert (hold.operator, len(hold.items)) == (EMAIL, 21)


def test_a_hold_stands_over_further_rounds_while_other_changes_come_in(scene: Scene) -> None:
    _delete(scene, 25)
    scene.engine.sync()
    _delete(scene, 1)
    _single(scene, 50, "New")

    result = scene.engine.sync()

    assert (result.created, result.removed) == (1, 1)
    assert len(holds.listing()[0].items) == 25


def test_a_released_hold_goes_at_once(scene: Scene) -> None:
    _delete(scene, 30)
    scene.engine.sync()
    operator = models.Operator.objects.get()

    assert holds.release(operator, scene.clock()) == 30

    assert _states() == [RowState.LIVE] * 10 + [RowState.REMOVED] * 30
    assert holds.listing() == []
    assert scene.engine.sync().failed == 0


def test_a_discarded_hold_leaves_what_is_no_longer_in_exchange(scene: Scene) -> None:
    gone = scene.mailbox.items()[0].uid
    _delete(scene, 30)
    scene.engine.sync()
    operator = models.Operator.objects.get()

    assert holds.discard(None, scene.clock()) == 30

    assert len(shown_calendar(EMAIL, scene.clock())) == 40
    assert explain(operator, gone).state == RowState.KEPT
    assert scene.engine.sync(full=True).removed == 0
    assert len(shown_calendar(EMAIL, scene.clock())) == 40


def test_an_item_that_reappears_leaves_the_hold(scene: Scene) -> None:
    item = scene.mailbox.items()[0]
    _delete(scene, 30)
    scene.engine.sync()
    scene.mailbox.create(uid=item.uid, start=item.start, end=item.end, subject=item.subject)

    scene.engine.sync()

    assert len(holds.listing()[0].items) == 29


def test_a_full_round_over_an_emptied_calendar_is_held_too(scene: Scene) -> None:
    _delete(scene, 40)
    scene.mailbox.forget_sync_states()

    result = scene.engine.sync()

    assert [each["code"] for each in result.failures] == ["held-mass-removal"]
    assert len(shown_calendar(EMAIL, scene.clock())) == 40
