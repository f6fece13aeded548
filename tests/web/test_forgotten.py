"""What of an account goes: with the erasure of its operator, and in the nightly purge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client

from keepstep.core.errors import UsageError
from keepstep.core.roles import Role
from keepstep.store import accounts, audit, tasks
from keepstep.store.erasure import erase
from keepstep.store.models import Account, Session, Task
from keepstep.store.retention import Terms, purge_some
from tests.web.site import ADMINISTRATOR, OPERATOR

ClientOf = Callable[[Account | None], Client]
TERMS = Terms(history=timedelta(days=400), runs=timedelta(days=400))


def guess(email: str) -> None:
    Client().post("/sign-in", {"username": email, "password": "wrong"})


def test_an_erased_operator_leaves_no_account_session_attempt_or_task(
    administrator: Account, operator: Account, client_of: ClientOf
) -> None:
    client = client_of(operator)
    stays = client_of(administrator)
    tasks.begin(operator, "import", datetime.now(UTC))
    guess(OPERATOR.upper())
    guess(ADMINISTRATOR)
    erase(OPERATOR, by=ADMINISTRATOR)
    assert client.get("/account").status_code == 302
    assert stays.get("/account").status_code == 200
    assert list(Account.objects.values_list("email", flat=True)) == [ADMINISTRATOR]
    assert set(Session.objects.values_list("account", flat=True)) <= {administrator.pk, None}
    assert not Task.objects.exists()
    assert set(AccessAttempt.objects.values_list("username", flat=True)) == {ADMINISTRATOR}
    assert OPERATOR not in str([(each.by, each.subject) for each in audit.listing()])


def test_an_auditor_with_the_address_of_an_erased_operator_goes_too(operator: Account) -> None:
    accounts.change_role(operator, Role.AUDITOR)
    erase(OPERATOR)
    assert not Account.objects.exists()


def test_an_operator_who_is_the_last_administrator_is_not_erased(operator: Account) -> None:
    accounts.change_role(operator, Role.ADMINISTRATOR)
    with pytest.raises(UsageError, match="last administrator"):
        erase(OPERATOR)
    assert accounts.find(OPERATOR).operator is not None


def test_the_purge_takes_sessions_that_are_over_and_attempts_that_hold_nobody_off(
    administrator: Account, auditor: Account, client_of: ClientOf
) -> None:
    over, goes_on = client_of(auditor), client_of(administrator)
    now = datetime.now(UTC)
    Session.objects.filter(account=auditor).update(expire_date=now - timedelta(seconds=1))
    guess(ADMINISTRATOR)
    assert purge_some(TERMS, now) == {"sessions": 1}
    assert over.get("/account").status_code == 302
    assert goes_on.get("/account").status_code == 200
    assert AccessAttempt.objects.count() == 1
    gone = purge_some(TERMS, now + timedelta(days=1, minutes=1))
    assert gone["sign-in attempts"] == 1
