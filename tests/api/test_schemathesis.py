"""An independent reader of the API's document sends what the document allows, and what it does not.

No answer may be a server error, or break what the document says of it. Always the same requests.
"""

from __future__ import annotations

import os
import re
import threading
from datetime import UTC, datetime

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from keepstep.core.appointment import Sensitivity
from keepstep.core.decisions import RowState, What
from keepstep.core.roles import Role
from keepstep.store import settings as application
from keepstep.store import webhooks
from keepstep.store.bulk import insert_history
from keepstep.store.models import Account, Operator, Quarantine, Run
from tests.api.calling import Caller, caller_for
from tests.web.calendars import put, single, weekly

load_all_checks()
# Few, as each change pays for them; a soak tries many.
EXAMPLES = 100 if os.environ.get("KEEPSTEP_SOAK") else 3
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
NOW = datetime.now(UTC)


def fill(anna: Operator) -> None:
    """Let there be something of each kind to be told of."""
    put(anna, weekly("round", NOW))
    put(anna, single("private", NOW, sensitivity=Sensitivity.PRIVATE))
    put(anna, single("held", NOW), state=RowState.HELD)
    insert_history(
        [
            (anna.mailbox.pk, uid, uid, NOW, What.CREATED.value, "unchanged")
            for uid in ("round", "x")
        ]
    )
    Quarantine.objects.create(mailbox=anna.mailbox, item_id="i", code="item-unreadable", since=NOW)
    Run.objects.create(job="CalendarSynchronization", trigger="api", started=NOW)
    anna.mailbox.failure_code, anna.mailbox.failing_since = "no-such-mailbox", NOW
    anna.mailbox.save()
    Operator.objects.update(calendar_sync=True)
    webhooks.add("https://crm.example.com/hook", [], NOW, by="admin@example.com")
    application.change({"api_requests_per_minute": "100000"})


def schema_of_ours() -> BaseSchema:
    """Read the document; requests go to the application in this process."""
    schema = schemathesis.openapi.from_dict(Caller().get("/openapi.json"))
    schema.app = get_wsgi_application()
    return schema


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("role", list(Role))
def test_no_answer_is_a_server_error_or_breaks_the_document(
    people: dict[Role, Account], anna: Operator, role: Role, mode: GenerationMode
) -> None:
    fill(anna)
    token = caller_for(people[role], days=1).token
    operations = [each.ok() for each in schema_of_ours().get_all_operations()]
    if mode is GenerationMode.NEGATIVE:
        operations = [each for each in operations if can_be_wrong(each)]
    for operation in operations:
        try_out(operation, mode, token)
    for thread in threading.enumerate():
        if thread.name.startswith("keepstep-"):
            thread.join(10)
    assert len(operations) > 20


def test_what_is_found_is_told_as_the_document_says(
    people: dict[Role, Account], anna: Operator
) -> None:
    """For random values seldom name anything that is there."""
    fill(anna)
    caller = caller_for(people[Role.ADMINISTRATOR])
    task = caller("POST", "/jobs/CalendarSynchronization/runs").json["task"]
    values = {
        "number": anna.pk,
        "identity": caller.get("/changes")["items"][0]["appointment"],
        "name": "CalendarSynchronization",
        "code": "internal-error",
        "task": task,
    }
    run = Run.objects.values_list("pk", flat=True)[0]
    empty = []
    for each in schema_of_ours().get_all_operations():
        operation = each.ok()
        if operation.method.upper() == "GET":
            chosen = values | ({"number": run} if "/runs/" in operation.path else {})
            query = {"expand": "true"} if operation.path.endswith("/changes") else {}
            case = operation.Case(
                path_parameters={name: chosen[name] for name in names_in(operation.path)},
                query=query,
            )
            headers = {"Authorization": f"Bearer {caller.token}"}
            answer = case.call_and_validate(headers=headers, checks=CHECKS)
            assert answer.status_code == 200, operation.path
            if answer.json().get("items") == []:
                empty.append(operation.path)
    assert empty == []


def names_in(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def can_be_wrong(operation: APIOperation) -> bool:
    """Say whether an operation takes anything that could be sent otherwise than is asked for."""
    numbered = "{number}" in operation.path or "{task}" in operation.path
    return bool(operation.body or operation.query) or numbered


def try_out(operation: APIOperation, mode: GenerationMode, token: str) -> None:
    """Call an operation by some examples."""

    @settings(
        max_examples=EXAMPLES if mode is GenerationMode.POSITIVE else EXAMPLES // 2,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    call()
