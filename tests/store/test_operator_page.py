"""All that an operator's page tells, in plain words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keepstep.core.decisions import RowState
from keepstep.core.errors import UsageError
from keepstep.core.schedule import Status
from keepstep.store import operators, runs
from keepstep.store.models import Appointment, History, Mailbox, Quarantine
from keepstep.store.operator_page import Counts, detail
from tests.engine import NOW

pytestmark = pytest.mark.usefixtures("any_database")

ANNA, BERT = "anna@example.com", "bert@example.com"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def mailbox() -> Mailbox:
    operators.add(ANNA, {"name": "Anna Berg", "calendar_sync": "on"})
    operators.add(BERT, {"calendar_sync": "on"})
    return Mailbox.objects.get(operator__email=ANNA)


def appointment(mailbox: Mailbox, item: str, **columns: object) -> None:
    instants = ("state_since", "start", "end", "span_start", "created_at", "updated_at")
    filled = dict.fromkeys(instants, NOW) | {"span_end": LATER} | columns
    Appointment.objects.create(mailbox=mailbox, item_id=item, uid=item, **filled)


def test_a_new_operator_has_an_empty_page(mailbox: Mailbox) -> None:
    page = detail("ANNA@example.com", NOW)
    assert (page.operator.name, page.operator.status) == ("Anna Berg", Status.WAITING)
    assert page.mailbox.last_success is page.mailbox.next_attempt is None
    assert not page.mailbox.in_full_round
    assert (page.named_in, page.changes, page.quarantined, page.hold) == ((), (), (), None)
    assert page.counts == Counts(0, 0, 0, 0, 0)


def test_how_a_failing_mailbox_stands_and_what_helps(mailbox: Mailbox) -> None:
    Mailbox.objects.filter(pk=mailbox.pk).update(
        failure_code="no-such-mailbox",
        failures=3,
        failing_since=NOW - timedelta(minutes=5),
        next_attempt=LATER,
        in_full_round=True,
    )
    page = detail(ANNA, NOW)
    assert page.operator.status is Status.RETRYING
    assert page.operator.failure is not None
    assert page.operator.failure.remedy.startswith("Correct the operator's e-mail address")
    assert page.for_exchange.startswith("For the administrator of Exchange: Get-Recipient")
    assert "'anna@example.com'" in page.for_exchange
    assert (page.mailbox.failures, page.mailbox.next_attempt) == (3, LATER)
    assert page.mailbox.in_full_round


def test_runs_that_named_the_operator_are_told_and_no_others(mailbox: Mailbox) -> None:
    for number, names in enumerate([[ANNA], [BERT, ANNA], [BERT], ["x" + ANNA], []]):
        run = runs.begin_run("CalendarSynchronization", "schedule", NOW + timedelta(hours=number))
        entries = [{"operator": each, "code": "server-busy", "message": "m"} for each in names]
        runs.end_run(run, NOW, {"failures": entries})
    named = detail(ANNA, NOW).named_in
    assert [(each.started - NOW).seconds // 3600 for each in named] == [1, 0]
    assert {(each.job, each.code, each.message) for each in named} == {
        ("CalendarSynchronization", "server-busy", "m")
    }


def test_what_changed_lately_is_counted_page_by_page_the_newest_first(mailbox: Mailbox) -> None:
    for at, what in [(NOW, "created"), (NOW, "created"), (NOW, "removed"), (LATER, "updated")]:
        History.objects.create(mailbox=mailbox, uid="x", item_id="x", at=at, what=what, rule="new")
    for day in range(30):
        History.objects.create(
            mailbox=Mailbox.objects.get(operator__email=BERT),
            uid="x",
            item_id="x",
            at=NOW + timedelta(days=day),
            what="created",
            rule="new",
        )
    assert [(each.at, each.counts) for each in detail(ANNA, NOW).changes] == [
        (LATER, {"updated": 1}),
        (NOW, {"created": 2, "removed": 1}),
    ]
    assert len(detail(BERT, NOW).changes) == 20


def test_items_set_aside_are_told_with_their_remedy(mailbox: Mailbox) -> None:
    Quarantine.objects.create(
        mailbox=mailbox, item_id="AAA=", code="item-unreadable", detail="no start", since=NOW
    )
    page = detail(ANNA, NOW)
    (aside,) = page.quarantined
    assert (aside.item_id, aside.code, aside.detail) == ("AAA=", "item-unreadable", "no start")
    assert aside.message
    assert aside.remedy
    assert page.quarantined_count == 1
    assert detail(BERT, NOW).quarantined_count == 0


def test_appointments_are_counted_and_held_removals_shown(mailbox: Mailbox) -> None:
    appointment(mailbox, "ahead")
    appointment(mailbox, "without end", span_end=None)
    appointment(mailbox, "over", span_end=NOW)
    appointment(mailbox, "cancelled", cancelled=True)
    appointment(mailbox, "private", sensitivity="private")
    appointment(mailbox, "held", state=RowState.HELD, subject="Kick-off")
    appointment(
        mailbox, "held private", state=RowState.HELD, subject="Doctor", sensitivity="private"
    )
    appointment(mailbox, "removed", state=RowState.REMOVED)
    page = detail(ANNA, NOW)
    assert page.counts == Counts(upcoming=6, past=1, cancelled=1, private=2, held=2)
    assert page.hold is not None
    assert {each.subject for each in page.hold.items} == {"Kick-off", "Private appointment"}
    assert page.operator.failure is not None
    assert page.operator.failure.code == "held-mass-removal"


def test_an_unknown_address_is_refused(mailbox: Mailbox) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        detail("ana@example.com", NOW)
