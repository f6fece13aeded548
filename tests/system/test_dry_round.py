"""A preview tells what saving the conditions and a full round then do, and stores nothing."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps

from keepstep.core.errors import ExchangeError, UsageError
from keepstep.core.rules import Rule
from keepstep.core.skip import Policy
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.store import mailboxes, models, settings
from keepstep.store.skip_preview import preview, prospective
from keepstep.store.writer import Writer
from keepstep.sync.dry_round import DryRound, dry_round
from keepstep.sync.round import Means
from keepstep_simulator import Fault, Simulator
from keepstep_simulator.items import Attendee, Person, Recurrence
from tests.engine import NOW, Clock, Engine, add_operator
from tests.oracle import shown_calendar
from tests.simulated import SimulatedTransport

EMAIL = "anna@example.com"
FIELDS: list[dict[str, Any]] = [
    {},
    {"categories": ("Travel",)},
    {"show_as": "free"},
    {"my_response": "declined"},
    {"sensitivity": "private"},
    {"subject": "Team lunch"},
]
CONDITIONS: list[dict[str, str]] = [
    {"skip_categories": "travel"},
    {"skip_show_as": "free"},
    {"skip_declined": "on"},
    {"skip_sensitivities": "private"},
    {"skip_subject_contains": "lunch"},
    {"skip_categories": "", "skip_show_as": "", "skip_subject_contains": ""},
]


class Scene:
    """Anna's mailbox, and what Keepstep holds of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.simulator = Simulator(clock=self.clock)
        self.mailbox = self.simulator.add_mailbox(EMAIL, time_zone="Europe/Berlin")
        self.id = add_operator(EMAIL)

    def make(self, hours: float = 24, **given: Any) -> str:
        start = NOW + timedelta(hours=hours)
        invited = {
            "organizer": Person("Cleo", "cleo@customer.example"),
            "attendees": (Attendee("Anna", EMAIL),),
            "is_organizer": False,
            "my_response": "accepted",
            "subject": "Review",
        }
        return self.mailbox.create(start=start, end=start + timedelta(hours=1), **invited | given)

    def sync(self, *, full: bool = False) -> None:
        policy = settings.load().policy
        result = Engine(self.simulator, self.clock, policy=policy).sync(full=full)
        assert (result.failed, result.failures) == (0, [])

    def dry(self, **values: str) -> DryRound:
        return asyncio.run(self._dry(prospective(values)))

    async def _dry(self, policy: Policy) -> DryRound:
        transport = SimulatedTransport(self.simulator)
        connector = EwsConnector(transport, "Exchange2013", offload_above=None)
        async with Writer() as writer:
            mailbox = await writer.call(mailboxes.look, self.id)
            now = await writer.call(lambda: settings.load().policy)
            return await dry_round(mailbox, Means(connector, writer, self.clock, now, 100), policy)

    def shown(self) -> set[str]:
        """The UIDs of what is in the calendar and not over."""
        now = self.clock()
        return {uid for (uid, _), each in shown_calendar(EMAIL, now).items() if each.end > now}


@pytest.fixture
def scene(any_database: str) -> Scene:
    return Scene()


