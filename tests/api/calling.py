"""Calling the API in this process, by a token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client

from keepstep.core.roles import Role
from keepstep.core.scopes import scopes_of
from keepstep.store import tokens
from keepstep.store.models import Account

V1 = "/api/v1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers, and the JSON of the body (None: no body)."""

    status: int
    headers: dict[str, str]
    json: Any


class Caller:
    """One who calls; without a token nobody in particular."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self._client = Client(raise_request_exception=True)

    def __call__(self, method: str, path: str, body: Any = None, **given: Any) -> Answer:
        """Send a request; `given` are headers (in capitals, HTTP_…) and, else, the query."""
        headers = {name: value for name, value in given.items() if name.isupper()}
        query = {name: value for name, value in given.items() if not name.isupper()}
        if self.token:
            headers.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.token}")
        address = f"{V1}{path}" + (f"?{urlencode(query)}" if query else "")
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        content = {} if body is None else {"data": data, "content_type": "application/json"}
        return answer_of(self._client.generic(method, address, **content, **headers))

    def get(self, path: str, **query: Any) -> Any:
        """Get what must be there."""
        answer = self("GET", path, **query)
        assert answer.status == 200, (path, answer)
        return answer.json


def answer_of(response: HttpResponse) -> Answer:
    """Give an answer as tests look at it."""
    body = json.loads(response.content) if response.content else None
    return Answer(response.status_code, dict(response.headers), body)


def caller_for(account: Account, *scopes: str, days: int | None = 30) -> Caller:
    """Make a token for an account, of all scopes of its role unless some are named."""
    chosen = scopes or sorted(scopes_of(Role(account.role)))
    return Caller(tokens.make(account, "test", chosen, datetime.now(UTC), days=days))
