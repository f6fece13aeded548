"""What the EWS connector does beyond the contract of all connectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keepstep.core.appointment import Appointment
from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target, Unreadable
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.get_item import BodyForm
from keepstep.exchange.ews.poison import TRIES_ALONE
from keepstep_simulator import Fault, MailboxModel, Recurrence, Simulator
from tests.simulated import SimulatedTransport

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NINE = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TARGET = Target("anna@example.com")
HTML = "<html><body><p>Hello</p></body></html>"

Change = Callable[[bytes, RawAnswer], RawAnswer]


class Changed(SimulatedTransport):
    """A way to the simulator on which something changes the answers."""

    def __init__(self, simulator: Simulator, change: Change) -> None:
        super().__init__(simulator)
        self._change = change
        self.requests: list[bytes] = []

    async def post(self, body: bytes, headers: Mapping[str, str]) -> RawAnswer:
        self.requests.append(body)
        return self._change(body, await super().post(body, headers))


@pytest.fixture
def server() -> Simulator:
    return Simulator(clock=lambda: NOW, version="Exchange2016")


@pytest.fixture
def mailbox(server: Simulator) -> MailboxModel:
    return server.add_mailbox(TARGET.address)


def make(mailbox: MailboxModel, count: int = 1, **fields: Any) -> list[str]:
    return [
        mailbox.create(**{"start": NINE, "end": NINE + HOUR, "subject": f"number {n}", **fields})
        for n in range(count)
    ]


def reader(transport: SimulatedTransport, version: str = "Exchange2016") -> EwsConnector:
    return EwsConnector(transport, version, now=lambda: NOW)


def through(server: Simulator, change: Change) -> tuple[Changed, EwsConnector]:
    transport = Changed(server, change)
    return transport, reader(transport)


def unchanged(_: bytes, answer: RawAnswer) -> RawAnswer:
    return answer


@pytest.mark.parametrize("server_version", ["Exchange2010", "Exchange2013", "Exchange2019"])
async def test_the_properties_of_2010_and_later_give_the_same_appointments(
    server_version: str,
) -> None:
    server = Simulator(clock=lambda: NOW, version=server_version, seed=7)
    [mailbox] = server.seed_calendars(1, 60)
    for item in mailbox.items():
        if item.join_url:
            mailbox.update(item.id, join_url=None)
    target = Target(mailbox.email)
    ids = [item.id for item in mailbox.items()]
    known = ["Exchange2010", "Exchange2013", "Exchange2016"][: 1 + ids_of_rank(server_version)]
    read = [
        await reader(SimulatedTransport(server), version).appointments(target, ids, 100)
        for version in known
    ]
    assert all(isinstance(one, Appointment) for one in read[0].values())
    assert all(one == read[0] for one in read)


def ids_of_rank(server_version: str) -> int:
    return {"Exchange2010": 0, "Exchange2013": 1, "Exchange2019": 2}[server_version]


async def test_a_version_newer_than_the_server_is_told(mailbox: MailboxModel) -> None:
    old = Simulator(clock=lambda: NOW, version="Exchange2010")
    old.add_mailbox(TARGET.address)
    with pytest.raises(ExchangeError) as raised:
        await reader(SimulatedTransport(old), "Exchange2013").folder(TARGET)
    assert raised.value.code == "wrong-exchange-version"


async def test_the_servers_version_is_kept(server: Simulator, mailbox: MailboxModel) -> None:
    connector = reader(SimulatedTransport(server))
    assert connector.server_version is None
    await connector.folder(TARGET)
    told, true = connector.server_version, server.version
    assert told is not None
    assert str(told) == f"{true.major}.{true.minor}.{true.build}.{true.revision}"


async def test_one_request_asks_for_no_more_items_than_both_bounds_allow(
    server: Simulator, mailbox: MailboxModel
) -> None:
    ids = make(mailbox, 20, body="text", body_type="Text")
    for read_batch, batch_size, requests in ((10, 100, 2), (10, 7, 3), (100, 100, 1), (1, 1, 20)):
        transport = Changed(server, unchanged)
        connector = EwsConnector(transport, "Exchange2016", read_batch=read_batch)
        assert len(await connector.appointments(TARGET, ids, batch_size)) == 20
        assert len(transport.requests) == requests


# Bodies


def forms(requests: list[bytes]) -> list[str]:
    return [
        form.value for body in requests for form in BodyForm if f">{form.value}<".encode() in body
    ]


def without_text(_: bytes, answer: RawAnswer) -> RawAnswer:
    head, *bodies = answer.body.split(b'<t:Body BodyType="Text">')
    emptied = [body[body.index(b"</t:Body>") :] for body in bodies]
    return RawAnswer(
        answer.status, answer.headers, b'<t:Body BodyType="Text">'.join([head, *emptied])
    )


async def test_bodies_are_asked_for_as_text_and_those_that_came_empty_once_more_as_html(
    server: Simulator, mailbox: MailboxModel
) -> None:
    full = make(mailbox, 2, body=HTML, body_type="HTML")
    empty = make(mailbox, 3)
    transport, connector = through(server, unchanged)
    read = await connector.appointments(TARGET, [*full, *empty], 100)
    assert forms(transport.requests) == ["Text", "HTML"]
    assert transport.requests[1].count(b"<t:ItemId") == 3
    assert [body_of(read[one]) for one in (*full, *empty)] == ["Hello"] * 2 + [""] * 3


async def test_a_server_that_makes_no_text_is_asked_for_html(
    server: Simulator, mailbox: MailboxModel
) -> None:
    ids = make(mailbox, 3, body=HTML, body_type="HTML")
    _, connector = through(server, without_text)
    read = await connector.appointments(TARGET, ids, 100)
    assert [body_of(read[one]) for one in ids] == ["Hello"] * 3


async def test_an_exception_whose_body_has_no_text_is_read_in_the_same_number_of_requests(
    server: Simulator, mailbox: MailboxModel
) -> None:
    [series] = make(
        mailbox, body=HTML, body_type="HTML", recurrence=Recurrence("daily", NINE.date())
    )
    for day in range(20):
        mailbox.change_occurrence(series, NINE + timedelta(days=day), subject=f"day {day}")
    transport, connector = through(server, without_text)
    read = (await connector.appointments(TARGET, [series], 10))[series]
    assert isinstance(read, Appointment)
    assert [one.details.body for one in read.changed if one.details] == ["Hello"] * 20
    assert forms(transport.requests) == ["Text", "HTML", "Best", "Best"]


async def test_an_exception_that_lost_its_text_where_its_series_has_one_is_asked_for_again(
    server: Simulator, mailbox: MailboxModel
) -> None:
    daily = Recurrence("daily", NINE.date())
    [series] = make(mailbox, body="all", body_type="Text", recurrence=daily)
    mailbox.change_occurrence(series, NINE, body=HTML, body_type="HTML")

    def spoil(request: bytes, answer: RawAnswer) -> RawAnswer:
        is_master = b"calendar:Recurrence" in request
        return answer if is_master else without_text(request, answer)

    transport, connector = through(server, spoil)
    read = (await connector.appointments(TARGET, [series], 10))[series]
    assert isinstance(read, Appointment)
    assert [one.details.body for one in read.changed if one.details] == ["Hello"]
    assert forms(transport.requests) == ["Text", "Text", "HTML"]


@pytest.mark.parametrize("mark", ["x-feserver", "x-beserver", "x-diaginfo"])
async def test_exchange_itself_is_believed_that_an_empty_body_is_empty(
    server: Simulator, mailbox: MailboxModel, mark: str
) -> None:
    def marked(_: bytes, answer: RawAnswer) -> RawAnswer:
        return RawAnswer(answer.status, {**answer.headers, mark: "EX01"}, answer.body)

    transport, connector = through(server, marked)
    await connector.appointments(TARGET, make(mailbox, 3), 100)
    assert forms(transport.requests) == ["Text"]


def body_of(read: object) -> str:
    assert isinstance(read, Appointment)
    return read.details.body


# An item that spoils the whole answer


def spoiled(bad: set[str], answer_in_place: RawAnswer) -> Change:
    def change(request: bytes, answer: RawAnswer) -> RawAnswer:
        return answer_in_place if any(one.encode() in request for one in bad) else answer

    return change


SPOILT = [
    RawAnswer(200, {}, b"<a><b></a>"),
    RawAnswer(500, {}, b""),
]


@pytest.mark.parametrize("in_place", SPOILT, ids=["unreadable", "failed"])
@pytest.mark.parametrize("count", [1, 2, 10])
async def test_an_item_that_spoils_every_answer_it_is_in_is_set_aside_alone(
    server: Simulator, mailbox: MailboxModel, in_place: RawAnswer, count: int
) -> None:
    ids = make(mailbox, count, body="text", body_type="Text")
    bad = ids[count // 2]
    transport, connector = through(server, spoiled({bad}, in_place))
    read = await connector.appointments(TARGET, ids, 100)
    assert isinstance(read[bad], Unreadable)
    assert all(isinstance(read[one], Appointment) for one in ids if one != bad)
    assert len(transport.requests) <= 2 * count.bit_length() + TRIES_ALONE + 2


@pytest.mark.parametrize("in_place", SPOILT, ids=["unreadable", "failed"])
async def test_where_the_mailbox_answers_nothing_no_item_is_blamed(
    server: Simulator, mailbox: MailboxModel, in_place: RawAnswer
) -> None:
    ids = make(mailbox, 50)
    transport, connector = through(server, lambda _, __: in_place)
    with pytest.raises(ExchangeError):
        await connector.appointments(TARGET, ids, 100)
    assert len(transport.requests) == 2


async def test_what_fails_once_and_passes_sets_no_item_aside(
    server: Simulator, mailbox: MailboxModel
) -> None:
    ids = make(mailbox, 5, body="text", body_type="Text")
    server.faults.add(Fault("truncated", "GetItem", times=3))
    read = await reader(SimulatedTransport(server)).appointments(TARGET, ids, 100)
    assert all(isinstance(one, Appointment) for one in read.values())


@pytest.mark.parametrize("how", ["doctype", "busy-503"])
async def test_what_is_no_items_fault_is_raised_at_once(
    server: Simulator, mailbox: MailboxModel, how: str
) -> None:
    ids = make(mailbox, 5)
    server.faults.add(Fault(how, "GetItem", times=None))
    transport, connector = through(server, unchanged)
    with pytest.raises(ExchangeError):
        await connector.appointments(TARGET, ids, 100)
    assert len(transport.requests) == 1


async def test_a_large_answer_is_read_off_the_loop_to_the_same_values(
    server: Simulator, mailbox: MailboxModel
) -> None:
    ids = make(mailbox, 40, body="word " * 200, body_type="Text")
    inline = EwsConnector(SimulatedTransport(server), "Exchange2016", offload_above=None)
    offloading = EwsConnector(SimulatedTransport(server), "Exchange2016", offload_above=1000)
    read = await inline.appointments(TARGET, ids, 100)
    assert await offloading.appointments(TARGET, ids, 100) == read


async def test_an_answer_in_another_order_is_told_apart_by_the_ids_in_it(
    server: Simulator, mailbox: MailboxModel
) -> None:
    ids = make(mailbox, 3, body="text", body_type="Text")

    def reversed_(_: bytes, answer: RawAnswer) -> RawAnswer:
        first, *rest = answer.body.split(b"<m:GetItemResponseMessage ")
        last, _, tail = rest[-1].partition(b"</m:ResponseMessages>")
        messages = [*rest[:-1], last][::-1]
        body = b"<m:GetItemResponseMessage ".join([first, *messages])
        return RawAnswer(answer.status, answer.headers, body + b"</m:ResponseMessages>" + tail)

    _, connector = through(server, reversed_)
    read = await connector.appointments(TARGET, ids, 100)
    subjects = [one.details.subject for one in read.values() if isinstance(one, Appointment)]
    assert sorted(subjects) == ["number 0", "number 1", "number 2"]
    for number, item_id in enumerate(ids):
        one = read[item_id]
        assert isinstance(one, Appointment)
        assert one.details.subject == f"number {number}"


@pytest.mark.parametrize("missing", [0, 1])
async def test_an_answer_with_too_few_messages_is_none(
    server: Simulator, mailbox: MailboxModel, missing: int
) -> None:
    ids = make(mailbox, 3)

    def shortened(_: bytes, answer: RawAnswer) -> RawAnswer:
        parts = answer.body.split(b"<m:GetItemResponseMessage ")
        if len(parts) > 2:
            del parts[1 + missing]
        return RawAnswer(answer.status, answer.headers, b"<m:GetItemResponseMessage ".join(parts))

    _, connector = through(server, shortened)
    read = await connector.appointments(TARGET, ids, 100)
    # Asked for by halves, down to one id, each has its own answer.
    assert all(isinstance(one, Appointment) for one in read.values())
