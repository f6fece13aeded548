"""Texts, bodies and numbers that nobody sends by mistake: refused in plain words, never a 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.test import Client

from tests.api.calling import Caller

CallerOf = Callable[..., Caller]

TEXTS = ["\0", "\ud800", "a" * 20_000, "💥'%\u202e"]
HUGE = [10**30, -(10**30), 2**63, 1e400]


def nasty_bodies(text: str) -> list[tuple[str, str, object]]:
    return [
        ("POST", "/operators", {"email": text}),
        ("POST", "/operators", {"email": "x@example.com", "name": text}),
        ("POST", "/operators", {"email": "x@example.com", "access_group": text}),
        ("POST", "/operators", {"email": "x@example.com", "time_zone": text}),
        ("PATCH", "/operators/1", {"name": text, "email": text}),
        ("PATCH", "/settings", {"username": text}),
        ("PATCH", "/settings", {"skip_categories": text, "ca_file": text, "exchange_url": text}),
        ("PATCH", "/settings", {"password": text}),
        ("PATCH", "/settings", {text: "x"}),
        ("POST", "/jobs", {"name": text, "kind": "CalendarVerification"}),
        ("POST", "/jobs", {"name": "x", "kind": "CalendarVerification", "schedule": text}),
        ("PATCH", "/jobs/CalendarSynchronization", {"context": text}),
        ("POST", "/webhooks", {"url": text}),
        ("POST", "/webhooks", {"url": f"https://example.com/{text}"}),
    ]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_no_text_in_a_body_breaks_anything(call: CallerOf, text: str) -> None:
    caller = call()
    for method, path, body in nasty_bodies(text):
        answer = caller(method, path, json.dumps(body))
        assert answer.status < 500, (path, body)
    for path in ("/operators", "/settings", "/jobs", "/webhooks", "/audit"):
        caller.get(path)


@pytest.mark.parametrize("text", [each for each in TEXTS if each != "\ud800"], ids=ascii)
def test_no_text_in_an_address_breaks_anything(call: CallerOf, text: str) -> None:
    caller, short = call(), text[:3000]
    for path, names in {
        "/operators": ("text", "access_group", "failure", "status", "cursor", "limit"),
        "/appointments": ("team", "operator", "from", "to", "cursor", "appointment"),
        "/changes": ("cursor", "limit", "expand"),
        "/runs": ("job", "cursor"),
        "/audit": ("cursor",),
        "/failures": ("cursor",),
        "/quarantine": ("operator", "cursor"),
    }.items():
        for name in names:
            assert caller("GET", path, **{name: short}).status < 500, (path, name)
    for address in ("/jobs/{}", "/appointments/{}", "/problems/{}", "/operators/{}", "/tasks/{}"):
        assert caller("GET", address.format(quote(short, safe=""))).status < 500, address


@pytest.mark.parametrize("number", HUGE)
def test_no_number_breaks_anything(call: CallerOf, number: float) -> None:
    caller = call()
    plain = str(int(number)) if number != float("inf") else "1e400"
    for path in ("/operators/{}", "/runs/{}", "/holds/{}/release", "/webhooks/{}/replay"):
        method = "POST" if path.count("/") > 2 else "GET"
        assert caller(method, path.format(plain)).status in (404, 422), path
    assert caller("PATCH", "/settings", f'{{"past_days": {plain}}}').status == 422


def test_bodies_that_are_too_large_broken_or_of_another_kind_are_refused(call: CallerOf) -> None:
    caller = call()
    large = caller("POST", "/operators", b'{"email": "' + b"a" * 3_000_000 + b'"}')
    assert (large.status, large.json["code"]) == (413, "api-request-invalid")
    deep = caller("PATCH", "/settings", b"[" * 100_000)
    assert deep.status in (400, 422)
    assert caller("POST", "/operators", b"\xff\xfe").status == 400
    for content in ("multipart/form-data", "multipart/form-data; boundary=x", "text/csv", ""):
        answer = Client(raise_request_exception=True).generic(
            "POST", "/api/v1/operators/import", b"--x\r\nbroken", content_type=content,
            HTTP_AUTHORIZATION=f"Bearer {caller.token}",
        )  # fmt: skip
        assert answer.status_code in (400, 422), content
        assert answer.headers["Content-Type"] == "application/problem+json"
