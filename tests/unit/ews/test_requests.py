"""Every request that the client can send is one that the schemas of its version take."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.ews import envelope, get_folder, get_item, sync_folder_items
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.get_item import BODY_ONLY, BodyForm
from keepstep.exchange.ews.versions import DIALECTS, ExchangeVersion
from tests.unit.ews.schemas import faults_of

ADDRESS = "o'brien+sales@example.com"
AWKWARD = "AAMk+/=\"<&>'é="

versions = pytest.mark.parametrize("version", list(ExchangeVersion))


class Recorder:
    """A transport that keeps what is sent and answers that the mailbox is busy."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        self.sent.append(body)
        self.headers.append(headers)
        return RawAnswer(503, {}, b"")

    async def close(self) -> None:
        pass


def enveloped(operation: bytes, version: ExchangeVersion) -> bytes:
    return envelope.request(operation, DIALECTS[version].request_version, ADDRESS)


@versions
def test_get_folder_is_valid(version: ExchangeVersion) -> None:
    assert faults_of(enveloped(get_folder.REQUEST, version), version) == []


@versions
@pytest.mark.parametrize("state", [None, "", AWKWARD])
@pytest.mark.parametrize("most", [1, 7, 512])
def test_sync_folder_items_is_valid(version: ExchangeVersion, state: str | None, most: int) -> None:
    operation = sync_folder_items.sync_request(DIALECTS[version], state, most)
    assert faults_of(enveloped(operation, version), version) == []


@versions
@pytest.mark.parametrize("most", [-1, 0, 513, 100_000])
def test_more_changes_than_the_schema_allows_are_never_asked_for(
    version: ExchangeVersion, most: int
) -> None:
    operation = sync_folder_items.sync_request(DIALECTS[version], None, most)
    assert faults_of(enveloped(operation, version), version) == []


@versions
@pytest.mark.parametrize("body", list(BodyForm))
@pytest.mark.parametrize("what", ["item", "occurrence", "body"])
def test_get_item_is_valid(version: ExchangeVersion, body: BodyForm, what: str) -> None:
    dialect = DIALECTS[version]
    properties = {"item": dialect.item, "occurrence": dialect.occurrence, "body": BODY_ONLY}[what]
    operation = get_item.items_request([AWKWARD, "AAMk="], properties, body)
    assert faults_of(enveloped(operation, version), version) == []


@given(text=st.text())
@settings(max_examples=200)
def test_whatever_an_id_a_state_or_an_address_holds_stays_where_it_belongs(text: str) -> None:
    """No text can break out of its element: the same elements stand in every request."""
    text = "".join(letter for letter in text if letter.isprintable())
    dialect = DIALECTS[ExchangeVersion.EXCHANGE_2013]
    for operation in (
        sync_folder_items.sync_request(dialect, text, 7),
        get_item.items_request([text], dialect.item, BodyForm.TEXT),
    ):
        root = etree.fromstring(envelope.request(operation, dialect.request_version, text))
        assert root[0][1][0][0].text == (text or None)
        held = [element.text or element.get("Id") for element in root[1].iter()]
        assert text in held or not text
        assert len(root[1]) == 1


async def test_each_request_impersonates_the_owner_and_names_the_mailbox_to_the_front_end() -> None:
    recorder = Recorder()
    connector = EwsConnector(recorder, "Exchange2010")
    target = Target(ADDRESS)
    for question in (
        connector.folder(target),
        connector.changes(target, "state", 7),
        connector.appointments(target, ["id"], 7),
    ):
        with pytest.raises(ExchangeError) as busy:
            await question
        assert busy.value.code == "server-busy"
    assert [headers["X-AnchorMailbox"] for headers in recorder.headers] == [ADDRESS] * 3
    for body in recorder.sent:
        assert b"<t:PrimarySmtpAddress>o'brien+sales@example.com</t:PrimarySmtpAddress>" in body
        assert b'<t:RequestServerVersion Version="Exchange2010_SP2"/>' in body


@pytest.mark.parametrize("address", ["", "   ", "a@b.example\r\nX-Evil: 1", "a b@example.com"])
async def test_a_request_without_a_usable_address_is_never_sent(address: str) -> None:
    recorder = Recorder()
    with pytest.raises(ExchangeError) as refused:
        await EwsConnector(recorder, "Exchange2013").folder(Target(address))
    assert refused.value.code == "no-email-address"
    assert recorder.sent == []


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="Exchange2007"):
        EwsConnector(Recorder(), "Exchange2007")
