"""The envelopes of a stream as they arrive, and when a stream is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.envelope import read_envelope
from keepstep.exchange.ews.splitter import EnvelopeSplitter

# Of an answer that is none, so much is kept to say what it is.
_START = 4096
_NO_EXCHANGE = frozenset({"login-page", "not-exchange"})


async def envelopes(
    pieces: AsyncGenerator[bytes, None], silent_seconds: float, most_seconds: float
) -> AsyncGenerator[bytes, None]:
    """Give the envelopes in `pieces` until `most_seconds` are over.

    Raises `ExchangeError` stream-dropped where the pieces end before, or for so many seconds no
    envelope is whole; whatever the splitter raises; login-page or not-exchange for a web page.
    """
    splitter = EnvelopeSplitter()
    start = b""
    end = asyncio.get_running_loop().time() + most_seconds
    while True:
        limit = min(end, asyncio.get_running_loop().time() + silent_seconds)
        whole: list[bytes] = []
        try:
            async with asyncio.timeout_at(limit):
                while not whole:
                    piece = await anext(pieces, None)
                    if piece is None:
                        raise _misread(start, ExchangeError("stream-dropped", "cut"))
                    start = (start + piece)[:_START] if len(start) < _START else start
                    whole = splitter.feed(piece)
        except TimeoutError:
            if limit == end:
                return
            raise ExchangeError("stream-dropped", f"silent for {silent_seconds:g} s") from None
        except ExchangeError as failure:
            raise _misread(start, failure) from failure
        for envelope in whole:
            yield envelope


def _misread(start: bytes, failure: ExchangeError) -> ExchangeError:
    """Give what is wrong with an answer by how it begins: a web page is no stream at all."""
    try:
        read_envelope(start)
    except ExchangeError as misread:
        if misread.code in _NO_EXCHANGE:
            return misread
    return failure
