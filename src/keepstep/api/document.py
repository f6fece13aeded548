"""The OpenAPI document: what the library tells of the operations, and what all have in common."""

from __future__ import annotations

from functools import cache
from typing import Any

from ninja import NinjaAPI

from keepstep.api.problems import CONTENT_TYPE, TYPES
from keepstep.core.failures import FAILURES

PREFIX = "/api/v1/"
_COMMON = {
    "401": "api-token-missing",
    "403": "api-role-refused",
    "404": "api-not-found",
    "405": "api-method-not-allowed",
    "422": "api-request-invalid",
    "429": "api-too-many-requests",
    "500": "internal-error",
    "503": "database-unavailable",
}
_PUBLIC = ("404", "405", "422", "500", "503")
_MORE = {"400": "api-request-invalid", "413": "api-request-invalid"}


@cache
def document(api: NinjaAPI) -> dict[str, Any]:
    """Give the document."""
    made: dict[str, Any] = api.get_openapi_schema(path_prefix=PREFIX)
    schemas = made["components"]["schemas"]
    schemas["Problem"] = _problem_schema()
    for address, path in made["paths"].items():
        for method, operation in path.items():
            _complete(address, method, operation)
    return made


def _complete(address: str, method: str, operation: dict[str, Any]) -> None:
    answers = {str(key): each for key, each in operation["responses"].items()}
    public = not operation.get("security")
    codes = {key: _COMMON[key] for key in (_PUBLIC if public else _COMMON)}
    if method in ("post", "patch", "put"):
        codes |= _MORE
    if address.endswith("/changes"):
        codes["410"] = "cursor-too-old"
    if method == "patch" and address.endswith("/settings"):
        codes["412"] = "api-changed-meanwhile"
        operation.setdefault("parameters", [])
    for status, code in codes.items():
        answers.setdefault(status, _problem_answer(code, status))
    if method == "get" and "200" in answers:
        answers["200"].setdefault("headers", {})["ETag"] = {"schema": {"type": "string"}}
        answers["304"] = {"description": "As it was, by If-None-Match."}
        parameters = operation.setdefault("parameters", [])
        parameters.append({"in": "header", "name": "If-None-Match", "schema": {"type": "string"}})
    operation["responses"] = answers


def _problem_answer(code: str, status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": FAILURES[code].message,
        "content": {
            CONTENT_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": _example(code, int(status)),
            }
        },
    }
    if status == "429":
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _example(code: str, status: int) -> dict[str, Any]:
    failure = FAILURES[code]
    return {
        "type": TYPES + code,
        "title": failure.message,
        "status": status,
        "detail": failure.cause,
        "code": code,
        "message": failure.message,
        "remedy": failure.remedy,
    }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    error = {"type": "object", "properties": {"place": text, "message": text}}
    return {
        "title": "Problem",
        "description": "What is wrong (RFC 9457), with a code that does not change.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "message", "remedy"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {"type": "string", "enum": sorted(FAILURES)},
            "message": text,
            "remedy": text,
            "errors": {"type": "array", "items": error},
        },
    }
