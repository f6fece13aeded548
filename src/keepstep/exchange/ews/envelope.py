"""SOAP envelopes: writing a request, reading an answer down to its response messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from lxml.etree import _Element

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.faults import (
    bounded_pause,
    failure_of_code,
    failure_of_status,
    pause_of_headers,
)
from keepstep.exchange.ews.parse import PROLOG, parse
from keepstep.exchange.ews.wire import MESSAGES, SOAP_NAMESPACES, TYPES, M, local_name, token_of

_REQUEST = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    b' xmlns:t="' + TYPES.encode() + b'" xmlns:m="' + MESSAGES.encode() + b'"><s:Header>'
    b'<t:RequestServerVersion Version="%b"/>%b</s:Header><s:Body>%b</s:Body></s:Envelope>'
)
_IMPERSONATION = (
    b"<t:ExchangeImpersonation><t:ConnectingSID>"
    b"<t:PrimarySmtpAddress>%b</t:PrimarySmtpAddress>"
    b"</t:ConnectingSID></t:ExchangeImpersonation>"
)

_ENVELOPES = {f"{{{namespace}}}Envelope" for namespace in SOAP_NAMESPACES}
_BODIES = [f"{{{namespace}}}Body" for namespace in SOAP_NAMESPACES]
_HEADERS = [f"{{{namespace}}}Header" for namespace in SOAP_NAMESPACES]
_FAULTS = {f"{{{namespace}}}Fault" for namespace in SOAP_NAMESPACES}
_LONGEST_TEXT_OF_FAULT = 20_000
_LONGEST_CODE = 100
_PLAIN = re.compile(r"[A-Za-z0-9@+/=_.:-]*")
_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_LOGIN = re.compile(
    rb"password|passwd|/owa/|logon|log[ -]?in|log[ -]?on|sign[ -]?in|<form", re.IGNORECASE
)
_PAGE = 256 * 1024
# Without headers there is no Retry-After to take against it.
_NO_DATE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """What an answer's ServerVersionInfo says; `name` may be empty."""

    major: int
    minor: int
    build: int
    revision: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"


@dataclass(frozen=True, slots=True)
class ResponseMessage:
    """One message of an answer: its class, its response code, a pause asked for, its element."""

    response_class: str
    code: str
    pause: timedelta | None
    element: _Element

    @property
    def failed(self) -> bool:
        """Whether it is an error; a warning's content is good."""
        return self.response_class == "Error"

    def raise_failure(self) -> None:
        """Raise the `ExchangeError` of its code, if it is an error."""
        if self.failed:
            raise failure_of_code(self.code, self.pause)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no fault: the operation's response, its messages, the server's version."""

    operation: str
    messages: Sequence[ResponseMessage]
    version: ServerVersion | None
    response: _Element


def escaped(text: str) -> bytes:
    """Give text ready to stand in an element or between double quotes of a request."""
    if _PLAIN.fullmatch(text):
        return text.encode()
    return escape(text, {'"': "&quot;"}).encode("utf-8", "replace")


def request(operation: bytes, request_version: str, address: str) -> bytes:
    """Wrap an operation's element into an envelope that impersonates the mailbox's owner."""
    return _REQUEST % (request_version.encode(), _IMPERSONATION % escaped(address), operation)


def plain_request(operation: bytes, request_version: str) -> bytes:
    """Wrap an operation's element into an envelope that impersonates nobody."""
    return _REQUEST % (request_version.encode(), b"", operation)


def read_answer(raw: RawAnswer, now: datetime) -> Answer:
    """Read an HTTP answer; raises `ExchangeError` for whatever is no answer of the operation.

    A fault is one whatever the HTTP status: some servers send it with 200. `now` is for a
    Retry-After that is a date.
    """
    pause = pause_of_headers(raw.headers, now)
    status_failure = failure_of_status(raw.status, pause)
    if status_failure.code in ("sign-in-refused", "redirected", "proxy-in-the-way"):
        raise status_failure
    root = _root_of(raw, status_failure)
    if root.tag not in _ENVELOPES:
        raise status_failure if raw.status != 200 else ExchangeError("not-exchange", "no SOAP")
    body = _first(root, _BODIES)
    if body is None or len(body) == 0:
        raise ExchangeError("answer-unreadable", "no SOAP body")
    content = body[0]
    if content.tag in _FAULTS:
        raise _failure_of_fault(content, pause)
    if raw.status != 200:
        raise status_failure
    return Answer(
        local_name(content.tag).removesuffix("Response"),
        _messages(content),
        _server_version(root),
        content,
    )


