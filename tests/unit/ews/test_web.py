"""Where requests may go, and what of an answer is put up with, over real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.web import Limits, Way, fetch
from tests.unit.ews.test_transport import OK, listening, says, with_body

QUICK = Way(Limits(connect_seconds=1, total_seconds=2, answer_bytes=1_000_000))


async def told(address: str, url: str) -> str:
    """Give the code of the failure where a name leads to this address."""
    way = replace(QUICK, known=(f"mail.example.com:{urlsplit(url).port}:{address}",))
    with pytest.raises(ExchangeError) as raised:
        await fetch(way, "POST", url, body=b"x")
    return raised.value.code


@pytest.mark.parametrize("address", ["169.254.169.254", "[fd00:ec2::254]"])
async def test_a_name_that_leads_to_metadata_is_refused_once_resolved(address: str) -> None:
    assert await told(address, "http://mail.example.com:80/") == "address-forbidden"


async def test_a_name_that_leads_to_metadata_as_well_is_connected_to_elsewhere() -> None:
    async with listening(says(with_body(b"<a/>"))) as server:
        port = urlsplit(server.url).port
        way = replace(QUICK, known=(f"ex01:{port}:169.254.169.254,127.0.0.1",))
        answer = await fetch(way, "POST", f"http://ex01:{port}/", body=b"x")
    assert answer.body == b"<a/>"


async def test_a_name_that_leads_to_a_private_address_is_good() -> None:
    async with listening(says(with_body(b"<a/>"))) as server:
        port = urlsplit(server.url).port
        way = replace(QUICK, known=(f"ex01:{port}:127.0.0.1",))
        answer = await fetch(way, "POST", f"http://ex01:{port}/EWS", body=b"x")
    assert answer.body == b"<a/>"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/latest/meta-data/",
        "http://0xa9fea9fe/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/",
    ],
)
async def test_an_address_of_metadata_is_refused_before_connecting(url: str) -> None:
    with pytest.raises(ExchangeError) as raised:
        await fetch(QUICK, "POST", url, body=b"x")
    assert raised.value.code == "address-forbidden"


async def test_several_headers_of_one_name_are_joined() -> None:
    answer = with_body(b"<a/>", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM")
    async with listening(says(answer)) as server:
        told = await fetch(QUICK, "POST", server.url, body=b"x")
    assert told.headers["www-authenticate"] == "Negotiate, NTLM"


async def test_headers_without_end_are_given_up() -> None:
    sent = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(OK)
        while True:
            writer.write(b"X-More: and more\r\n" * 1000)
            await writer.drain()
            sent += 18_000

    async with listening(talk) as server:
        with pytest.raises(ExchangeError) as raised:
            await fetch(QUICK, "POST", server.url, body=b"x")
    assert raised.value.code == "not-exchange"
    assert sent < 10_000_000


async def test_a_header_without_end_is_given_up() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"X-Long: ")
        while True:
            writer.write(b"a" * 65536)
            await writer.drain()

    async with listening(talk) as server:
        with pytest.raises(ExchangeError) as raised:
            await fetch(QUICK, "POST", server.url, body=b"x")
    assert raised.value.code == "not-exchange"
