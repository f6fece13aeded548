"""Whom delivery is about: read in parts, and only those concerned where no way is open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from keepstep.core.delivery import Way
from keepstep.store import subscriptions
from keepstep.store.models import Mailbox, Operator
from keepstep.store.subscriptions import Made, watched

pytestmark = pytest.mark.usefixtures("any_database")

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def mailbox(name: str, *, sync: bool = True, in_step: bool = True, group: str = "Sales") -> int:
    email = f"{name}@example.com"
    operator = Operator.objects.create(email=email, calendar_sync=sync, access_group=group)
    since = NOW if in_step else None
    made = Mailbox.objects.create(
        operator=operator, address=email, folder_id="folder", last_success=since
    )
    return int(made.pk)


def subscribe(*mailbox_ids: int) -> None:
    made = [Made(each, Way.STREAMING, f"s{each}", "", "folder") for each in mailbox_ids]
    subscriptions.note_made(made, NOW)


def test_whoever_is_in_step_or_subscribed_is_watched_and_only_some_are_wanted() -> None:
    anna, bruno = mailbox("anna"), mailbox("bruno", group="Service")
    mailbox("chloe", in_step=False)
    mailbox("deniz", sync=False)
    emma = mailbox("emma", sync=False)
    subscribe(anna, emma)
    of_all = {each.mailbox_id: each for each in watched({"system"}, {anna})}
    assert {each: mine.wanted for each, mine in of_all.items()} == {
        anna: True,
        bruno: True,
        emma: False,
    }
    standing = of_all[anna].standing
    assert standing is not None
    assert (standing.subscription_id, standing.subscribed_at, standing.ours) == (
        f"s{anna}",
        NOW,
        True,
    )
    assert of_all[bruno].standing is None
    assert [each.mailbox_id for each in watched({"Service"}, ())] == [anna, bruno, emma]
    assert [each.wanted for each in watched({"Service"}, ())] == [False, True, False]


def test_where_no_way_is_open_only_those_who_have_a_subscription_are_read() -> None:
    anna, _, chloe = mailbox("anna"), mailbox("bruno"), mailbox("chloe", sync=False)
    subscribe(anna, chloe)
    found = watched({"system"}, (), standing_only=True)
    assert [each.mailbox_id for each in found] == [anna, chloe]


def test_read_in_parts_they_are_the_same_as_at_once() -> None:
    made = [mailbox(f"m{number}") for number in range(7)]
    subscribe(*made[::2])
    parts, after = [], 0
    while part := watched({"system"}, (), after=after, most=3):
        parts += part
        after = part[-1].mailbox_id
    assert parts == watched({"system"}, ())
    assert len(parts) == 7
