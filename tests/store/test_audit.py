"""Who changed what, and when: every change that a person makes is noted, secrets never."""

from __future__ import annotations

import pytest
from django.db import transaction

from keepstep.core.decisions import RowState
from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.store import accounts, audit, erasure, holds, jobs, operators, rotation, settings
from keepstep.store.models import Account, Appointment, AuditEntry, Mailbox
from tests.engine import NOW, add_operator

pytestmark = pytest.mark.usefixtures("home", "any_database")

ANNA, BERT, ADMIN = "anna@example.com", "bert@example.com", "admin@example.com"


def noted() -> list[tuple[str, str, str, dict[str, audit.Change]]]:
    """Give all that was noted, the oldest first, without its time."""
    return [
        (each.by, each.action, each.subject, each.changes)
        for each in reversed(audit.listing(limit=1000))
    ]


def test_a_changed_setting_is_noted_with_what_it_was_and_is() -> None:
    settings.change({"batch_size": "50", "past_days": "180"}, by=ADMIN)
    settings.change({"batch_size": "100"})
    assert noted() == [
        (ADMIN, "settings.change", "", {"batch_size": ("100", "50")}),
        ("command line", "settings.change", "", {"batch_size": ("50", "100")}),
    ]


def test_of_a_secret_only_that_it_was_changed_is_noted() -> None:
    settings.change({"password": "tr0ub4dor", "username": "svc"}, by=ADMIN)
    assert noted() == [
        (ADMIN, "settings.change", "", {"username": ("", "svc"), "password": "changed"})
    ]
    assert "tr0ub4dor" not in str(list(AuditEntry.objects.values()))


def test_what_was_refused_or_changes_nothing_is_not_noted() -> None:
    with pytest.raises(UsageError):
        settings.change({"batch_size": "50", "past_days": "never"}, by=ADMIN)
    settings.change({"batch_size": "100"}, by=ADMIN)
    jobs.reset("CalendarSynchronization", by=ADMIN)
    assert noted() == []


def test_a_note_stands_and_falls_with_the_change() -> None:
    with transaction.atomic():
        settings.change({"batch_size": "50"}, by=ADMIN)
        transaction.set_rollback(True)
    assert noted() == []


def test_what_is_done_to_a_job_is_noted() -> None:
    jobs.switch("calendarsynchronization", on=True, by=ADMIN)
    jobs.change("CalendarSynchronization", {"schedule": "5"}, by=ADMIN)
    jobs.reset("CalendarSynchronization", by=ADMIN)
    name = "CalendarSynchronization"
    assert noted() == [
        (ADMIN, "job.enable", name, {"enabled": (False, True)}),
        (ADMIN, "job.change", name, {"schedule": ("1", "5")}),
        (ADMIN, "job.reset", name, {"enabled": (True, False), "schedule": ("5", "1")}),
    ]


def test_what_is_done_to_operators_is_noted() -> None:
    operators.add(ANNA, {"name": "Anna"}, by=ADMIN)
    operators.edit(ANNA, {"name": "Anna Berg", "time_zone": "UTC"}, by=ADMIN)
    operators.switch([ANNA], on=True, by=ADMIN)
    operators.switch([ANNA], on=False, by=ADMIN)
    added = {
        "email": (None, ANNA),
        "name": (None, "Anna"),
        "calendar_sync": (None, False),
        "access_group": (None, ""),
        "time_zone": (None, "UTC"),
    }
    assert noted() == [
        (ADMIN, "operator.add", ANNA, added),
        (ADMIN, "operator.edit", ANNA, {"name": ("Anna", "Anna Berg")}),
        (ADMIN, "operator.enable", ANNA, {"calendar_sync": (False, True)}),
        (ADMIN, "operator.disable", ANNA, {"calendar_sync": (True, False)}),
    ]


def test_who_decided_a_hold_is_noted_with_how_many_it_was() -> None:
    mailbox = Mailbox.objects.get(pk=add_operator(ANNA))
    for item in ("a", "b"):
        Appointment.objects.create(
            mailbox=mailbox,
            item_id=item,
            uid=item,
            state=RowState.HELD,
            **dict.fromkeys(
                ("state_since", "start", "end", "span_start", "created_at", "updated_at"), NOW
            ),
        )
    holds.discard(mailbox.operator, NOW, by=ADMIN)
    assert noted()[-1:] == [(ADMIN, "hold.discard", ANNA, {"held": (2, 0)})]


def test_a_changed_key_is_noted_once() -> None:
    rotation.rotate(by=ADMIN)
    assert noted() == [(ADMIN, "secrets.rotate", "", {"key": "changed"})]


def test_an_erased_operator_is_named_nowhere_but_what_was_done_stays() -> None:
    operators.add("old@example.com", {"name": "Anna Berg"}, by=ADMIN)
    operators.add("bert.old@example.com", {"name": "Bert"}, by="OLD@example.com")
    operators.edit("old@example.com", {"email": ANNA, "access_group": "Sales"}, by=ADMIN)
    settings.change({"notify_sync_failure_to": f"it@example.com;{ANNA}"}, by=ANNA)
    stand_in = f"erased operator {operators.find(ANNA).pk}"
    erasure.erase(ANNA, by=ADMIN)
    kept = noted()
    assert kept[0][2:] == (
        stand_in,
        {
            "email": ("erased", "erased"),
            "name": ("erased", "erased"),
            "calendar_sync": (None, False),
            "access_group": (None, ""),
            "time_zone": (None, "UTC"),
        },
    )
    assert kept[1][:3] == (stand_in, "operator.add", "bert.old@example.com")
    assert kept[2][2] == stand_in
    assert kept[2][3]["access_group"] == ("", "Sales")
    changed = {"notify_sync_failure_to": ("", f"it@example.com;{stand_in}")}
    assert kept[3] == (stand_in, "settings.change", "", changed)
    assert kept[4] == (ADMIN, "operator.erase", stand_in, {"appointments": (0, 0)})
    everything = str(list(AuditEntry.objects.values())).lower()
    assert ANNA not in everything
    assert "anna berg" not in everything
    assert "'old@example.com'" not in everything


def test_the_address_that_an_erased_operator_signed_in_with_goes_too() -> None:
    operators.add(ANNA, {}, by=ADMIN)
    accounts.create(ANNA, Role.OPERATOR, by=ADMIN)
    Account.objects.update(email="berg@example.com")
    settings.change({"batch_size": "50"}, by="Berg@example.com")
    erasure.erase(ANNA, by=ADMIN)
    assert [each.by for each in audit.listing() if each.action == "settings.change"] == [
        audit.listing()[0].subject
    ]
    everything = str(list(AuditEntry.objects.values())).lower()
    assert ANNA not in everything
    assert "berg" not in everything


def test_the_list_is_read_in_pages_the_newest_first() -> None:
    for number in range(5):
        audit.record(ADMIN, "settings.change", str(number), {})
    first = audit.listing(limit=2)
    second = audit.listing(before=first[-1].number, limit=2)
    assert [each.subject for each in first + second] == ["4", "3", "2", "1"]
    assert [each.subject for each in audit.listing(subject="0")] == ["0"]
