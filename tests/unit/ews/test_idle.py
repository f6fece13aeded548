"""The idle answer known by its bytes: never otherwise than the whole reading of it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.envelope import read_answer
from keepstep.exchange.ews.idle import IdleAnswers
from keepstep.exchange.ews.sync_folder_items import listing_of
from tests.unit.ews.test_envelope import NOW

STATE = "H4sIAEtTUzGjrJpHcTpC6AAAAAA=="


def answer(state: str = STATE, *, last: str = "true", changes: str = "<m:Changes/>") -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        "<m:SyncFolderItemsResponse"
        ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
        ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">'
        '<m:ResponseMessages><m:SyncFolderItemsResponseMessage ResponseClass="Success">'
        f"<m:ResponseCode>NoError</m:ResponseCode><m:SyncState>{state}</m:SyncState>"
        f"<m:IncludesLastItemInRange>{last}</m:IncludesLastItemInRange>{changes}"
        "</m:SyncFolderItemsResponseMessage></m:ResponseMessages></m:SyncFolderItemsResponse>"
        "</s:Body></s:Envelope>"
    ).encode()


def taught() -> IdleAnswers:
    known = IdleAnswers()
    known.learn(answer(), STATE)
    return known


def read_whole(body: bytes) -> tuple[str, bool]:
    """Give the sync state that the whole reading finds, and whether the answer is idle."""
    listing = listing_of(read_answer(RawAnswer(200, body=body), NOW))
    return listing.sync_state, listing.last and not listing.changes


def test_nothing_is_known_before_an_answer_was_read_whole() -> None:
    assert IdleAnswers().state_in(answer()) is None


@pytest.mark.parametrize("state", ["A", "x" * 10_000, "H4s+/=.:-_0"])
def test_the_same_answer_with_another_state_is_known(state: str) -> None:
    assert taught().state_in(answer(state)) == state


@pytest.mark.parametrize(
    "body",
    [
        answer(last="false"),
        answer(changes="<m:Changes><t:Delete/></m:Changes>"),
        answer(""),
        answer("&amp;"),
        answer("A<!-- -->B"),
        answer("A</m:SyncState><m:SyncState>B"),
        answer(" A"),
        answer()[:-1],
        b"",
        b"<html/>",
    ],
)
def test_whatever_else_differs_is_read_whole(body: bytes) -> None:
    assert taught().state_in(body) is None


@given(st.integers(0, len(answer()) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_changed_answer_is_known_only_for_what_it_says(
    place: int, put: bytes, cut_out: int
) -> None:
    body = answer()[:place] + put + answer()[place + cut_out :]
    state = taught().state_in(body)
    if state is not None:
        assert read_whole(body) == (state, True)


@pytest.mark.parametrize("state", ["o", "NoError", "a state", "", "&amp;"])
def test_a_state_that_can_not_be_told_from_the_rest_teaches_nothing(state: str) -> None:
    known = IdleAnswers()
    known.learn(answer(state), state)
    assert known.state_in(answer(state)) is None


def test_servers_that_write_differently_are_known_side_by_side() -> None:
    known = taught()
    other = answer().replace(b'encoding="utf-8"', b'encoding="UTF-8"')
    assert known.state_in(other) is None
    known.learn(other, STATE)
    assert known.state_in(other) == known.state_in(answer()) == STATE


def test_of_many_ways_of_writing_the_latest_are_kept() -> None:
    known = IdleAnswers()
    ways = [answer() + b" " * number for number in range(20)]
    for each in ways:
        known.learn(each, STATE)
    assert known.state_in(ways[-1]) == STATE
    assert known.state_in(ways[0]) is None


def test_a_busy_servers_answer_is_never_taken_for_an_idle_one() -> None:
    busy = answer("").replace(b"Success", b"Error").replace(b"NoError", b"ErrorServerBusy")
    assert taught().state_in(busy) is None
    with pytest.raises(ExchangeError):
        read_whole(busy)
