"""Erasing and purging, on each kind of database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keepstep.store import erasure, notices, runs
from keepstep.store.models import History, Mail, Mailbox, NoticeEntry, Operator, Run
from keepstep.store.retention import Terms, purge_some
from tests.engine import NOW, add_operator

pytestmark = pytest.mark.usefixtures("any_database")

ANNA, BERT = "anna@example.com", "bert@example.com"


def test_nothing_of_the_erased_stays_and_all_of_the_others_does() -> None:
    for email in (ANNA, BERT):
        mailbox = Mailbox.objects.get(pk=add_operator(email))
        mailbox.failing_since = NOW
        mailbox.save()
        History.objects.create(
            mailbox=mailbox, uid="x", item_id="x", at=NOW, what="created", rule="new"
        )
    run = runs.begin_run("CalendarSynchronization", "schedule", NOW)
    runs.end_run(run, NOW, {"failures": [{"operator": each} for each in (ANNA, BERT)]})
    notices.review(NOW + timedelta(hours=1), ["x@example.com"], timedelta(minutes=30))
    erased = erasure.erase(ANNA)
    assert erasure.forget_bytes()
    assert (erased.email, erased.history) == (ANNA, 1)
    assert [each.email for each in Operator.objects.all()] == [BERT]
    assert History.objects.count() == NoticeEntry.objects.count() == 1
    assert Run.objects.get().failures == [{"operator": BERT}]
    assert [each["operator"] for each in Mail.objects.get().entries] == [BERT]


def test_what_is_too_old_goes() -> None:
    mailbox = Mailbox.objects.get(pk=add_operator(ANNA))
    for days in (1, 89, 91, 400):
        at = NOW - timedelta(days=days)
        History.objects.create(
            mailbox=mailbox, uid="x", item_id="x", at=at, what="created", rule="new"
        )
        runs.begin_run("CalendarSynchronization", "schedule", at)
    terms = Terms(timedelta(days=90), timedelta(days=30), timedelta(days=10))
    assert purge_some(terms, NOW) == {"history": 2, "runs": 3}
    assert purge_some(terms, NOW) == {}
