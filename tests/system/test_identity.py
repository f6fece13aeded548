"""One meeting is one meeting: in a team's view, after a split, under a new item id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keepstep.core.errors import UsageError
from keepstep.store import calendar
from keepstep.store.models import Appointment, Operator
from keepstep_simulator import Simulator
from keepstep_simulator.items import Attendee, Recurrence
from tests.engine import NOW, Clock, Engine, add_operator
from tests.oracle import Oracle, assert_in_step

ANNA, BRUNO, CARLA = (f"{name}@example.com" for name in ("anna", "bruno", "carla"))
FIRST = NOW.date()
LAST = FIRST + timedelta(days=60)


class Team:
    """Three operators of one access group, synchronized with a simulator."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.simulator = Simulator(clock=self.clock)
        self.mailboxes = {
            email: self.simulator.add_mailbox(email) for email in (ANNA, BRUNO, CARLA)
        }
        for email in self.mailboxes:
            add_operator(email, group="North")
        self.engine = Engine(self.simulator, self.clock)

    def invite(self) -> str:
        """Anna invites Bruno; the invitation is in both calendars. Gives the item id at hers."""
        start = NOW + timedelta(days=1)
        item_id = self.mailboxes[ANNA].create(
            start=start,
            end=start + timedelta(hours=1),
            subject="Kick-off",
            attendees=(Attendee("Bruno", BRUNO),),
        )
        self.simulator.deliver(self.mailboxes[ANNA], item_id, "invite")
        return item_id

    def calendar(self) -> list[tuple[str, list[str]]]:
        members = calendar.team("North")
        found = calendar.team_entries(members, "Europe/Berlin", FIRST, LAST)
        return [(each["subject"], each["operators"]) for each in found]


@pytest.fixture
def team(database: None) -> Team:
    return Team()


def test_a_meeting_of_several_operators_is_shown_once_with_all_of_them(team: Team) -> None:
    team.invite()

    team.engine.sync()

    assert team.calendar() == [("Kick-off", [ANNA, BRUNO])]
    assert len(calendar.entries(BRUNO, FIRST, LAST)) == 1


def test_the_organizers_copy_is_the_one_that_is_shown(team: Team) -> None:
    team.invite()
    team.engine.sync()
    Appointment.objects.filter(mailbox__operator__email=BRUNO).update(subject="His note")

    assert team.calendar() == [("Kick-off", [ANNA, BRUNO])]


def test_a_meeting_moved_at_one_of_them_only_is_two_for_that_time(team: Team) -> None:
    team.invite()
    copy = team.mailboxes[BRUNO].items()[0]
    later = timedelta(hours=2)
    team.mailboxes[BRUNO].update(copy.id, start=copy.start + later, end=copy.end + later)
    team.engine.sync()

    assert team.calendar() == [("Kick-off", [ANNA]), ("Kick-off", [BRUNO])]


def test_a_team_that_nobody_belongs_to_is_refused(database: None) -> None:
    with pytest.raises(UsageError, match="South"):
        calendar.team("South")


@pytest.mark.parametrize("days", [-20, 2])
def test_a_series_split_by_this_and_following_is_whole_on_both_sides(team: Team, days: int) -> None:
    mailbox = team.mailboxes[ANNA]
    start = NOW + timedelta(days=days)
    series = mailbox.create(
        start=start,
        end=start + timedelta(hours=1),
        subject="Stand-up",
        recurrence=Recurrence("daily", start.date(), count=40),
    )
    oracle = Oracle(mailbox)
    team.engine.sync()
    oracle.succeed(team.clock())
    team.clock.go(minutes=1)

    mailbox.split_series(series, NOW + timedelta(days=8), subject="Stand-up, later")
    began = team.clock()
    team.engine.sync()
    oracle.succeed(began)

    assert_in_step(oracle, ANNA, team.clock())
    subjects = [each["subject"] for each in calendar.entries(ANNA, FIRST, LAST)]
    assert {"Stand-up", "Stand-up, later"} == set(subjects)
    assert len(subjects) == len({each["start"] for each in calendar.entries(ANNA, FIRST, LAST)})


def test_an_accepted_invitation_stays_one_row_whatever_the_order(team: Team) -> None:
    team.invite()
    team.engine.sync()
    row = Appointment.objects.get(mailbox__operator__email=BRUNO)
    for order in ("delete-first", "create-first"):
        item = team.mailboxes[BRUNO].items()[0]
        team.mailboxes[BRUNO].accept(item.id, order=order)
        team.engine.sync()

        after = Appointment.objects.get(mailbox__operator__email=BRUNO)
        assert after.pk == row.pk
        assert after.item_id == team.mailboxes[BRUNO].items()[0].id


def test_a_changed_address_of_the_same_mailbox_keeps_rows_and_state(team: Team) -> None:
    team.invite()
    team.engine.sync()
    operator = Operator.objects.get(email=BRUNO)
    team.simulator.mailboxes["robert@example.com"] = team.mailboxes[BRUNO]
    operator.email = "robert@example.com"
    operator.save()
    before = len(team.simulator.log)

    result = team.engine.sync()

    assert (result.failed, result.created, result.removed) == (0, 0, 0)
    asked = [entry.operation for entry in list(team.simulator.log)[before:]]
    assert asked.count("GetFolder") == 1
    assert "GetItem" not in asked
    assert len(calendar.entries("robert@example.com", FIRST, LAST)) == 1
