"""Each failure that Exchange can bring about, brought about on a real socket by the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.core.failures import FAILURES
from keepstep.exchange.connector import Target
from keepstep.exchange.ews.connect import Access
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.sign_in import BasicSignIn
from keepstep.exchange.ews.transport import HttpTransport
from keepstep.exchange.ews.web import Limits
from keepstep_simulator import Fault, Simulator, serving

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANNA = Target("anna@example.com")
QUICK = Limits(total_seconds=1, answer_bytes=1_000_000)


def says(code: str) -> dict[str, Any]:
    return {"kind": "error", "code": code}


CASES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "http", "status": 401}, "sign-in-refused"),
    (says("ErrorPasswordExpired"), "sign-in-refused"),
    ({"kind": "soap-fault", "code": "ErrorImpersonateUserDenied"}, "impersonation-refused"),
    ({"kind": "soap-fault", "code": "ErrorNonExistentMailbox"}, "no-such-mailbox"),
    (says("ErrorMissingEmailAddress"), "no-email-address"),
    (says("ErrorFolderNotFound"), "folder-missing"),
    (says("ErrorMailboxMoveInProgress"), "mailbox-moving"),
    (says("ErrorMailboxStoreUnavailable"), "store-unavailable"),
    ({"kind": "busy-503", "retry_after": 7}, "server-busy"),
    ({"kind": "busy-fault"}, "server-busy"),
    ({"kind": "busy-inner"}, "server-busy"),
    (says("ErrorTimeoutExpired"), "timed-out"),
    ({"kind": "hang", "seconds": 5}, "timed-out"),
    ({"kind": "drip", "seconds": 0.5}, "timed-out"),
    (says("ErrorInvalidSyncStateData"), "sync-state-refused"),
    ({"kind": "soap-fault", "code": "ErrorInvalidServerVersion"}, "wrong-exchange-version"),
    ({"kind": "http", "status": 407}, "proxy-in-the-way"),
    ({"kind": "redirect", "location": "https://other.example.com/"}, "redirected"),
    ({"kind": "login-page"}, "login-page"),
    ({"kind": "not-xml"}, "not-exchange"),
    ({"kind": "http", "status": 404}, "not-exchange"),
    ({"kind": "doctype"}, "answer-unreadable"),
    ({"kind": "doctype", "bomb": True}, "answer-unreadable"),
    ({"kind": "truncated"}, "answer-unreadable"),
    ({"kind": "cut"}, "answer-unreadable"),
    ({"kind": "deep"}, "answer-unreadable"),
    ({"kind": "huge"}, "answer-too-large"),
    ({"kind": "lost-answer"}, "connection-refused"),
    (says("ErrorOfTomorrow"), "request-refused"),
    (says("ErrorInternalServerError"), "server-error"),
    ({"kind": "http", "status": 500}, "server-error"),
    (says("ErrorExceededSubscriptionCount"), "subscription-limit"),
]


@asynccontextmanager
async def reader(server: Simulator) -> AsyncIterator[EwsConnector]:
    async with serving(server) as url:
        access = Access(url=url, version="Exchange2016")
        sign_in = BasicSignIn(server.username, server.password)
        connector = EwsConnector(HttpTransport(access.url, sign_in, limits=QUICK), access.version)
        yield connector
        await connector.close()


@pytest.mark.parametrize(
    ("fault", "code"), CASES, ids=lambda each: each if isinstance(each, str) else ""
)
async def test_the_failure_has_its_code_and_the_next_request_is_good(
    fault: dict[str, Any], code: str
) -> None:
    server = Simulator(clock=lambda: NOW)
    server.add_mailbox(ANNA.address)
    server.faults.add(Fault(**fault))
    async with reader(server) as connector:
        with pytest.raises(ExchangeError) as raised:
            await connector.changes(ANNA, None, 10)
        listing = await connector.changes(ANNA, None, 10)
    assert raised.value.code == code
    assert code in FAILURES
    assert listing.last


@pytest.mark.parametrize("code", ["\u009b31m", "x" * 100_000, "Fehler: Zugriff verweigert", "a b"])
async def test_a_code_that_is_none_is_not_passed_on(code: str) -> None:
    server = Simulator(clock=lambda: NOW)
    server.add_mailbox(ANNA.address)
    server.faults.add(Fault("error", code=code))
    async with reader(server) as connector:
        with pytest.raises(ExchangeError) as raised:
            await connector.changes(ANNA, None, 10)
    assert raised.value.code == "request-refused"
    assert raised.value.detail in ("a response code that is none", "x" * 100)
