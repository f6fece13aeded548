"""How the API answers: problems in the words of the catalogue, ETags, portions, rates, metrics."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from keepstep.core.failures import FAILURES
from keepstep.core.roles import Role
from keepstep.store import audit, operators, settings
from keepstep.store.models import Account, Job
from tests.api.calling import Caller

CallerOf = Callable[..., Caller]

WRONG = [
    ("GET", "/nothing", None, 404, "api-not-found"),
    ("GET", "/operators/987654", None, 404, "api-not-found"),
    ("GET", "/jobs/Nothing", None, 404, "api-not-found"),
    ("PUT", "/operators", {}, 405, "api-method-not-allowed"),
    ("POST", "/operators", "{ this is no json", 400, "api-request-invalid"),
    ("POST", "/operators", [1], 422, "api-request-invalid"),
    ("POST", "/operators", {}, 422, "api-request-invalid"),
    ("POST", "/operators", {"email": "x@example.com", "phone": "1"}, 422, "api-request-invalid"),
    ("POST", "/operators", {"email": "no address"}, 422, "api-not-possible"),
    ("GET", "/operators?limit=0", None, 422, "api-request-invalid"),
    ("GET", "/operators?cursor=%00%ff", None, 422, "cursor-unknown"),
    ("GET", "/changes?cursor=nonsense", None, 422, "cursor-unknown"),
    ("GET", "/appointments?from=2026-01-01&to=2029-01-01", None, 422, "api-request-invalid"),
    ("GET", "/appointments?team=Nobody", None, 404, "api-not-found"),
    ("PATCH", "/settings", {"batch_size": "many"}, 422, "api-not-possible"),
    ("PATCH", "/jobs/CalendarSynchronization", {"schedule": "x"}, 422, "api-not-possible"),
    ("DELETE", "/jobs/CalendarSynchronization", None, 422, "api-not-possible"),
    ("POST", "/jobs/CalendarSynchronization/runs", None, 202, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG)
def test_what_is_wrong_is_said_with_code_message_and_remedy(
    call: CallerOf, method: str, path: str, body: object, status: int, code: str
) -> None:
    answer = call()(method, path, body)
    assert answer.status == status, answer
    if not code:
        return
    known = FAILURES[code]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    told = {name: answer.json[name] for name in ("code", "message", "remedy", "title", "type")}
    assert told == {
        "code": code,
        "message": known.message,
        "remedy": known.remedy,
        "title": known.message,
        "type": f"/api/v1/problems/{code}",
    }
    assert Caller().get(f"/problems/{code}")["cause"] == known.cause


def test_a_wrong_value_is_named_by_its_place_and_not_repeated(call: CallerOf) -> None:
    answer = call()("POST", "/operators", {"email": "a@example.com", "calendar_sync": "s3cret"})
    assert [each["place"] for each in answer.json["errors"]] == ["body.calendar_sync"]
    assert "s3cret" not in str(answer.json)


def test_a_method_that_is_not_known_is_answered_with_those_that_are(call: CallerOf) -> None:
    assert call()("PUT", "/operators", {}).headers["Allow"] == "GET, POST"


def test_who_knows_an_answer_already_is_told_that_it_stands(call: CallerOf) -> None:
    caller = call()
    first = caller("GET", "/operators")
    again = caller("GET", "/operators", HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert (again.status, again.json) == (304, None)
    operators.add("new@example.com", {})
    changed = caller("GET", "/operators", HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert (changed.status, len(changed.json["items"])) == (200, 2)


def test_settings_change_only_as_they_were_read(call: CallerOf) -> None:
    caller = call()
    etag = caller("GET", "/settings").headers["ETag"]
    done = caller("PATCH", "/settings", {"past_days": 90}, HTTP_IF_MATCH=etag)
    assert done.status == 200
    late = caller("PATCH", "/settings", {"past_days": 30}, HTTP_IF_MATCH=etag)
    assert (late.status, late.json["code"]) == (412, "api-changed-meanwhile")
    assert settings.load().past_days == 90
    again = caller("PATCH", "/settings", {"past_days": 30}, HTTP_IF_MATCH=done.headers["ETag"])
    assert again.status == 200


def test_secrets_are_set_and_never_told(call: CallerOf) -> None:
    caller = call()
    answer = caller("PATCH", "/settings", {"password": "geheim-17", "username": "svc"})
    shown = {each["name"]: each["value"] for each in answer.json["items"]}
    assert (shown["password"], shown["username"]) == ("set", "svc")
    assert "geheim-17" not in str(answer.json) + str(caller.get("/settings", limit=1))
    assert settings.load().password == "geheim-17"


def test_what_is_changed_by_a_token_is_in_the_audit_with_its_owner(call: CallerOf) -> None:
    caller = call()
    caller("PATCH", "/settings", {"past_days": 90})
    caller("PATCH", "/jobs/CalendarSynchronization", {"enabled": True, "schedule": "5"})
    added = caller("POST", "/operators", {"email": "new@example.com", "access_group": "East"})
    caller("PATCH", f"/operators/{added.json['id']}", {"calendar_sync": True})
    caller("DELETE", f"/operators/{added.json['id']}", confirm="new@example.com")
    latest = [(each.action, each.by) for each in audit.listing(limit=6)]
    by = "admin@example.com (API token test)"
    assert [each[0] for each in latest] == [
        *("operator.erase", "operator.edit", "operator.add"),
        *("job.enable", "job.change", "settings.change"),
    ]
    assert {each[1] for each in latest} == {by}
    assert caller.get("/audit", limit=1)["items"][0]["by"] == by


def test_a_job_is_changed_whole_or_not_at_all(call: CallerOf) -> None:
    wanted = {"enabled": True, "schedule": "5", "context": "Nobody"}
    assert call()("PATCH", "/jobs/CalendarSynchronization", wanted).status == 422
    assert not Job.objects.exists()


def test_lists_come_in_portions_that_together_are_the_whole(call: CallerOf) -> None:
    for number in range(7):
        operators.add(f"more{number}@example.com", {})
    caller, seen, cursor = call(), [], ""
    while cursor is not None:
        portion = caller.get("/operators", limit=3, cursor=cursor)
        assert len(portion["items"]) <= 3
        seen += [each["email"] for each in portion["items"]]
        cursor = portion["next"]
    assert sorted(seen) == sorted(each["email"] for each in caller.get("/operators")["items"])
    assert len(seen) == 8


def test_a_token_that_is_used_too_often_has_to_wait(call: CallerOf) -> None:
    settings.change({"api_requests_per_minute": "5"})
    often, other = call(), call()
    answers = [often("GET", "/me").status for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2
    late = often("GET", "/me")
    assert late.json["code"] == "api-too-many-requests"
    assert 1 <= int(late.headers["Retry-After"]) <= 12
    assert other("GET", "/me").status == 200


def test_what_the_api_did_is_in_the_metrics(call: CallerOf) -> None:
    def counted(line: str) -> float:
        text = Client().get("/health/metrics").content.decode()
        found = [each for each in text.splitlines() if each.startswith(line)]
        return float(found[0].rpartition(" ")[2]) if found else 0

    me = 'keepstep_api_requests_total{operation="me",status="200"}'
    before = counted(me), counted("keepstep_api_seconds_count")
    call()("GET", "/me")
    call()("GET", "/nothing")
    assert (counted(me), counted("keepstep_api_seconds_count")) == (before[0] + 1, before[1] + 2)


def test_an_import_says_what_it_would_do_and_does_it(call: CallerOf) -> None:
    caller = call()
    file = b"email,name,calendar_sync\nnew@example.com,New,true\nno address,X,true\n"

    def send(**fields: str) -> dict[str, object]:
        from django.core.files.uploadedfile import SimpleUploadedFile

        answer = caller._client.post(
            "/api/v1/operators/import",
            {"file": SimpleUploadedFile("new.csv", file), **fields},
            HTTP_AUTHORIZATION=f"Bearer {caller.token}",
        )
        assert answer.status_code == 200, answer.content
        found: dict[str, object] = answer.json()
        return found

    assert send(dry_run="true")["stored"] is False
    assert len(caller.get("/operators")["items"]) == 1
    assert send(all_or_nothing="true")["stored"] is False
    done = send()
    assert (done["added"], done["stored"]) == (1, True)
    assert done["refused"] == [
        {
            "line": 3,
            "column": "email",
            "value": "no address",
            "reason": done["refused"][0]["reason"],
        }  # type: ignore[index]
    ]
    assert len(caller.get("/operators")["items"]) == 2


def test_an_operator_hears_of_the_own_group_alone_and_of_failures_in_plain_words(
    call: CallerOf, people: dict[Role, Account]
) -> None:
    colleague = operators.add("bruno@example.com", {"access_group": "West", "calendar_sync": "on"})
    stranger = operators.add("zoe@example.com", {"access_group": "East"})
    mailbox = colleague.mailbox
    mailbox.failure_code, mailbox.failure_detail = "no-such-mailbox", "internal detail"
    mailbox.save()
    anna = call(Role.OPERATOR)
    told = anna.get("/operators")["items"]
    assert [each["email"] for each in told] == ["anna@example.com", "bruno@example.com"]
    assert told[1]["failure"]["message"] == FAILURES["no-such-mailbox"].message
    assert anna("GET", f"/operators/{stranger.pk}").status == 404
    assert "internal detail" in str(call().get("/failures"))
