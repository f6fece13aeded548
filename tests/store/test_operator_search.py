"""Searching operators in the database says what the pure functions say."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepstep.core.decisions import RowState
from keepstep.core.schedule import Status, status
from keepstep.store import audit, operators
from keepstep.store.models import Appointment, Mailbox, Operator
from keepstep.store.operator_search import (
    Order,
    Search,
    every,
    search,
    status_conditions,
    switch_found,
)
from tests.engine import NOW

pytestmark = pytest.mark.usefixtures("any_database")


def fill(count: int) -> None:
    """Make operators, of every status and in two groups."""
    made = Operator.objects.bulk_create(
        Operator(
            email=f"user{number:05}@example.com",
            name=f"Person {number}",
            calendar_sync=number % 5 != 0,
            access_group=("North", "South")[number % 2],
        )
        for number in range(count)
    )
    Mailbox.objects.bulk_create(
        Mailbox(
            operator=each,
            last_success=None if number % 5 == 1 else NOW - timedelta(seconds=number),
            failing_since={3: NOW, 4: NOW - timedelta(days=1)}.get(number % 5),
            failure_code={3: "server-busy", 4: "no-such-mailbox"}.get(number % 5, ""),
        )
        for number, each in enumerate(made)
    )


def emails(asked: Search, **options: object) -> list[str]:
    return [each.email[:9] for each in search(asked, NOW, **options).rows]  # type: ignore[arg-type]


moments = st.none() | st.datetimes(
    datetime(2026, 11, 24, 8, 0),  # noqa: DTZ001 - made aware below
    datetime(2026, 11, 24, 9, 0),  # noqa: DTZ001
).map(lambda moment: moment.replace(tzinfo=UTC))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    enabled=st.booleans(),
    last_success=moments,
    failing_since=moments | st.just(NOW - timedelta(minutes=30)),
    patience=st.integers(1, 60).map(lambda minutes: timedelta(minutes=minutes)),
)
def test_each_operator_meets_the_condition_of_one_status_the_one_it_has(
    enabled: bool,
    last_success: datetime | None,
    failing_since: datetime | None,
    patience: timedelta,
) -> None:
    Operator.objects.all().delete()
    operator = Operator.objects.create(email="anna@example.com", calendar_sync=enabled)
    Mailbox.objects.create(
        operator=operator, last_success=last_success, failing_since=failing_since
    )
    has = status(
        enabled=enabled,
        last_success=last_success,
        failing_since=failing_since,
        now=NOW,
        notification_frequency=patience,
    )
    conditions = status_conditions(NOW, patience)
    assert [each for each in Status if Operator.objects.filter(conditions[each]).exists()] == [has]


def test_a_search_counts_each_status_and_finds_those_of_the_one_named() -> None:
    fill(23)
    everybody = search(Search(), NOW)
    assert everybody.total == everybody.matching == 23
    assert everybody.counts == {
        Status.OFF: 5,
        Status.WAITING: 5,
        Status.IN_STEP: 5,
        Status.RETRYING: 4,
        Status.FAILED: 4,
    }
    failed = search(Search(status=Status.FAILED, access_group="South"), NOW)
    assert (failed.total, failed.matching) == (2, 11)
    assert {each.status for each in failed.rows} == {Status.FAILED}
    assert {each.access_group for each in failed.rows} == {"South"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("berg", ["anna@exam", "bert@exam"]),
        ("ANNA berg", ["anna@exam"]),
        ("özge", ["oezge@exa"]),
        ("ÖZGE", ["oezge@exa"]),
        ("north anna", ["anna@exam"]),
        ("100%", ["bert@exam"]),
        ("a_b", []),
        (".*ö", []),
        ("\0", ["anna@exam", "bert@exam", "oezge@exa"]),
        ("nobody", []),
    ],
)
def test_every_word_is_part_of_address_name_or_group_in_any_case(
    text: str, found: list[str]
) -> None:
    operators.add("anna@example.com", {"name": "Anna Berg", "access_group": "North"})
    operators.add("bert@example.com", {"name": "Bert Bergmann 100%"})
    operators.add("oezge@example.com", {"name": "Özge Öztürk"})
    assert emails(Search(text)) == found


def test_those_in_no_group_can_be_asked_for() -> None:
    operators.add("anna@example.com", {"access_group": "North"})
    operators.add("bert@example.com", {})
    assert emails(Search(access_group="")) == ["bert@exam"]


def test_a_failure_is_looked_for_as_it_is_shown() -> None:
    fill(10)
    mailbox = Mailbox.objects.get(operator__email="user00002@example.com")
    instants = ("state_since", "start", "end", "span_start", "created_at", "updated_at")
    Appointment.objects.create(
        mailbox=mailbox,
        item_id="x",
        uid="x",
        state=RowState.HELD,
        **dict.fromkeys(instants, NOW),
    )
    for code in ("server-busy", "no-such-mailbox", "held-mass-removal", "folder-missing"):
        shown = [
            each.email
            for each in operators.listing(NOW)
            if each.failure is not None and each.failure.code == code
        ]
        assert [each.email for each in every(Search(failure_code=code), NOW)] == shown
    assert emails(Search(failure_code="held-mass-removal")) == ["user00002"]
    Operator.objects.update(calendar_sync=False)
    assert emails(Search(failure_code="server-busy")) == []


def test_pages_follow_one_another_and_one_beyond_the_last_is_the_last() -> None:
    fill(7)
    pages = [search(Search(), NOW, page=page, per_page=3) for page in (1, 2, 3, 99, -1)]
    assert [len(each.rows) for each in pages] == [3, 3, 1, 1, 3]
    assert [each.page for each in pages] == [1, 2, 3, 3, 1]
    assert {each.pages for each in pages} == {3}
    together = [row.email for each in pages[:3] for row in each.rows]
    assert together == sorted(together)
    nothing = search(Search("nobody"), NOW)
    assert (nothing.rows, nothing.page, nothing.pages) == ([], 1, 1)


def test_lists_are_sorted_as_asked() -> None:
    fill(5)
    assert emails(Search(), order=Order.NAME, descending=True)[0] == "user00004"
    assert emails(Search(), order=Order.STATUS) == [
        "user00004",
        "user00003",
        "user00001",
        "user00002",
        "user00000",
    ]
    assert emails(Search(), order=Order.LAST_SUCCESS)[:2] == ["user00001", "user00004"]
    assert emails(Search(), order=Order.LAST_SUCCESS, descending=True)[-1] == "user00001"
    assert emails(Search(), order=Order.ACCESS_GROUP)[:3] == ["user00000", "user00002", "user00004"]


def test_all_that_a_search_finds_are_switched_and_that_is_noted() -> None:
    fill(10)
    changed = switch_found(Search(access_group="North"), NOW, on=False, by="admin@example.com")
    assert [each.email[:9] for each in changed] == [
        "user00002",
        "user00004",
        "user00006",
        "user00008",
    ]
    assert Operator.objects.filter(calendar_sync=True).count() == 4
    assert [each.subject[:9] for each in audit.listing()] == [
        "user00008",
        "user00006",
        "user00004",
        "user00002",
    ]
    assert len(switch_found(Search(), NOW, on=True)) == 6
    assert not Operator.objects.filter(calendar_sync=False).exists()


def test_five_thousand_operators_cost_little() -> None:
    fill(5000)
    with CaptureQueriesContext(connection) as queries:
        begun = time.process_time()
        found = search(Search("person"), NOW, page=20, per_page=100, order=Order.STATUS)
        spent = time.process_time() - begun
    assert (len(found.rows), found.total) == (100, 5000)
    assert len(queries) <= 6
    assert spent < 0.3
