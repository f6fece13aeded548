"""Where requests may go, and what of an answer is put up with, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.web import GuardedResolver, Limits, Way, fetch
from tests.unit.ews.test_transport import OK, listening, says, with_body

QUICK = Way(Limits(connect_seconds=1, total_seconds=2, answer_bytes=1_000_000))


class Names(AbstractResolver):
    """A name service that says what a test wants."""

    def __init__(self, addresses: Mapping[str, list[str]]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self._addresses[host]
        ]

    async def close(self) -> None:
        """Nothing is held open."""


async def refused(host: str, addresses: list[str]) -> str:
    with pytest.raises(ExchangeError) as raised:
        await GuardedResolver(Names({host: addresses})).resolve(host, 443)
    return raised.value.code


async def test_a_name_that_leads_to_metadata_is_refused_once_resolved() -> None:
    assert await refused("mail.example.com", ["169.254.169.254"]) == "address-forbidden"
    assert await refused("mail.example.com", ["10.0.0.1", "fd00:ec2::254"]) == "address-forbidden"
    assert await refused("metadata.google.internal", ["10.0.0.1"]) == "address-forbidden"


async def test_a_name_that_leads_to_a_private_address_is_good() -> None:
    found = await GuardedResolver(Names({"ex01": ["10.0.0.1", "127.0.0.1"]})).resolve("ex01", 443)
    assert [each["host"] for each in found] == ["10.0.0.1", "127.0.0.1"]


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
