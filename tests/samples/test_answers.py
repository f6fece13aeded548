"""Every sample is read to what its content says; a sample that no table has fails a test."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from keepstep.core.appointment import Sensitivity
from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Gone, ItemKind, NotAnAppointment, Unreadable
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.envelope import messages_of, read_answer
from keepstep.exchange.ews.get_folder import folder_of
from keepstep.exchange.ews.get_item import WireItem, items_of
from keepstep.exchange.ews.item import ItemOnWire
from keepstep.exchange.ews.sync_folder_items import listing_of
from tests.samples import files
from tests.samples.exchange_items import EXCHANGE
from tests.samples.fragments import FRAGMENTS
from tests.samples.gromox_series import SERIES
from tests.samples.gromox_texts import TEXTS
from tests.samples.gromox_times import TIMES
from tests.samples.messages import (
    FAULTS,
    FOLDERS,
    FOUND,
    LISTINGS,
    MESSAGES,
    NO_ANSWER,
    READ,
    Fault,
    Page,
)

REQUESTS = sorted(name for name in files.all_names() if re.search(r"/[a-z]+-request[-.]", name))
_CHANGE = re.compile(
    rb"<t:(Create|Update|Delete|ReadFlagChange)>\s*(?:<t:\w+>\s*)?"
    rb'<t:ItemId Id="([^"]*)"(?:\s+ChangeKey="([^"]*)")?'
)
_VERSION = re.compile(
    rb'MajorVersion="(\d+)"\s+MinorVersion="(\d+)"\s+MajorBuildNumber="(\d+)"\s+'
    rb'MinorBuildNumber="(\d+)"'
)


def test_every_sample_is_in_a_table_and_every_entry_is_a_sample() -> None:
    told = [
        *(EXCHANGE | SERIES | TEXTS | TIMES),
        *(READ | MESSAGES | FAULTS | NO_ANSWER | FOLDERS | LISTINGS | FOUND | FRAGMENTS),
        *REQUESTS,
    ]
    assert set(told) == files.all_names()


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_messages(name: str) -> None:
    answer = files.answer(name)
    assert tuple((one.response_class, one.code) for one in answer.messages) == MESSAGES[name]
    assert answer.operation.lower() == re.split(r"[-]", name.split("/")[1])[0]
    assert [one.failed for one in answer.messages] == [
        kind == "Error" for kind, _ in MESSAGES[name]
    ]


@pytest.mark.parametrize("name", sorted(FAULTS | NO_ANSWER))
def test_faults_and_no_answers(name: str) -> None:
    """What came instead of an answer has its code; its text, which may hold names, is not kept."""
    with pytest.raises(ExchangeError) as raised:
        read_answer(_raw(name), files.NOW)
    failure = raised.value
    pause = None if failure.pause is None else failure.pause.total_seconds()
    assert Fault(failure.code, failure.detail, pause) == (FAULTS | NO_ANSWER)[name]


def _raw(name: str) -> RawAnswer:
    """Give the HTTP answer: a .http file is one, all others are bodies."""
    body = files.content(name)
    if not name.endswith(".http"):
        return RawAnswer(500 if "http500" in name else 200, {}, body)
    head, _, body = body.replace(b"\r\n", b"\n").partition(b"\n\n")
    status, *lines = head.decode().split("\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return RawAnswer(int(status.split()[1]), {k.lower(): v for k, v in headers.items()}, body)


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_folders(name: str) -> None:
    expected = FOLDERS[name]
    if isinstance(expected, str):
        with pytest.raises(ExchangeError) as raised:
            folder_of(files.answer(name))
        assert raised.value.code == expected
    else:
        folder = folder_of(files.answer(name))
        assert (folder.id, folder.name) == expected


@pytest.mark.parametrize("name", sorted(LISTINGS))
def test_listings(name: str) -> None:
    expected = LISTINGS[name]
    answer = files.answer(name)
    if isinstance(expected, str):
        with pytest.raises(ExchangeError) as raised:
            listing_of(answer)
        assert raised.value.code == expected
        return
    listing = listing_of(answer)
    kinds = Counter(change.kind.value for change in listing.changes)
    series = sum(change.item_kind is ItemKind.SERIES for change in listing.changes)
    page = Page(listing.last, kinds["create"], kinds["update"], kinds["delete"], series)
    assert page == expected
    content = files.content(name)
    found = re.search(rb"<m:SyncState>([^<]+)<", content)
    assert found is not None
    assert listing.sync_state.encode() == found[1]
    told = [
        (kind.decode().lower(), item_id.decode(), key.decode())
        for kind, item_id, key in _CHANGE.findall(content)
        if kind != b"ReadFlagChange"
    ]
    read = [(change.kind.value, change.item_id, change.change_key) for change in listing.changes]
    # The documentation's deletes have change keys, which mean nothing there.
    deletes_bare = [(kind, one, "" if kind == "delete" else key) for kind, one, key in told]
    assert read == deletes_bare


def test_a_listing_tells_times_and_openness_where_the_server_gives_them() -> None:
    name = "gromox/syncfolderitems-response-initial-allproperties-page-03.xml"
    content = files.content(name).decode()
    listing = listing_of(files.answer(name))
    starts = re.findall(r"<t:Start>([^<]*)</t:Start>", content)
    assert [f"{one.start:%Y-%m-%dT%H:%M:%SZ}" for one in listing.changes] == starts
    assert [one.uid for one in listing.changes] == re.findall(r"<t:UID>([^<]*)<", content)
    told = re.findall(r"<t:Sensitivity>([^<]*)<", content)
    assert [one.sensitivity for one in listing.changes] == [Sensitivity(w.lower()) for w in told]
    assert all(one.last_modified and one.end for one in listing.changes)


@pytest.mark.parametrize("name", sorted(READ))
def test_a_bad_item_is_its_own_affair(name: str) -> None:
    ids = [f"asked-{number}" for number in range(len(READ[name]))]
    read = items_of(files.answer(name), ids)
    assert tuple(_word(read[one]) for one in ids) == READ[name]


def _word(read: WireItem) -> str:
    if isinstance(read, ItemOnWire):
        return "item"
    if isinstance(read, Gone):
        return "gone"
    if isinstance(read, NotAnAppointment):
        return "other"
    assert isinstance(read, Unreadable)
    assert read.code == "item-unreadable"
    return read.detail


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_no_answer(name: str) -> None:
    """What echoes our request back, whatever it is, is not taken for an answer."""
    answer = files.answer(name)
    assert answer.operation.lower() == name.split("/")[1].split("-")[0]
    with pytest.raises(ExchangeError) as raised:
        messages_of(answer, answer.operation)
    assert raised.value.code == "answer-unreadable"


@pytest.mark.parametrize(
    "name", sorted(set(MESSAGES) | set(LISTINGS) | set(FOLDERS) | set(FOUND) | set(READ))
)
def test_the_server_says_its_version(name: str) -> None:
    found = _VERSION.search(files.content(name))
    version = files.answer(name).version
    if found is None:
        assert version is None
    else:
        assert str(version).encode() == b".".join(found.groups())
