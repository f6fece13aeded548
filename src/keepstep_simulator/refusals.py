"""Faults that answer in place of the server: the work asked for is not done."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from keepstep_simulator.ews.envelope import (
    SOAP,
    Envelope,
    EwsError,
    M,
    failure,
    fault,
    text_for,
    wrap,
)
from keepstep_simulator.ews.versions import ServerVersion
from keepstep_simulator.face import Answer, Delivery, xml_answer

Params = Mapping[str, Any]
Refusal = Callable[[ServerVersion, Envelope, Params], Answer]

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_REST = {
    "GetItem": "<m:Items/>",
    "CreateItem": "<m:Items/>",
    "UpdateItem": "<m:Items/>",
    "GetFolder": "<m:Folders/>",
    "SyncFolderItems": "<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>",
}
_MEGABYTE = b"A" * 1_000_000


def _http(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """``status`` with optional ``retry_after`` (seconds or a date) and ``body``."""
    status = int(params.get("status", 500))
    headers: dict[str, str] = dict(_HTML)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="exchange.example.com"'
    if params.get("retry_after") is not None:
        headers["Retry-After"] = str(params["retry_after"])
    return Answer(status, headers, str(params.get("body", "")).encode())


def _busy_503(version: ServerVersion, envelope: Envelope, params: Params) -> Answer:
    """HTTP 503, with ``retry_after`` if given."""
    return _http(version, envelope, {**params, "status": 503})


def _busy_error(params: Params) -> EwsError:
    pause = int(params.get("back_off_ms", 5000))
    return EwsError("ErrorServerBusy", params.get("text"), BackOffMilliseconds=pause)


def _busy_fault(version: ServerVersion, _: Envelope, params: Params) -> Answer:
    """HTTP 500 with a SOAP fault whose detail has BackOffMilliseconds (``back_off_ms``)."""
    return xml_answer(500, fault(version, _busy_error(params)))


def _busy_inner(version: ServerVersion, envelope: Envelope, params: Params) -> Answer:
    """HTTP 200 with ErrorServerBusy inside; SyncState empty and "last" true, as real ones."""
    return _messages(version, envelope, _busy_error(params))


def _soap_fault(version: ServerVersion, _: Envelope, params: Params) -> Answer:
    """HTTP 500 (``status``) with a SOAP fault of any ``code``, with ``text`` if given."""
    code = str(params["code"])
    error = EwsError(code, params.get("text") or text_for(code))
    return xml_answer(int(params.get("status", 500)), fault(version, error))


def _error(version: ServerVersion, envelope: Envelope, params: Params) -> Answer:
    """HTTP 200 with an error ``code`` in every response message; ``bare``: nothing after it."""
    error = EwsError(str(params["code"]), params.get("text"))
    return _messages(version, envelope, error, bare=bool(params.get("bare", False)))


def _messages(
    version: ServerVersion, envelope: Envelope, error: EwsError, *, bare: bool = False
) -> Answer:
    operation = envelope.operation
    wanted = envelope.body.find(M + "ItemIds")
    count = 1 if wanted is None else len(wanted)
    rest = "" if bare else _REST.get(operation, "")
    return xml_answer(200, wrap(version, operation, failure(operation, error, rest) * count))


def _login_page(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """HTTP 200 with the page of a sign-in form."""
    page = (
        "<!DOCTYPE html><html><head><title>Outlook</title></head><body>"
        '<form action="/owa/auth.owa" method="POST"><input name="username">'
        '<input name="password" type="password"></form></body></html>'
    )
    return Answer(int(params.get("status", 200)), _HTML, page.encode())


def _not_xml(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """HTTP 200 that calls itself XML and is something else (``body``)."""
    return xml_answer(200, str(params.get("body", "It works!")).encode())


def _redirect(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """HTTP 302 (``status``) to ``location``."""
    return Answer(int(params.get("status", 302)), {"Location": str(params["location"])}, b"")


def _doctype(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """Give an answer with a DOCTYPE: ``bomb`` nests entities, ``system`` names an external one."""
    if params.get("bomb"):
        names = "abcdefghij"
        lines = [f'<!ENTITY a "{"ha" * 20}">']
        for before, name in pairwise(names):
            lines.append(f'<!ENTITY {name} "{f"&{before};" * 10}">')
        inner, use = "".join(lines), "&j;"
    elif "system" in params:
        inner, use = f'<!ENTITY x SYSTEM "{params["system"]}">', "&x;"
    else:
        inner, use = "", ""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><!DOCTYPE Envelope [{inner}]>'
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{use}</s:Body></s:Envelope>'
    )
    return xml_answer(200, body.encode())


def _deep(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """Give an answer nested ``depth`` elements deep."""
    depth = int(params.get("depth", 100_000))
    body = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{"<a>" * depth}{"</a>" * depth}'
    return xml_answer(200, f"{body}</s:Body></s:Envelope>".encode())


def _huge(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """Give a chunked answer of ``megabytes``, that never closes its first element."""
    head = f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode()
    size = int(params.get("megabytes", 10_000))
    delivery = Delivery(repeat=size, filler=_MEGABYTE)
    return Answer(200, {"Content-Type": "text/xml; charset=utf-8"}, head, delivery)


def _gzip_bomb(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """Give a compressed answer that unfolds to ``megabytes``; ``whole``: in one stream."""
    head = f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode()
    size = int(params.get("megabytes", 10_000))
    pack = _in_one_stream() if params.get("whole") else partial(gzip.compress, mtime=0)
    body, filler = pack(head), pack(_MEGABYTE)
    headers = {"Content-Type": "text/xml; charset=utf-8", "Content-Encoding": "gzip"}
    return Answer(200, headers, body, Delivery(repeat=size, filler=filler))


def _in_one_stream() -> Callable[[bytes], bytes]:
    """Give what packs parts of one stream, each of which stands for itself and may be repeated."""
    packing = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return lambda part: packing.compress(part) + packing.flush(zlib.Z_FULL_FLUSH)


def _endless_headers(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """Give headers, or with ``one`` a single one, of ``megabytes`` that never end."""
    filler = _MEGABYTE if params.get("one") else b"X-More: and more\r\n" * 50_000
    size = int(params.get("megabytes", 100))
    return Answer(200, {}, b"", Delivery(repeat=size, filler=filler, endless_head=True))


def _hang(_: ServerVersion, __: Envelope, params: Params) -> Answer:
    """Nothing for ``seconds``, then the connection is dropped."""
    return Answer(200, {}, b"", Delivery(wait=float(params.get("seconds", 3600)), drop=True))


def _lost_request(_: ServerVersion, __: Envelope, ___: Params) -> Answer:
    """Drop the connection before anything is done."""
    return Answer(200, {}, b"", Delivery(drop=True))


REFUSALS: Mapping[str, Refusal] = {
    "http": _http,
    "busy-503": _busy_503,
    "busy-fault": _busy_fault,
    "busy-inner": _busy_inner,
    "soap-fault": _soap_fault,
    "error": _error,
    "login-page": _login_page,
    "not-xml": _not_xml,
    "redirect": _redirect,
    "doctype": _doctype,
    "deep": _deep,
    "huge": _huge,
    "gzip-bomb": _gzip_bomb,
    "endless-headers": _endless_headers,
    "hang": _hang,
    "lost-request": _lost_request,
}
