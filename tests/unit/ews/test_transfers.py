"""Transfers by libcurl on a loop: however sockets are watched, begun, broken off or closed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pycurl
import pytest

from keepstep.exchange.ews import transfers
from keepstep.exchange.ews.transfers import Broken, Handle, Transfers
from tests.unit.ews.sockets import OK, listening, says, with_body

WATCHES = [transfers._ByLoop] + ([transfers._ByEpoll] if sys.platform == "linux" else [])
Watch = Callable[..., transfers._Watch]


def plain(curl: pycurl.Curl) -> None:
    curl.setopt(pycurl.PROXY, "")


@asynccontextmanager
async def carrying(watch: Watch) -> AsyncIterator[Transfers]:
    opened = Transfers(plain, 4, watch)
    try:
        yield opened
    finally:
        opened.close()


def asked(carried: Transfers, url: str) -> Handle:
    handle = carried.taken()
    handle.curl.setopt(pycurl.URL, url)
    return handle


@pytest.mark.parametrize("watch", WATCHES)
async def test_many_transfers_at_once_and_one_after_the_other(watch: Watch) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(with_body(b"<a/>"))
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")

    async with listening(talk) as server, carrying(watch) as carried:
        for _ in range(3):
            handles = [asked(carried, server.url) for _ in range(8)]
            await asyncio.gather(*(carried.begin(each) for each in handles))
            assert [b"".join(each.taken) for each in handles] == [b"<a/>"] * 8
            for each in handles:
                carried.release(each)


@pytest.mark.parametrize("watch", WATCHES)
async def test_a_transfer_broken_off_leaves_the_others_alone(watch: Watch) -> None:
    async with listening(says(OK, pause=30)) as slow, carrying(watch) as carried:
        stuck = asked(carried, slow.url)
        waiting = carried.begin(stuck)
        await asyncio.sleep(0.05)
        carried.release(stuck)
        assert not waiting.done()
        async with listening(says(with_body(b"<b/>"))) as quick:
            handle = asked(carried, quick.url)
            await carried.begin(handle)
            assert b"".join(handle.taken) == b"<b/>"


@pytest.mark.parametrize("watch", WATCHES)
async def test_closing_breaks_off_what_goes_on_and_lets_nothing_begin(watch: Watch) -> None:
    async with listening(says(OK, pause=30)) as slow, carrying(watch) as carried:
        waiting = carried.begin(asked(carried, slow.url))
        await asyncio.sleep(0.05)
        carried.close()
        with pytest.raises(Broken):
            await waiting
        with pytest.raises(Broken):
            carried.begin(carried.taken())


@pytest.mark.parametrize("watch", WATCHES)
async def test_a_kept_connection_that_the_server_closes_costs_nothing_more(watch: Watch) -> None:
    async with listening(says(with_body(b"<a/>"))) as server, carrying(watch) as carried:
        for _ in range(5):
            handle = asked(carried, server.url)
            await carried.begin(handle)
            assert b"".join(handle.taken) == b"<a/>"
            carried.release(handle)
            await asyncio.sleep(0.02)
    assert len(server.heard) == 5
