"""An answer that goes on: piece by piece, held back where nobody takes it, cut off, given up."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.held import Holder
from keepstep.exchange.ews.web import Limits, Session, Way
from tests.unit.ews.sockets import OK, listening, says, with_body

QUICK = Way(Limits(connect_seconds=1, total_seconds=2, answer_bytes=1_000_000))
CHUNK = 64 * 1024


def session() -> Session:
    return Session(QUICK, connections=1, is_timed=False)


async def begin(opened: Session, holder: Holder, url: str) -> int:
    return (await holder.ask(opened, "POST", url, headers={}, body=b"<r/>")).status


async def test_pieces_come_as_the_server_sends_them() -> None:
    said = says(OK + b"Content-Length: 6\r\n\r\n", b"one", b"two", pause=0.05)
    async with listening(said) as server, session() as opened:
        holder = Holder()
        assert await begin(opened, holder, server.url) == 200
        assert [piece async for piece in holder.pieces()] == [b"one", b"two"]


async def test_a_server_waits_for_who_is_slow_to_take_and_nothing_is_lost() -> None:
    sent = 0
    pieces = 400

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % (pieces * CHUNK))
        for number in range(pieces):
            writer.write(bytes([number % 256]) * CHUNK)
            await writer.drain()
            sent += 1

    async with listening(talk) as server, session() as opened:
        holder = Holder()
        await begin(opened, holder, server.url)
        await asyncio.sleep(0.3)
        waiting = sent
        whole = bytearray()
        async for piece in holder.pieces():
            whole += piece
    assert waiting < pieces / 2, "all of it came although nobody took it"
    assert bytes(whole[::CHUNK]) == bytes(number % 256 for number in range(pieces))
    assert len(whole) == pieces * CHUNK


async def test_a_stream_that_is_cut_off_is_told_after_what_came() -> None:
    said = says(OK + b"Content-Length: 100\r\n\r\n", b"one", pause=0.05)
    async with listening(said) as server, session() as opened:
        holder = Holder()
        await begin(opened, holder, server.url)
        came: list[bytes] = []
        with pytest.raises(ExchangeError) as raised:
            came += [piece async for piece in holder.pieces()]
    assert raised.value.code == "stream-dropped"


async def test_giving_up_a_stream_ends_it() -> None:
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await reader.read()
        ended.set()

    async with listening(talk) as server:
        async with session() as opened:
            holder = Holder()
            await begin(opened, holder, server.url)
            async with aclosing(holder.pieces()) as pieces:
                assert await anext(pieces) == b"one"
        await asyncio.wait_for(ended.wait(), 2)


async def test_what_is_no_success_comes_whole_and_within_its_limit() -> None:
    refused = with_body(b"<busy/>").replace(b"200 OK", b"503 Busy")
    async with listening(says(refused)) as server, session() as opened:
        answer = await Holder().ask(opened, "POST", server.url, headers={}, body=b"<r/>")
    assert (answer.status, answer.body) == (503, b"<busy/>")
    endless = with_body(b"a" * 2_000_000).replace(b"200 OK", b"500 No")
    async with listening(says(endless)) as server, session() as opened:
        with pytest.raises(ExchangeError) as raised:
            await begin(opened, Holder(), server.url)
    assert raised.value.code == "answer-too-large"


async def test_an_answer_that_does_not_begin_in_time_is_given_up() -> None:
    async with listening(says(b"", pause=10)) as server, session() as opened:
        with pytest.raises(ExchangeError) as raised:
            await begin(opened, Holder(), server.url)
    assert raised.value.code == "timed-out"


async def test_an_announcement_is_not_taken_for_the_answer() -> None:
    said = says(b"HTTP/1.1 100 Continue\r\n\r\n", with_body(b"<a/>"), pause=0.05)
    async with listening(said) as server, session() as opened:
        holder = Holder()
        assert await begin(opened, holder, server.url) == 200
        assert b"".join([piece async for piece in holder.pieces()]) == b"<a/>"
