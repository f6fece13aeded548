"""What a trace tells of a request to Exchange: its operation, the server's names, the status.

The names are those of OpenTelemetry's conventions for HTTP. Nothing of the request's or the
answer's text is told, no header of ours, and of Exchange's only names of machines and the id by
which its logs have the request.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from keepstep.exchange.ews.answer import RawAnswer
from keepstep.spans import Span, Value

_OPERATION = re.compile(rb"Body>\s*<m:(\w{1,60})")
_FIRST_ERROR = 400
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HEADERS = {
    "x-feserver": "keepstep.exchange.front_end",
    "x-beserver": "keepstep.exchange.back_end",
    "request-id": "keepstep.exchange.request_id",
}
_TOLD_BY_A_STRANGER = re.compile(r"[\w.-]{1,64}")


def tell_asked(span: Span, url: str, body: bytes) -> None:
    """Tell the span which operation is asked of which server."""
    parts = urlsplit(url)
    found = _OPERATION.search(body)
    operation = found[1].decode() if found else "_OTHER"
    span.rename(f"POST {operation}")
    span.tell(
        {
            "http.request.method": "POST",
            "keepstep.exchange.operation": operation,
            "server.address": parts.hostname or "",
            "server.port": parts.port or _DEFAULT_PORTS.get(parts.scheme, 0),
            "url.scheme": parts.scheme,
            "url.path": parts.path,
        }
    )


def tell_answered(span: Span, answer: RawAnswer) -> None:
    """Tell the span how the server answered, and which machines of it did."""
    told: dict[str, Value] = {
        "http.response.status_code": answer.status,
        "http.response.body.size": len(answer.body),
    }
    for header, name in _HEADERS.items():
        value = answer.headers.get(header, "")
        if _TOLD_BY_A_STRANGER.fullmatch(value):
            told[name] = value
    span.tell(told)
    if answer.status >= _FIRST_ERROR:
        span.failed(str(answer.status))
