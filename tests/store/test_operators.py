"""Operators: adding, editing, switching, listing."""

from datetime import UTC, datetime, timedelta

import pytest

from keepstep.core.errors import UsageError
from keepstep.core.schedule import Status
from keepstep.store import operators
from keepstep.store.models import Mailbox, Operator

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_an_operator_is_added_with_a_mailbox():
    operators.add("Anna@example.com", {"name": "Anna", "time_zone": "europe/berlin"})
    (listed,) = operators.listing(NOW)
    assert (listed.email, listed.name, listed.time_zone) == (
        "Anna@example.com",
        "Anna",
        "Europe/Berlin",
    )
    assert (listed.calendar_sync, listed.status) == (False, Status.OFF)


@pytest.mark.parametrize(
    ("email", "values", "line"),
    [
        ("nonsense", {}, "email must be an e-mail address, not 'nonsense'."),
        ("", {}, "email is empty."),
        ("ANNA@example.com", {}, "there is an operator ANNA@example.com already."),
        (
            "b@example.com",
            {"zone": "x"},
            "an operator has no field 'zone'; did you mean time_zone?",
        ),
        (
            "b@example.com",
            {"time_zone": "Mars/Base"},
            "time_zone must be an IANA time zone such as Europe/Berlin, not 'Mars/Base'.",
        ),
        (
            "b@example.com",
            {"calendar_sync": "perhaps"},
            "calendar_sync must be on or off (true or false), not 'perhaps'.",
        ),
        (
            "b@example.com",
            {"access_group": " System "},
            "access_group must not be 'System': to a job that means every operator.",
        ),
        ("b@example.com", {"name": "a\nb"}, "name must be one line without control characters."),
        ("b@example.com", {"name": "x" * 201}, "name must have at most 200 characters, not 201."),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(email, values, line):
    operators.add("anna@example.com", {})
    with pytest.raises(UsageError) as refused:
        operators.add(email, values)
    assert str(refused.value) == line
    assert Operator.objects.count() == 1


def test_a_changed_address_keeps_the_mailbox_and_is_tried_at_once():
    operators.add("anna@example.com", {"calendar_sync": "on"})
    mailbox = Mailbox.objects.get()
    mailbox.sync_state, mailbox.next_attempt = "state", NOW
    mailbox.save()
    operators.edit("ANNA@example.com", {"email": "anna.berg@example.com"})
    changed = Mailbox.objects.get()
    assert (changed.pk, changed.sync_state) == (mailbox.pk, "state")
    assert changed.next_attempt is None
    assert Operator.objects.get().email == "anna.berg@example.com"


def test_an_address_may_change_its_spelling_but_not_to_one_that_is_taken():
    operators.add("anna@example.com", {})
    operators.add("bob@example.com", {})
    operators.edit("anna@example.com", {"email": "Anna@example.com"})
    with pytest.raises(UsageError, match=r"there is an operator anna@example\.com already"):
        operators.edit("bob@example.com", {"email": "anna@example.com"})


def test_no_operator_is_put_into_a_group_that_means_everybody():
    operators.add("anna@example.com", {"access_group": "Systems"})
    with pytest.raises(UsageError, match="access_group must not be 'SYSTEM'"):
        operators.edit("anna@example.com", {"access_group": "SYSTEM"})
    assert Operator.objects.get().access_group == "Systems"


def test_switching_is_for_all_or_none():
    operators.add("anna@example.com", {})
    with pytest.raises(UsageError, match=r"no operator has the e-mail address 'bob@example\.com'"):
        operators.switch(["anna@example.com", "bob@example.com"], on=True)
    assert not Operator.objects.get().calendar_sync
    assert [each.email for each in operators.switch(["anna@example.com"] * 2, on=True)] == [
        "anna@example.com"
    ]
    assert operators.switch(["anna@example.com"], on=True) == []


def test_the_likeliest_address_is_proposed():
    operators.add("anna@example.com", {})
    with pytest.raises(UsageError, match=r"did you mean anna@example\.com\?"):
        operators.find("ana@example.com")


@pytest.mark.parametrize(
    ("mailbox", "expected"),
    [
        ({}, Status.WAITING),
        ({"last_success": NOW}, Status.IN_STEP),
        ({"failing_since": NOW - timedelta(minutes=5)}, Status.RETRYING),
        ({"failing_since": NOW - timedelta(minutes=30)}, Status.FAILED),
    ],
)
def test_the_status_follows_from_the_mailbox(mailbox, expected):
    operators.add("anna@example.com", {"calendar_sync": "on"})
    Mailbox.objects.update(**mailbox)
    assert operators.listing(NOW)[0].status is expected


def test_a_failure_is_shown_in_the_words_of_the_catalogue():
    operators.add("anna@example.com", {"calendar_sync": "on"})
    Mailbox.objects.update(failure_code="no-such-mailbox", failure_detail="x", failing_since=NOW)
    failure = operators.listing(NOW)[0].failure
    assert failure is not None
    assert failure.message == "Exchange has no mailbox of this e-mail address. (x)"
    assert failure.remedy.startswith("Correct the operator's e-mail address")
    operators.switch(["anna@example.com"], on=False)
    assert operators.listing(NOW)[0].failure is None
