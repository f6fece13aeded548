"""Asking the calendar for its entries, as its page does: the week in which the tests are."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from keepstep.store.models import Account

ClientOf = Callable[[Account | None], Client]
TEN = datetime(2026, 11, 24, 9, tzinfo=UTC)
WEEK = {"start": "2026-11-23", "end": "2026-11-30"}


def ask(client: Client, **query: str) -> Any:
    return client.get("/calendar/events", WEEK | query)


def events(client: Client, **query: str) -> list[dict[str, Any]]:
    answer = ask(client, **query)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = json.loads(answer.content)["entries"]
    return found