def read_envelope(body: bytes) -> Answer:
    """Read an envelope that is no HTTP answer by itself. Raises as `read_answer` does."""
    return read_answer(RawAnswer(200, body=body), _NO_DATE)


def messages_of(answer: Answer, operation: str, count: int | None = None) -> list[ResponseMessage]:
    """Give the messages of an answer to `operation`, as many as `count` if that is given.

    Raises answer-unreadable where the answer is one to something else.
    """
    if answer.operation != operation:
        raise ExchangeError("answer-unreadable", f"an answer to another question than {operation}")
    messages = list(answer.messages)
    if not messages or (count is not None and len(messages) != count):
        raise ExchangeError("answer-unreadable", f"{operation}: wrong number of messages")
    return messages


def failure_of_page(body: bytes) -> ExchangeError:
    """Give the error for a web page that came with status 200: a sign-in form, or any other."""
    if _LOGIN.search(body[:_PAGE]):
        return ExchangeError("login-page", "HTML")
    return ExchangeError("not-exchange", "HTML")


def version_told(raw: RawAnswer) -> ServerVersion | None:
    """Give the ServerVersionInfo of any answer, a fault included; None where it has none."""
    try:
        return _server_version(parse(raw.body)) if raw.body else None
    except ExchangeError:
        return None


def _root_of(raw: RawAnswer, status_failure: ExchangeError) -> _Element:
    start = raw.body[:PROLOG]
    if raw.status == 200 and not raw.body.strip():
        raise ExchangeError("answer-unreadable", "empty")
    if _HTML.search(start):
        raise status_failure if raw.status != 200 else failure_of_page(raw.body)
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise status_failure if raw.status != 200 else ExchangeError("not-exchange", "no XML")
    try:
        return parse(raw.body)
    except ExchangeError:
        if raw.status in (200, 500):
            raise
        raise status_failure from None


def _first(element: _Element, tags: Sequence[str]) -> _Element | None:
    for child in element:
        if child.tag in tags:
            return child
    return None


def _messages(response: _Element) -> list[ResponseMessage]:
    holder = response.find(f"{M}ResponseMessages")
    return [] if holder is None else [_message(element) for element in holder]


def _message(element: _Element) -> ResponseMessage:
    code = ""
    pause = None
    for child in element:
        name = child.tag
        if name == f"{M}ResponseCode":
            code = token_of(child)[:_LONGEST_CODE]
        elif name == f"{M}MessageXml":
            pause = _back_off(child)
    response_class = element.get("ResponseClass") or ("Success" if code == "NoError" else "Error")
    if response_class == "Success" and code.startswith("Error"):
        response_class = "Error"
    return ResponseMessage(response_class, code, pause, element)


def _back_off(element: _Element) -> timedelta | None:
    """Find BackOffMilliseconds, as a named Value or as an element, anywhere below."""
    for part in element.iter():
        if part.get("Name") == "BackOffMilliseconds" or part.tag.endswith("}BackOffMilliseconds"):
            text = token_of(part)
            if text.isascii() and text.isdigit():
                return bounded_pause(int(text[:12]))
    return None


def _failure_of_fault(fault: _Element, pause: timedelta | None) -> ExchangeError:
    """Read a SOAP fault: its code stands in the detail, or in faultcode alone, or nowhere."""
    code = ""
    fault_code = ""
    for part in fault.iter():
        name = local_name(part.tag) if isinstance(part.tag, str) else ""
        if name == "ResponseCode":
            code = token_of(part)[:_LONGEST_CODE]
        elif name == "faultcode":
            fault_code = token_of(part).rpartition(":")[2][:_LONGEST_CODE]
    if not code and fault_code.startswith("Error"):
        code = fault_code
    told = _back_off(fault)
    if told is not None and (pause is None or told > pause):
        pause = told
    telling = "".join(part.text or "" for part in fault.iter())[:_LONGEST_TEXT_OF_FAULT]
    failure = failure_of_code(code, pause, telling)
    if not code and failure.code == "request-refused" and fault_code == "Server":
        return ExchangeError("server-error", "a fault without a response code", pause)
    return failure


def _server_version(root: _Element) -> ServerVersion | None:
    header = _first(root, _HEADERS)
    if header is None:
        return None
    for part in header:
        if local_name(part.tag) == "ServerVersionInfo":
            return ServerVersion(
                _version_number(part, "MajorVersion"),
                _version_number(part, "MinorVersion"),
                _version_number(part, "MajorBuildNumber"),
                _version_number(part, "MinorBuildNumber"),
                part.get("Version", "")[:50],
            )
    return None


def _version_number(element: _Element, name: str) -> int:
    text = element.get(name, "")
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