def everything() -> dict[str, list[Any]]:
    """All that is in the database."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("store").get_models()
    }


def uids(entries: list[Any]) -> set[str]:
    return {each.uid for each in entries}


def test_a_dry_round_tells_what_goes_and_what_comes_in_and_by_which_rule(scene: Scene) -> None:
    free = scene.make(show_as="free")
    scene.sync()
    settings.change({"skip_show_as": "free"})
    lunch = scene.make(subject="Team lunch")
    scene.sync()
    done = scene.dry(skip_show_as="", skip_subject_contains="lunch")
    (goes,), (comes,) = done.goes, done.comes_in
    assert (goes.uid, goes.rule) == (scene.mailbox.get(lunch).uid, Rule.SKIP_SUBJECT)
    assert (comes.uid, comes.rule) == (scene.mailbox.get(free).uid, Rule.REAPPEARED)
    assert (comes.subject, comes.start) == ("Review", NOW + timedelta(hours=24))
    assert (done.listed, done.changed, done.held, done.unread) == (2, 0, 0, 0)
    assert done.stays_out == {Rule.SKIP_SUBJECT: 1}


def test_a_dry_round_stores_nothing_and_takes_the_mailbox_from_nobody(scene: Scene) -> None:
    for hours in range(1, 40):
        scene.make(hours, **FIELDS[hours % len(FIELDS)])
    scene.sync()
    settings.change({"skip_categories": "travel"})
    scene.make(50)
    before = everything()
    done = scene.dry(skip_categories="", skip_declined="on")
    preview(prospective({"skip_declined": "on"}).conditions)
    assert done.goes
    assert done.comes_in
    assert everything() == before


def test_a_mailbox_that_was_never_read_is_previewed_with_the_past_days_given(scene: Scene) -> None:
    for days in (-100, -20, 5):
        scene.make(24 * days)
    assert [len(scene.dry(past_days=days).comes_in) for days in ("180", "30", "0")] == [3, 2, 1]


def test_what_is_private_is_named_without_its_subject(scene: Scene) -> None:
    settings.change({"private_appointments": "full"})
    scene.make(subject="Surgery", sensitivity="private", show_as="free")
    scene.sync()
    conditions = prospective({"skip_show_as": "free"}).conditions
    assert [each.subject for each in preview(conditions).entries] == ["Private appointment"]
    assert [each.subject for each in scene.dry(skip_show_as="free").goes] == ["Private appointment"]


def test_what_vanished_all_at_once_is_told_as_held(scene: Scene) -> None:
    items = [scene.make(hours) for hours in range(1, 31)]
    scene.sync()
    for each in items:
        scene.mailbox.delete(each)
    done = scene.dry(skip_declined="on")
    assert (done.held, done.goes, done.comes_in) == (30, [], [])


def test_what_left_the_calendar_since_is_told_to_go(scene: Scene) -> None:
    item = scene.make()
    scene.sync()
    uid = scene.mailbox.get(item).uid
    scene.mailbox.delete(item)
    (gone,) = scene.dry(skip_declined="on").goes
    assert (gone.uid, gone.rule) == (uid, Rule.ABSENT_IN_FULL_ROUND)


def test_a_server_that_fails_makes_the_dry_round_fail(scene: Scene) -> None:
    scene.simulator.faults.add(Fault("error", "SyncFolderItems", code="ErrorInternalServerError"))
    with pytest.raises(ExchangeError):
        scene.dry(skip_declined="on")


@pytest.mark.parametrize("seed", range(12))
def test_the_preview_is_what_saving_and_a_full_round_then_do(scene: Scene, seed: int) -> None:
    """Whatever is stored, left out, changed in Exchange since: told before, it then happens."""
    chance = random.Random(seed)
    made = []
    for _ in range(25):
        fields = chance.choice(FIELDS)
        if chance.random() < 0.3:
            day = (NOW + timedelta(days=chance.randint(-10, 5))).replace(hour=7)
            pattern = Recurrence("daily", day.date(), count=chance.randint(1, 30))
            hours = (day - NOW) / timedelta(hours=1)
            made.append(scene.make(hours, **fields, recurrence=pattern))
        else:
            made.append(scene.make(chance.randint(-200, 500), **fields))
    settings.change(chance.choice(CONDITIONS))
    scene.sync()
    settings.change(chance.choice(CONDITIONS))
    scene.clock.go(hours=chance.randint(0, 100))
    if chance.random() < 0.5:
        scene.sync()
    for item in chance.sample(made, 6):
        scene.mailbox.update(item, keep_exceptions=True, **chance.choice(FIELDS))
    scene.mailbox.delete(chance.choice(made))
    values = chance.choice(CONDITIONS)
    ahead_of = models.Mailbox.objects.get().last_success
    assert ahead_of is not None

    stored = preview(prospective(values).conditions)
    told = scene.dry(**values)
    before = _ahead(ahead_of)
    settings.change(values)
    taken_out = before - _ahead(ahead_of)
    scene.sync(full=True)
    after = _ahead(ahead_of)

    assert {each.uid for each in stored.entries} == taken_out
    assert stored.count == len(taken_out)
    assert uids(told.comes_in) == after - before
    assert uids(told.goes) == before - after


def _ahead(instant: Any) -> set[str]:
    """The UIDs of the calendar's rows that end after an instant."""
    rows = models.Appointment.objects.filter(part=0).exclude(state="removed")
    return {row.uid for row in rows.all() if row.span_end is None or row.span_end > instant}


def test_a_preview_counts_everything_and_lists_the_first(scene: Scene) -> None:
    for hours in range(30, 0, -1):
        scene.make(hours, show_as="free")
    scene.sync()
    found = preview(prospective({"skip_show_as": "free"}).conditions, most=3)
    assert (found.count, found.operators, found.by_rule) == (30, 1, {Rule.SKIP_SHOW_AS: 30})
    assert [each.start for each in found.entries] == [
        NOW + timedelta(hours=hours) for hours in (1, 2, 3)
    ]


def test_a_preview_of_one_operator_tells_of_no_other(scene: Scene) -> None:
    scene.make(show_as="free")
    scene.sync()
    add_operator("ben@example.com")
    conditions = prospective({"skip_show_as": "free"}).conditions
    ben = models.Operator.objects.get(email="ben@example.com")
    assert preview(conditions, ben).count == 0
    assert preview(conditions).count == 1


def test_a_preview_says_how_many_mailboxes_would_be_read_whole(scene: Scene) -> None:
    settings.change({"skip_show_as": "free"})
    scene.make(show_as="free")
    scene.sync()
    assert preview(prospective({"skip_show_as": "tentative"}).conditions).full_rounds == 1
    assert preview(prospective({"skip_show_as": "free;busy"}).conditions).full_rounds == 0


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"batch_size": "5"}, "'batch_size' can't be previewed; there are skip_all_day,"),
        ({"skip_shown": "free"}, "'skip_shown' can't be previewed; did you mean skip_show_as?"),
        ({"skip_show_as": "gone"}, "skip_show_as must be some of free,"),
    ],
)
def test_what_can_not_be_previewed_is_refused(
    database: None, values: dict[str, str], line: str
) -> None:
    with pytest.raises(UsageError) as refused:
        prospective(values)
    assert str(refused.value).startswith(line)
