"""Which appointments are in the sales calendar: the window of the first round, and what changes."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest

from keepstep_simulator import MailboxModel, SimulatorThread
from keepstep_simulator.items import Attendee, Person
from tests.system.product import Keepstep

ANNA = "anna@example.com"
HOUR = timedelta(hours=1)


class Calendar:
    """Anna's Exchange calendar beside what Keepstep shows of it, in days from now."""

    def __init__(self, keepstep: Keepstep, mailbox: MailboxModel) -> None:
        self.keepstep = keepstep
        self.mailbox = mailbox
        self.now = datetime.now(UTC).replace(microsecond=0)

    def has(self, subject: str, ends: float) -> str:
        """Exchange has an appointment of an hour that ends so many days from now."""
        end = self.now + timedelta(days=ends)
        return self.mailbox.create(start=end - HOUR, end=end, subject=subject, body="B")

    def invited(self, subject: str, ends: float) -> str:
        """Exchange has an invitation by somebody else."""
        end = self.now + timedelta(days=ends)
        return self.mailbox.create(
            start=end - HOUR,
            end=end,
            subject=subject,
            organizer=Person("Cleo", "cleo@customer.example"),
            attendees=(Attendee("Anna", ANNA),),
            is_organizer=False,
            my_response="none",
        )

    def move(self, item_id: str, ends: float) -> None:
        end = self.now + timedelta(days=ends)
        self.mailbox.update(item_id, start=end - HOUR, end=end)

    def day(self, number: int) -> str:
        day: date = (self.now + timedelta(days=number)).date()
        return str(day)

    def shown(self, *arguments: str) -> dict[str, str]:
        """What is shown: starts by subject; fails on a subject shown twice."""
        window = ("--from", self.day(-400), "--to", self.day(2000))
        found = self.keepstep.appointments(ANNA, *window, *arguments)
        starts = {each["subject"]: each["start"] for each in found}
        assert len(starts) == len(found)
        return starts

    def start(self, ends: float) -> str:
        start = self.now + timedelta(days=ends) - HOUR
        return start.strftime("%Y-%m-%dT%H:%M:%SZ")

    def rows(self) -> int:
        """How many rows the database has, shown or not."""
        with sqlite3.connect(self.keepstep.home / "keepstep.sqlite3") as database:
            return int(database.execute("SELECT count(*) FROM store_appointment").fetchone()[0])


@pytest.fixture
def calendar(keepstep: Keepstep, exchange: SimulatorThread) -> Calendar:
    keepstep.import_operators(f"{ANNA},Europe/Berlin,")
    return Calendar(keepstep, exchange.simulator.add_mailbox(ANNA))


def test_the_first_round_brings_half_a_year_of_the_past_and_all_of_the_future(
    calendar: Calendar, keepstep: Keepstep
) -> None:
    calendar.has("179 days ago", ends=-179)
    calendar.has("181 days ago", ends=-181)
    calendar.has("Just over", ends=-0.01)
    calendar.has("Tomorrow", ends=1)
    calendar.has("In five years", ends=5 * 365)
    result = keepstep.sync()
    assert (result["created"], result["skipped"]) == (4, 1)
    assert set(calendar.shown()) == {"179 days ago", "Just over", "Tomorrow", "In five years"}


def test_later_rounds_move_what_was_or_is_ahead_and_leave_the_past_alone(
    calendar: Calendar, keepstep: Keepstep
) -> None:
    over = calendar.has("Over", ends=-30)
    over_and_deleted = calendar.has("Over and deleted", ends=-20)
    later = calendar.has("Moved later", ends=5)
    earlier = calendar.has("Moved into the past", ends=6)
    back = calendar.has("Moved out of the past", ends=-10)
    deleted = calendar.has("Deleted", ends=7)
    keepstep.sync()
    calendar.has("Made later in the past", ends=-3)
    calendar.mailbox.update(over, subject="Over, renamed")
    calendar.mailbox.delete(over_and_deleted)
    calendar.move(later, ends=50)
    calendar.move(earlier, ends=-4)
    calendar.move(back, ends=8)
    calendar.mailbox.delete(deleted)
    result = keepstep.sync()
    assert calendar.shown("--include-cancelled") == {
        "Over": calendar.start(-30),
        "Over and deleted": calendar.start(-20),
        "Moved later": calendar.start(50),
        "Moved into the past": calendar.start(-4),
        "Moved out of the past": calendar.start(8),
    }
    assert (result["updated"], result["removed"], result["created"]) == (3, 1, 0)


