"""Redirects over real sockets: followed within one server, and nothing is sent to another."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.redirects import MOST_REDIRECTS, next_address
from keepstep.exchange.ews.sign_in import BasicSignIn
from keepstep.exchange.ews.transport import HttpTransport, Limits
from tests.unit.ews.certificates import Authority
from tests.unit.ews.sockets import Talk, listening, says, with_body
from tests.unit.ews.test_transport import failure, post

URL = "https://mail.example.com/EWS/Exchange.asmx"


def moved(status: int, location: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Moved", f"Location: {location}", "Content-Length: 0"]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8")


def in_turn(*answers: bytes) -> Talk:
    """Give these answers, each on a connection of its own."""
    return in_turn_of(list(answers))


def in_turn_of(answers: list[bytes]) -> Talk:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))
        await writer.drain()

    return talk


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_within_the_server_the_request_goes_again_as_it_was(status: int) -> None:
    answers = in_turn(moved(status, "/ews/exchange.asmx?x=1#part"), with_body(b"<answer/>"))
    async with listening(answers) as server:
        answer = await post(server.url)
    assert (answer.status, answer.body) == (200, b"<answer/>")
    first, second = server.heard
    assert second.startswith(b"POST /ews/exchange.asmx?x=1 HTTP/1.1\r\n")
    assert first.partition(b"\r\n")[2] == second.partition(b"\r\n")[2]
    assert b"Authorization: Basic" in second
    assert second.endswith(b"<request/>")


async def test_a_whole_address_of_the_same_server_is_followed() -> None:
    answers = [b"", with_body(b"<answer/>")]
    async with listening(in_turn_of(answers)) as server:
        answers[0] = moved(302, server.url.replace("/EWS/", "/other/"))
        assert (await post(server.url)).body == b"<answer/>"
    assert server.heard[1].startswith(b"POST /other/Exchange.asmx ")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_to_another_port_nothing_is_sent(status: int) -> None:
    async with (
        listening(says(with_body(b"<trap/>"))) as trap,
        listening(says(moved(status, trap.url))) as server,
    ):
        told = await failure(server.url)
    assert told.code == "redirected"
    assert told.detail == f"HTTP {status}, to {trap.url.removesuffix('/EWS/Exchange.asmx')}"
    assert trap.heard == []


async def test_to_another_name_of_the_same_machine_nothing_is_sent() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        writer.write(moved(307, f"http://localhost:{port}/EWS/Exchange.asmx"))

    async with listening(talk) as server:
        told = await failure(server.url)
    assert told.code == "redirected"
    assert "to http://localhost:" in told.detail
    assert len(server.heard) == 1


async def test_from_tls_to_plain_http_nothing_is_sent(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        writer.write(moved(308, f"http://127.0.0.1:{port}/EWS/Exchange.asmx"))

    async with listening(talk, authority.server()) as server:
        told = await failure(server.url, ca_file=authority.file)
    assert told.code == "redirected"
    assert len(server.heard) == 1


async def test_a_circle_ends_after_three() -> None:
    async with listening(says(moved(302, "/EWS/Exchange.asmx"))) as server:
        told = await failure(server.url)
    assert told.code == "redirected"
    assert "more than 3 times" in told.detail
    assert len(server.heard) == 1 + MOST_REDIRECTS


async def test_a_redirect_within_that_leads_away_is_not_followed_further() -> None:
    async with listening(says(with_body(b"<trap/>"))) as trap:
        answers = in_turn(moved(302, "/inner"), moved(302, trap.url))
        async with listening(answers) as server:
            assert (await failure(server.url)).code == "redirected"
    assert len(server.heard) == 2
    assert trap.heard == []


async def test_slow_redirects_end_with_one_time_limit() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.8)
        writer.write(moved(302, "/EWS/Exchange.asmx"))

    began = time.monotonic()
    async with listening(talk) as server:
        told = await failure(server.url, Limits(total_seconds=1))
    assert told.code == "timed-out"
    assert time.monotonic() - began < 2.6
    assert len(server.heard) == 3


async def test_a_place_to_sign_in_at_is_no_place_for_the_request() -> None:
    async with listening(says(moved(302, "/owa/auth/logon.aspx?url=x"))) as server:
        assert (await failure(server.url)).code == "login-page"
    assert len(server.heard) == 1


async def test_a_refusal_after_a_redirect_is_one_of_the_sign_in() -> None:
    refusal = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
    async with listening(in_turn(moved(302, "/inner"), refusal)) as server:
        transport = HttpTransport(server.url, BasicSignIn("svc", "x"), limits=Limits())
        answer = await transport.post(b"<request/>", {})
        await transport.close()
    assert answer.status == 401


def test_the_servers_name_has_no_case_and_its_usual_port_may_be_named() -> None:
    for location in ("https://MAIL.example.com:443/inner", "//mail.example.com/inner", "/inner"):
        found = next_address(URL, RawAnswer(302, {"location": location}))
        assert found.lower().endswith("/inner")


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("", "to an address that can't be read"),
        ("https://[", "to an address that can't be read"),
        ("https://mail.example.com:99999/", "to an address that can't be read"),
        ("https://evil\u009b31m\u202e.example.com/", "to an address that can't be read"),
        ("file:///etc/passwd", "to an address that can't be read"),
        ("https://svc:secret@mail.example.com/", "to https://mail.example.com"),
        ("https://mail.example.com.evil.example/", "to https://mail.example.com.evil.example"),
        ("https://mail.example.com@evil.example/", "to https://evil.example"),
        ("http://mail.example.com/", "to http://mail.example.com"),
        ("https://[2001:db8::1]:8443/", "to https://[2001:db8::1]:8443"),
    ],
)
def test_where_it_leads_is_named_and_harmless(location: str, where: str) -> None:
    with pytest.raises(ExchangeError) as raised:
        next_address(URL, RawAnswer(302, {"location": location}))
    assert (raised.value.code, raised.value.detail) == ("redirected", f"HTTP 302, {where}")
