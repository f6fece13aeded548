"""The operators' pages: searched, switched, edited, explained, decided, erased."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keepstep.store import operators
from keepstep.store.models import Account, Mailbox, Operator

ANNA = "anna@example.com"


@pytest.fixture
def client(client_of: Callable[[Account], Client], administrator: Account) -> Client:
    return client_of(administrator)


def test_an_operator_is_added_and_edited(client: Client) -> None:
    new = {
        "email": "Bo@example.com",
        "name": "Bo",
        "access_group": "East",
        "time_zone": "Asia/Tokyo",
        "calendar_sync": "on",
    }
    answer = client.post("/operators/new", new)
    assert answer.headers["Location"] == "/operators/of/Bo@example.com"
    assert operators.find("bo@example.com").calendar_sync
    client.post("/operators/of/bo@example.com/edit", new | {"name": "Bo Ek", "time_zone": "UTC"})
    edited = operators.find("bo@example.com")
    assert (edited.name, edited.time_zone) == ("Bo Ek", "UTC")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", ANNA.upper()),
        ("time_zone", "Mars"),
        ("access_group", "system"),
    ],
)
def test_a_wrong_field_is_refused_where_it_stands(
    client: Client, operator: Account, field: str, value: str
) -> None:
    new = {"email": "bo@example.com", "time_zone": "UTC", field: value}
    answer = client.post("/operators/new", new)
    assert answer.status_code == 422
    assert 'class="wrong"' in answer.content.decode() or 'role="alert"' in answer.content.decode()
    assert Operator.objects.count() == 1


def test_a_search_finds_by_name_status_and_group(client: Client, operator: Account) -> None:
    operators.add("bo@example.com", {"name": "Bo", "calendar_sync": "true"})
    found = {
        "text=adler": {ANNA},
        "status=off": {ANNA},
        "status=waiting": {"bo@example.com"},
        "group=West": {ANNA},
        "group=-": {"bo@example.com"},
        "text=nobody": set(),
        "page=nonsense&order=nonsense&status=nonsense": {ANNA, "bo@example.com"},
    }
    for query, emails in found.items():
        page = client.get(f"/operators/?{query}").content.decode()
        assert {each for each in (ANNA, "bo@example.com") if f"/of/{each}" in page} == emails


def test_many_are_switched_by_ticks_and_all_by_a_search(client: Client, operator: Account) -> None:
    for number in range(60):
        operators.add(f"p{number}@example.com", {"access_group": "East"})
    client.post("/operators/switch", {"on": "true", "email": ["p1@example.com", ANNA]})
    assert Operator.objects.filter(calendar_sync=True).count() == 2
    client.post("/operators/switch", {"on": "true", "all": "true", "query": "group=East"})
    assert Operator.objects.filter(calendar_sync=True).count() == 61
    client.post("/operators/switch", {"on": "false", "all": "true", "query": ""})
    assert Operator.objects.filter(calendar_sync=True).count() == 0


def test_a_failing_mailbox_shows_code_words_and_remedy(client: Client, operator: Account) -> None:
    from datetime import UTC, datetime

    operators.switch([ANNA], on=True)
    Mailbox.objects.update(failure_code="impersonation-refused", failing_since=datetime.now(UTC))
    page = client.get(f"/operators/of/{ANNA}").content.decode()
    assert "impersonation-refused" in page
    assert "ApplicationImpersonation" in page
    assert "impersonation-refused" in client.get("/operators/").content.decode()
    assert "impersonation-refused" in client.get("/health/overview").content.decode()


def test_an_appointment_never_seen_is_explained(client: Client, operator: Account) -> None:
    page = client.get(f"/operators/of/{ANNA}/explain?uid=<i>never</i>").content.decode()
    assert "has never seen it" in page
    assert "<i>never</i>" not in page


def test_an_operator_is_erased_only_if_the_address_is_typed(
    client: Client, operator: Account
) -> None:
    client.post(f"/operators/of/{ANNA}/erase", {"typed": "bo@example.com"})
    assert Operator.objects.filter(email=ANNA).exists()
    client.post(f"/operators/of/{ANNA}/erase", {"typed": ANNA})
    assert not Operator.objects.filter(email=ANNA).exists()
    assert not Account.objects.filter(email=ANNA).exists()
    assert client.get(f"/operators/of/{ANNA}").status_code == 404


def test_nothing_goes_on_without_settings_and_it_is_said(client: Client, operator: Account) -> None:
    answer = client.post(f"/operators/of/{ANNA}/sync", follow=True)
    assert answer.status_code == 200


def test_a_list_costs_as_many_queries_for_many_as_for_few(
    client: Client, operator: Account
) -> None:
    addresses = ("/operators/", "/operators/?text=person&order=-status", "/health/overview")
    Mailbox.objects.create(operator=Operator.objects.create(email="person@example.com"))
    before = [queries_of(client, each) for each in addresses]
    made = Operator.objects.bulk_create(
        Operator(email=f"person.{number}@example.com", access_group=f"Group {number % 40}")
        for number in range(500)
    )
    Mailbox.objects.bulk_create(Mailbox(operator=each) for each in made)
    after = [queries_of(client, each) for each in addresses]
    assert all(many <= few for few, many in zip(before, after, strict=True))


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)
