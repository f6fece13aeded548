"""The transport against real sockets: what goes wrong on the way, and what must never leave."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import ssl
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pycurl
import pytest

from keepstep.core.errors import ExchangeError
from keepstep.core.failures import FAILURES
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.network_errors import (
    FOREIGN_ERRORS,
    failure_of,
    failure_of_transfer,
)
from keepstep.exchange.ews.sign_in import BasicSignIn, Send
from keepstep.exchange.ews.transfers import Broken
from keepstep.exchange.ews.transport import HttpTransport, Limits
from tests.unit.ews.certificates import Authority
from tests.unit.ews.sockets import OK, listening, says, with_body

SECRET = BasicSignIn("corp\\svc", "pässwörd:1")
QUICK = Limits(connect_seconds=1, total_seconds=1, answer_bytes=1_000_000)


async def post(url: str, limits: Limits = QUICK, **given: object) -> RawAnswer:
    transport = HttpTransport(url, SECRET, limits=limits, **given)  # type: ignore[arg-type]
    try:
        return await transport.post(b"<request/>", {"X-AnchorMailbox": "a@example.com"})
    finally:
        await transport.close()


async def failure(url: str, limits: Limits = QUICK, **given: object) -> ExchangeError:
    with pytest.raises(ExchangeError) as raised:
        await post(url, limits, **given)
    assert raised.value.code in FAILURES
    assert "pässwörd" not in repr(raised.value)
    return raised.value


async def test_an_answer_comes_whole_with_its_headers_in_lower_case() -> None:
    async with listening(says(with_body(b"<answer/>", "X-FEServer: EX01"))) as server:
        answer = await post(server.url)
    assert (answer.status, answer.body) == (200, b"<answer/>")
    assert answer.headers["x-feserver"] == "EX01"
    [request] = server.heard
    assert request.startswith(b"POST /EWS/Exchange.asmx HTTP/1.1\r\n")
    assert request.endswith(b"<request/>")
    told = base64.b64encode("corp\\svc:pässwörd:1".encode())
    assert b"Authorization: Basic " + told in request
    assert b"X-AnchorMailbox: a@example.com" in request


@pytest.mark.parametrize("name", ["gzip", "deflate", "x-gzip", "identity", ""])
async def test_a_packed_answer_is_unpacked(name: str) -> None:
    body = b"<answer>" + b"word " * 100_000 + b"</answer>"
    packed = {"deflate": zlib.compress(body), "identity": body, "": body}.get(name)
    packed = packed or gzip.compress(body)
    headers = [f"Content-Encoding: {name}"] if name else []
    async with listening(says(with_body(packed, *headers))) as server:
        assert (await post(server.url)).body == body


async def test_connections_are_kept_and_cookies_are_not() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(with_body(b"<a/>", "Set-Cookie: X-BackEndCookie=b; path=/EWS"))
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(with_body(b"<b/>"))

    async with listening(talk) as server:
        transport = HttpTransport(server.url, SECRET, limits=QUICK)
        bodies = [(await transport.post(b"<r/>", {})).body for _ in range(2)]
        await transport.close()
    assert bodies == [b"<a/>", b"<b/>"]
    assert b"cookie" not in heard[0].lower()


# What goes wrong on the way


async def test_nothing_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/EWS/Exchange.asmx"
        assert (await failure(url)).code == "connection-refused"


async def test_a_name_that_is_not_there() -> None:
    told = await failure("http://no-such-host.invalid/EWS/Exchange.asmx")
    assert told.code == "name-not-found"


async def test_a_connection_cut_before_the_answer() -> None:
    async with listening(says()) as server:
        assert (await failure(server.url)).code == "connection-refused"


async def test_a_connection_cut_within_the_answer() -> None:
    cut = OK + b"Content-Length: 1000\r\n\r\n<answ"
    async with listening(says(cut)) as server:
        assert (await failure(server.url)).code == "answer-unreadable"


async def test_what_speaks_no_http() -> None:
    async with listening(says(b"220 mail.example.com ESMTP\r\n")) as server:
        assert (await failure(server.url)).code == "not-exchange"


async def test_a_server_that_never_answers() -> None:
    began = time.monotonic()
    async with listening(says(b"", pause=30)) as server:
        assert (await failure(server.url)).code == "timed-out"
    assert time.monotonic() - began < 5


async def test_a_slow_drip_ends_with_the_time_limit() -> None:
    began = time.monotonic()
    drip = says(OK + b"Content-Length: 1000\r\n\r\n", *([b"<"] * 1000), pause=0.05)
    async with listening(drip) as server:
        assert (await failure(server.url)).code == "timed-out"
    assert time.monotonic() - began < 5


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"A" * 65536 + b"\r\n"
    for _number in range(10_000_000_000 // 65536):
        writer.write(chunk)
        await writer.drain()


async def test_ten_gigabytes_are_given_up_at_the_limit() -> None:
    generous = Limits(total_seconds=30, answer_bytes=1_000_000)
    tracemalloc.start()
    async with listening(endless) as server:
        told = await failure(server.url, generous)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told.code == "answer-too-large"
    assert peak < 20_000_000


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_packed_bomb_is_given_up_before_it_unfolds(pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(b"A" * 200_000_000)
    name = "gzip" if pack is gzip.compress else "deflate"
    tracemalloc.start()
    async with listening(says(with_body(bomb, f"Content-Encoding: {name}"))) as server:
        told = await failure(server.url, Limits(total_seconds=30, answer_bytes=1_000_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told.code == "answer-too-large"
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", b"\x0b\x02\x80"), ("gzip", b"no gzip"), ("gzip, br", b"x")]
)
async def test_packing_that_can_not_be_undone(encoding: str, body: bytes) -> None:
    async with listening(says(with_body(body, f"Content-Encoding: {encoding}"))) as server:
        assert (await failure(server.url)).code == "answer-unreadable"


# TLS


async def tls_failure(server_side: ssl.SSLContext, ca_file: Path | None = None) -> str:
    async with listening(says(with_body(b"<a/>")), server_side) as server:
        return (await failure(server.url, ca_file=ca_file)).code


async def test_a_private_authority_is_trusted_by_its_file_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert await tls_failure(authority.server()) == "certificate-not-trusted"
    async with listening(says(with_body(b"<a/>")), authority.server()) as server:
        assert (await post(server.url, ca_file=authority.file)).body == b"<a/>"


async def test_an_expired_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    expired = authority.server(lasts=timedelta(days=-1))
    assert await tls_failure(expired, ca_file=authority.file) == "certificate-expired"


@pytest.mark.parametrize("host", ["mail.example.com", "127.0.0.2"])
async def test_a_certificate_for_another_name(tmp_path: Path, host: str) -> None:
    authority = Authority(tmp_path)
    assert await tls_failure(authority.server(host), ca_file=authority.file) == (
        "certificate-wrong-name"
    )


async def test_plain_http_where_tls_was_expected() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    sockets = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = sockets.sockets[0].getsockname()[1]
    told = await failure(f"https://127.0.0.1:{port}/EWS/Exchange.asmx")
    sockets.close()
    assert told.code == "tls-failed"


async def test_a_ca_file_that_can_not_be_read(tmp_path: Path) -> None:
    missing = await failure("https://127.0.0.1:1/", ca_file=tmp_path / "missing.pem")
    assert missing.code == "certificate-not-trusted"


# A proxy


async def test_a_proxy_carries_the_request() -> None:
    async with listening(says(with_body(b"<a/>"))) as proxy:
        where = proxy.url.removesuffix("/EWS/Exchange.asmx")
        answer = await post("http://exchange.invalid/EWS/Exchange.asmx", proxy=where)
    assert answer.body == b"<a/>"
    assert proxy.heard[0].startswith(b"POST http://exchange.invalid/EWS/Exchange.asmx")


async def test_a_proxy_that_refuses_or_is_not_there() -> None:
    refused = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    async with listening(says(refused)) as proxy:
        where = proxy.url.removesuffix("/EWS/Exchange.asmx")
        told = await failure("https://exchange.invalid/EWS/Exchange.asmx", proxy=where)
        assert told.code == "proxy-in-the-way"
    gone = await failure("http://exchange.invalid/", proxy="http://127.0.0.1:1")
    assert gone.code == "proxy-in-the-way"


# Turns


async def test_no_more_connections_at_once_than_the_limit_and_waiting_is_no_time_out() -> None:
    now = most = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.2)
        now -= 1
        writer.write(with_body(b"<a/>", "Connection: close"))
        await writer.drain()

    limits = Limits(connections=2, total_seconds=0.8)
    async with listening(talk) as server:
        transport = HttpTransport(server.url, SECRET, limits=limits)
        answers = await asyncio.gather(*(transport.post(b"<r/>", {}) for _ in range(12)))
        await transport.close()
    assert [answer.body for answer in answers] == [b"<a/>"] * 12
    assert most == 2


async def test_a_sign_in_may_send_as_often_as_it_needs() -> None:
    class InTwoLegs:
        async def send(self, send: Send) -> RawAnswer:
            first = await send({"Authorization": "NTLM first"})
            return await send({"Authorization": f"NTLM {first.headers['www-authenticate']}"})

    challenge = b"HTTP/1.1 401 No\r\nWWW-Authenticate: second\r\nContent-Length: 0\r\n\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(challenge)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(with_body(b"<a/>" if b"NTLM second" in head else b"<no/>"))

    async with listening(talk) as server:
        transport = HttpTransport(server.url, InTwoLegs(), limits=QUICK)
        assert (await transport.post(b"<r/>", {})).body == b"<a/>"
        await transport.close()


def test_a_password_is_not_shown() -> None:
    assert "pässwörd" not in repr(SECRET)


def everything_foreign() -> list[int]:
    return sorted({each for name, each in vars(pycurl).items() if name.startswith("E_") and each})


@pytest.mark.parametrize("number", everything_foreign())
def test_every_error_of_the_library_has_a_code(number: int) -> None:
    for heard in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"):
        for by_proxy in (False, True):
            told = failure_of_transfer(Broken(number), heard, by_proxy=by_proxy)
            assert told.code in FAILURES


@pytest.mark.parametrize("kind", FOREIGN_ERRORS)
def test_every_other_error_on_the_way_has_a_code(kind: type[BaseException]) -> None:
    error = kind(1) if kind is Broken else kind()
    assert failure_of(error).code in FAILURES