def test_a_cancelled_meeting_is_kept_out_of_the_normal_view_and_a_deleted_one_out_of_all(
    calendar: Calendar, keepstep: Keepstep
) -> None:
    cancelled = calendar.invited("Meeting", ends=3)
    deleted = calendar.invited("Deleted", ends=4)
    moved_out = calendar.has("Moved out of the folder", ends=5)
    keepstep.sync()
    calendar.mailbox.cancel(cancelled)
    calendar.mailbox.delete(deleted)
    calendar.mailbox.move_out(moved_out)
    keepstep.sync()
    assert calendar.shown() == {}
    assert set(calendar.shown("--include-cancelled")) == {"Canceled: Meeting"}
    (entry,) = keepstep.appointments(ANNA, "--include-cancelled")
    assert (entry["status"], entry["show_as"]) == ("cancelled", "free")


@pytest.mark.parametrize("order", ["delete-first", "create-first"])
@pytest.mark.parametrize("batch_size", ["1", "100"])
def test_an_accepted_invitation_is_one_appointment_that_changed(
    calendar: Calendar, keepstep: Keepstep, order: str, batch_size: str
) -> None:
    """Delete and create on one page, or on two."""
    keepstep.set(batch_size=batch_size)
    invitation = calendar.invited("Invitation", ends=2)
    keepstep.sync()
    accepted = calendar.mailbox.accept(invitation, order)
    assert accepted != invitation
    result = keepstep.sync()
    assert set(calendar.shown()) == {"Invitation"}
    (entry,) = keepstep.appointments(ANNA)
    assert entry["show_as"] == "busy"
    assert (result["created"], result["updated"], result["removed"]) == (0, 1, 0)
    assert calendar.rows() == 1


def test_the_two_halves_of_an_acceptance_in_two_rounds_are_one_row_all_the_same(
    calendar: Calendar, keepstep: Keepstep
) -> None:
    invitation = calendar.mailbox.get(calendar.invited("Invitation", ends=2))
    keepstep.sync()
    calendar.mailbox.delete(invitation.id)
    keepstep.sync()
    assert calendar.shown() == {}
    calendar.mailbox.create(
        start=invitation.start, end=invitation.end, subject="Accepted", uid=invitation.uid
    )
    keepstep.sync()
    assert set(calendar.shown()) == {"Accepted"}
    assert calendar.rows() == 1


def test_a_mass_removal_is_held_until_somebody_decides(
    calendar: Calendar, keepstep: Keepstep
) -> None:
    ids = [calendar.has(f"Meeting {number}", ends=number + 1) for number in range(30)]
    keepstep.sync()
    for each in ids[:21]:
        calendar.mailbox.delete(each)
    ended = keepstep.run("sync", "--json")
    assert ended.status == 1
    assert (ended.json["succeeded"], ended.json["removed"]) == (1, 0)
    (failure,) = ended.json["failures"]
    assert (failure["operator"], failure["code"]) == (ANNA, "held-mass-removal")
    assert "21" in failure["message"]
    assert len(calendar.shown()) == 30
    assert keepstep.operators()[ANNA]["failure"]["code"] == "held-mass-removal"
    keepstep.do("holds", "release", ANNA)
    assert len(calendar.shown()) == 9
    assert keepstep.sync()["requests"] == 1
    assert keepstep.operators()[ANNA]["failure"] is None


def test_as_many_removals_as_no_hold_is_made_for_go_at_once(
    calendar: Calendar, keepstep: Keepstep
) -> None:
    """Twenty are not more than 20; and of fifty, 21 are not more than half."""
    ids = [calendar.has(f"Meeting {number}", ends=number + 1) for number in range(71)]
    keepstep.sync()
    for each in ids[:21]:
        calendar.mailbox.delete(each)
    assert keepstep.sync()["removed"] == 21
    for each in ids[21:41]:
        calendar.mailbox.delete(each)
    assert keepstep.sync()["removed"] == 20
    assert len(calendar.shown()) == 30
