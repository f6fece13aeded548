"""`explain` answers why a meeting is here, or why it is not, for any UID or item id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keepstep.core.rules import Rule, in_words
from keepstep.core.skip import Policy, PrivateAppointments
from keepstep.store.explain import STATE_WORDS, Explanation, explain
from keepstep.store.models import Operator
from tests.engine import NOW
from tests.system.test_verify import Scene, _single


@pytest.fixture
def scene(database: None) -> Scene:
    return Scene()


def _explain(uid_or_item_id: str) -> Explanation:
    return explain(Operator.objects.get(), uid_or_item_id)


def _story(found: Explanation) -> list[tuple[str, str]]:
    return [(each.what, each.rule) for each in found.changes]


def test_what_was_never_seen_is_said_to_be_so(scene: Scene) -> None:
    found = _explain("no-such-uid")

    assert (found.state, found.changes) == ("never-seen", ())


def test_the_life_of_a_meeting_is_told_in_order(scene: Scene) -> None:
    item_id = _single(scene, 24)
    uid = scene.mailbox.get(item_id).uid
    scene.engine.sync()
    scene.clock.go(minutes=1)
    scene.mailbox.update(item_id, subject="Renamed")
    scene.engine.sync()
    scene.clock.go(minutes=1)
    scene.mailbox.update(item_id, cancelled=True)
    scene.engine.sync()
    assert _explain(uid).state == "cancelled"
    scene.clock.go(minutes=1)
    scene.mailbox.delete(item_id)
    scene.engine.sync()

    found = _explain(uid)

    assert found.state == "removed"
    assert _story(found) == [
        ("created", Rule.ENDS_AFTER_BOUNDARY),
        ("updated", Rule.ENDS_AFTER_BOUNDARY),
        ("cancelled", Rule.CANCELLED_IN_EXCHANGE),
        ("removed", Rule.DELETED_IN_EXCHANGE),
    ]
    assert [each.at - NOW for each in found.changes] == [timedelta(minutes=m) for m in range(4)]


def test_a_skipped_meeting_is_explained_by_uid_and_by_item_id(scene: Scene) -> None:
    item_id = _single(scene, -181 * 24)
    uid = scene.mailbox.get(item_id).uid
    scene.engine.sync()

    for name in (uid, item_id):
        found = _explain(name)
        assert (found.uid, found.state) == (uid, "not-in-calendar")
        assert _story(found) == [("skipped", Rule.ENDED_BEFORE)]


def test_a_private_meeting_that_the_setting_skips_is_explained(scene: Scene) -> None:
    start = NOW + timedelta(days=1)
    item_id = scene.mailbox.create(
        start=start, end=start + timedelta(hours=1), subject="Secret", sensitivity="private"
    )
    scene.engine.policy = Policy(private_appointments=PrivateAppointments.SKIP)
    scene.engine.sync()

    found = _explain(scene.mailbox.get(item_id).uid)

    assert _story(found) == [("skipped", Rule.PRIVATE_SKIPPED)]


def test_an_accepted_invitation_is_one_meeting_that_changed(scene: Scene) -> None:
    item_id = _single(scene, 24)
    uid = scene.mailbox.get(item_id).uid
    scene.engine.sync()
    scene.mailbox.accept(item_id, order="delete-first")
    scene.engine.sync()

    found = _explain(uid)

    assert found.state == "in-calendar"
    assert _story(found) == [
        ("created", Rule.ENDS_AFTER_BOUNDARY),
        ("updated", Rule.SAME_MEETING_NEW_ITEM_ID),
    ]


def test_every_rule_and_state_has_its_words() -> None:
    assert all(in_words(rule.value) != rule.value for rule in Rule)
    assert all(words.endswith(".") for words in STATE_WORDS.values())
