"""The API of a running server, asked over a socket by a client that knows nothing of ours."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.web.site import ADMINISTRATOR, AUDITOR, Site, prepare, serving

OF_ANOTHER_DATABASE = base64.urlsafe_b64encode(b"1.p1-1.5.5.500000").decode().rstrip("=")

# Of each code: as whom it is asked, what, with which body and headers, and the status.
PROBLEMS: dict[str, tuple[str, str, str, Any, dict[str, str], int]] = {
    "api-token-missing": ("", "GET", "/me", None, {}, 401),
    "api-token-invalid": ("", "GET", "/me", None, {"Authorization": "Bearer keepstep_x"}, 401),
    "api-scope-missing": ("reader", "GET", "/settings", None, {}, 403),
    "api-role-refused": ("auditor", "GET", "/appointments", None, {}, 403),
    "api-not-found": ("all", "GET", "/nothing", None, {}, 404),
    "api-method-not-allowed": ("all", "DELETE", "/settings", None, {}, 405),
    "api-request-invalid": ("all", "POST", "/operators", b"no { json", {}, 400),
    "api-not-possible": ("all", "PATCH", "/settings", b'{"batch_size": "x"}', {}, 422),
    "api-changed-meanwhile": ("all", "PATCH", "/settings", b"{}", {"If-Match": '"old"'}, 412),
    "cursor-unknown": ("all", "GET", "/changes?cursor=nonsense", None, {}, 422),
    "cursor-too-old": ("all", "GET", f"/changes?cursor={OF_ANOTHER_DATABASE}", None, {}, 410),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers, and the JSON of the body."""

    status: int
    headers: Any
    json: Any


class Served:
    """A running server and tokens for it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._tokens = {
            "": "",
            "all": self._token(
                ADMINISTRATOR,
                *("read-calendar", "read-operators", "write-operators"),
                *("read-settings", "write-settings", "read-jobs", "write-jobs"),
            ),
            "reader": self._token(ADMINISTRATOR, "read-calendar"),
            "often": self._token(ADMINISTRATOR, "read-calendar"),
            "auditor": self._token(AUDITOR, "read-operators"),
        }

    def _token(self, email: str, *scopes: str) -> str:
        named = [part for scope in scopes for part in ("--scope", scope)]
        made = self.site.product.do("tokens", "create", email, "test", *named)
        return made.output.splitlines()[-1]

    def ask(
        self, who: str, method: str, path: str, body: Any = None, headers: Any = None
    ) -> Answer:
        """Send a request with the token of `who`."""
        given = {"Content-Type": "application/json", **(headers or {})}
        if self._tokens[who]:
            given["Authorization"] = f"Bearer {self._tokens[who]}"
        request = urllib.request.Request(
            f"{self.site.url}/api/v1{path}", data=body, headers=given, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return Answer(answer.status, answer.headers, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, json.loads(error.read() or b"null"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("served")
    with serving(prepare(folder / "prepared"), folder / "site") as site:
        yield Served(site)


@pytest.mark.parametrize("code", PROBLEMS)
def test_what_is_wrong_is_told_by_its_code(served: Served, code: str) -> None:
    who, method, path, body, headers, status = PROBLEMS[code]
    answer = served.ask(who, method, path, body, headers)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["remedy"]


def test_who_asks_too_often_is_told_when_to_come_again(served: Served) -> None:
    served.ask("all", "PATCH", "/settings", b'{"api_requests_per_minute": 20}')
    late = [served.ask("often", "GET", "/changes") for _ in range(21)][-1]
    served.ask("all", "PATCH", "/settings", b'{"api_requests_per_minute": null}')
    assert (late.status, late.json["code"]) == (429, "api-too-many-requests")
    assert int(late.headers["Retry-After"]) in (1, 2, 3)


def test_head_gives_the_headers_alone_and_an_etag_spares_the_answer(served: Served) -> None:
    head = served.ask("all", "HEAD", "/operators")
    assert (head.status, head.json) == (200, None)
    known = served.ask("all", "GET", "/operators", None, {"If-None-Match": head.headers["ETag"]})
    assert (known.status, known.json) == (304, None)


def test_a_job_that_is_run_now_can_be_followed_and_says_what_is_missing(served: Served) -> None:
    begun = served.ask("all", "POST", "/jobs/CalendarSynchronization/runs")
    assert begun.status == 202
    for _ in range(100):
        task = served.ask("all", "GET", f"/tasks/{begun.json['task']}").json
        if not task["running"]:
            break
        time.sleep(0.05)
    assert "calendar integration is off" in task["problem"].lower()
