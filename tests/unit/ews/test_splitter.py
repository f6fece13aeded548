"""A stream is split into its envelopes whatever its pieces, and holds no more than one of them."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.parse import parse
from keepstep.exchange.ews.splitter import EnvelopeSplitter
from tests.samples import files

ALL_FRAMES = "gromox/getstreamingevents-response-all-frames.txt"
FIELD = [
    "field/getstreamingevents-created-freebusychanged-two-notifications.xml",
    "field/getstreamingevents-modified-item-and-folder.xml",
    "field/getstreamingevents-moved-to-deleted-items.xml",
    "field/getstreamingevents-connection-closed.xml",
]


def split(pieces: Iterable[bytes], **limits: int) -> list[bytes]:
    splitter = EnvelopeSplitter(**limits)
    found = [envelope for piece in pieces for envelope in splitter.feed(piece)]
    assert not splitter.is_within
    return found


def cut(stream: bytes, places: Iterable[int]) -> Iterator[bytes]:
    """Give the stream in pieces that end at these places."""
    start = 0
    for place in sorted({min(place, len(stream)) for place in places} | {len(stream)}):
        yield stream[start:place]
        start = place


def failure(pieces: Iterable[bytes], **limits: int) -> str:
    splitter = EnvelopeSplitter(**limits)

    def feed_all() -> None:
        for piece in pieces:
            splitter.feed(piece)

    with pytest.raises(ExchangeError) as raised:
        feed_all()
    return raised.value.code


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000, 65536])
def test_the_frames_of_a_real_stream_are_five_whatever_the_pieces(size: int) -> None:
    stream = files.content(ALL_FRAMES)
    found = split(stream[at : at + size] for at in range(0, len(stream), size))
    assert b"".join(found) == stream
    alone = [f"gromox/getstreamingevents-response-frame-0{number}.xml" for number in range(1, 6)]
    assert [canonical(each) for each in found] == [canonical(files.content(name)) for name in alone]


def canonical(envelope: bytes) -> bytes:
    return etree.tostring(parse(envelope), method="c14n")


def test_the_envelopes_of_exchange_itself_follow_one_another_declarations_and_all() -> None:
    envelopes = [files.content(name).strip() for name in FIELD]
    assert split([b"\r\n".join(envelopes)]) == envelopes


# What a random envelope is made of: all that could be taken for its end, or hide it.
texts = st.sampled_from(
    [b"", b"text", b"a &lt; b", b"]]", b"'", b'"', b"/", b"?", b"-->", b" \r\n", "é🚀".encode()]
)
asides = st.sampled_from(
    [
        b"<!-- a > b </s:Envelope> - -->",
        b"<![CDATA[</s:Envelope> ]] <a>]]>",
        b"<?pi </s:Envelope> ??>",
        b"<!---->",
        b"<![CDATA[]]>",
    ]
)
attributes = st.sampled_from(
    [b"", b' Id="a>b"', b" Id='/>'", b""" Id="it's" Key='"'""", b' Id="</s:Envelope>"', b" Id='<'"]
)
leaves = st.one_of(texts, asides, st.builds(lambda told: b"<t:E" + told + b"/>", attributes))
contents = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda told, parts: b"<t:E" + told + b" >" + b"".join(parts) + b"</t:E >",
        attributes,
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)
declarations = st.sampled_from(
    [b"", b"<?xml version='1.0'?>", b'<?xml version="1.0" encoding="utf-8"?>\r\n']
)
envelopes = st.one_of(
    st.builds(
        lambda declaration, inner: declaration + b"<s:Envelope>" + inner + b"</s:Envelope>",
        declarations,
        contents,
    ),
    st.builds(lambda declaration: declaration + b"<s:Envelope/>", declarations),
)
between = st.sampled_from([b"", b"\r\n", b" \t\n", b"\xef\xbb\xbf"])


@given(
    parts=st.lists(st.tuples(envelopes, between), max_size=5),
    places=st.lists(st.integers(0, 800), max_size=40),
)
@settings(max_examples=400, deadline=None)
def test_whatever_the_envelopes_hold_and_wherever_they_are_cut(
    parts: list[tuple[bytes, bytes]], places: list[int]
) -> None:
    stream = b"".join(envelope + space for envelope, space in parts)
    wanted = [envelope for envelope, _ in parts]
    assert split(cut(stream, places)) == wanted
    assert split(bytes([each]) for each in stream) == wanted


@given(envelope=envelopes, places=st.lists(st.integers(0, 200), max_size=5))
def test_an_envelope_is_given_out_with_its_last_byte(envelope: bytes, places: list[int]) -> None:
    splitter = EnvelopeSplitter()
    for piece in cut(envelope[:-1], places):
        assert splitter.feed(piece) == []
    assert splitter.is_within
    assert splitter.feed(envelope[-1:]) == [envelope]
    assert not splitter.is_within


@given(pieces=st.lists(st.binary(max_size=40), max_size=20))
@settings(max_examples=500, deadline=None)
def test_any_bytes_at_all_are_split_or_refused(pieces: list[bytes]) -> None:
    splitter = EnvelopeSplitter(most_bytes=200)
    found: list[bytes] = []
    code = "answer-unreadable"
    try:
        for piece in pieces:
            found += splitter.feed(piece)
    except ExchangeError as refused:
        code = refused.code
    assert code in ("answer-unreadable", "answer-too-large")
    assert all(each.startswith(b"<") and each.endswith(b">") for each in found)


def test_a_comment_before_a_declaration_does_not_spoil_the_envelope() -> None:
    [first] = split([b"<!-- hello -->", b'<?xml version="1.0"?><a>', b"</a>"])
    assert first == b'<?xml version="1.0"?><a></a>'


# Hostile streams


@pytest.mark.parametrize("pieces", [[b"<!DOCTYPE a>"], [b"<", b"!", b"D"], [b"<a><!ENTITY x>"]])
def test_a_doctype_is_refused_as_soon_as_it_shows(pieces: list[bytes]) -> None:
    assert failure(pieces) == "answer-unreadable"


@pytest.mark.parametrize("stream", [b"no xml", b"<a/>garbage<a/>", b"</a>", b"<a></a></b>"])
def test_what_is_no_row_of_envelopes_is_refused(stream: bytes) -> None:
    assert failure([stream]) == "answer-unreadable"


def test_too_many_levels_are_refused_at_the_first_too_many() -> None:
    assert split([b"<a>" * 5 + b"</a>" * 5], most_levels=5)
    assert failure([b"<a>" * 6], most_levels=5) == "answer-unreadable"


@pytest.mark.parametrize(
    "endless",
    [b"<a>text", b"x", b"<!--", b"<?pi ", b"<a b='", b"<a ", b"<a/>", b" <?xml?>"],
)
@pytest.mark.parametrize("begin", [b"<s:Envelope>", b"<s:Envelope><!-- ", b"<s:Envelope a='"])
def test_an_envelope_without_end_is_given_up_at_the_limit(begin: bytes, endless: bytes) -> None:
    piece = endless * (10_000 // len(endless))

    def stream() -> Iterator[bytes]:
        yield begin
        for _ in range(1000):
            yield piece

    tracemalloc.start()
    code = failure(stream(), most_bytes=1_000_000, most_levels=10**9)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code == "answer-too-large"
    assert peak < 8_000_000


def test_many_envelopes_and_the_space_between_them_are_never_held() -> None:
    splitter = EnvelopeSplitter(most_bytes=1000)
    tracemalloc.start()
    count = sum(
        len(splitter.feed(b"<a>" + b"text" * 100 + b"</a>" + b" " * 10_000)) for _ in range(3000)
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 3000
    assert peak < 1_000_000


def test_a_piece_of_nothing_but_small_envelopes_costs_no_more_than_its_length() -> None:
    began = time.process_time()
    assert len(EnvelopeSplitter().feed(b"<a/>" * 100_000)) == 100_000
    few = time.process_time() - began
    began = time.process_time()
    assert len(EnvelopeSplitter().feed(b"<a/>" * 400_000)) == 400_000
    assert time.process_time() - began < 12 * few + 1
