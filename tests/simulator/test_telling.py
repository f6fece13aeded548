"""Notifications on sockets: posted to a listener, streamed to clients, and steered from outside."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from keepstep_simulator import (
    Fault,
    Limits,
    MailboxModel,
    Pace,
    Request,
    Simulator,
    SimulatorThread,
    serving,
)
from keepstep_simulator.control import Control
from tests.simulator.notices import (
    Told,
    listen,
    read_envelopes,
    read_post,
    result,
    subscribed,
    to_push,
)
from tests.simulator.soap import Clock, basic, envelope
from tests.simulator.test_faults import made

HEADERS = {"Authorization": basic(), "Content-Type": "text/xml; charset=utf-8"}
QUICK = Pace(minute=0.4, heartbeat=0.1, patience=5)


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(clock=clock, seed=1, pace=QUICK)


class Listener:
    """What was posted, and what is answered: a status and a body each, the last one for ever."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Told] = asyncio.Queue()
        self.headers: list[Any] = []
        self.answers: list[tuple[int, bytes]] = [(200, result("OK"))]
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers)
        self.told.put_nowait(read_post(await request.read()))
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, body=body, content_type="text/xml")

    async def next(self) -> Told:
        return await asyncio.wait_for(self.told.get(), 5)


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_post("/push/{token}", listener.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/push/1"
    try:
        yield listener
    finally:
        await runner.cleanup()


async def test_a_listener_is_posted_to(simulator: Simulator, mailbox: MailboxModel) -> None:
    async with listening() as listener, serving(simulator):
        wanted = subscribed(simulator, mailbox, to_push(listener.url, frequency=1))
        assert (await listener.next()).events == ["StatusEvent"]
        item_id = made(mailbox)
        made(mailbox)
        told = await listener.next()
        assert (told.subscription, len(told.items), told.items[0]) == (wanted.id, 2, item_id)
        assert (await listener.next()).events == ["StatusEvent"]
        assert simulator.counts()["SendNotification"] == 3
    assert listener.headers[0]["Content-Type"] == "text/xml; charset=utf-8"
    assert listener.headers[0]["SOAPAction"].strip('"').endswith("/messages/SendNotification")


async def test_a_listener_is_tried_again_and_can_end_its_subscription(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    async with listening() as listener, serving(simulator):
        listener.answers = [(200, result("OK")), (503, b""), (200, result("Unsubscribe"))]
        subscribed(simulator, mailbox, to_push(listener.url))
        await listener.next()
        item_id = made(mailbox)
        assert (await listener.next()).items == [item_id]
        assert (await listener.next()).items == [item_id]
        while len(simulator.notifier.subscriptions):
            await asyncio.sleep(0.01)


async def test_a_listener_that_is_not_there_is_given_up(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    async with serving(simulator):
        subscribed(simulator, mailbox, to_push("http://127.0.0.1:9/push/1", frequency=1))
        async with asyncio.timeout(5):
            while len(simulator.notifier.subscriptions):
                await asyncio.sleep(0.02)
    assert simulator.counts()["SendNotification"] == 3


async def test_events_are_gathered_if_the_server_takes_its_time(clock: Clock) -> None:
    simulator = Simulator(clock=clock, pace=Pace(gather=0.1))
    mailbox = simulator.add_mailbox("anna@example.com")
    async with listening() as listener, serving(simulator):
        subscribed(simulator, mailbox, to_push(listener.url))
        await listener.next()
        ids = []
        for _ in range(5):
            ids.append(made(mailbox))
            await asyncio.sleep(0.005)
        assert (await listener.next()).items == ids


def posted(client: aiohttp.ClientSession, url: str, operation: str, mailbox: str) -> Any:
    body = envelope(operation, mailbox=mailbox, version="Exchange2013")
    return client.post(url, data=body, headers=HEADERS)


async def test_a_stream_goes_on_until_its_minutes_are_over(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    wanted = subscribed(simulator, mailbox).id
    async with serving(simulator) as url, aiohttp.ClientSession() as client:
        async with posted(client, url, listen(wanted, minutes=2), mailbox.email) as answer:
            assert answer.headers["Transfer-Encoding"] == "chunked"
            first, _ = await answer.content.readchunk()
            made(mailbox)
            rest = await asyncio.wait_for(answer.content.read(), 5)
        async with posted(client, url, listen(wanted, minutes=2), mailbox.email) as answer:
            assert answer.status == 200
            assert len(simulator.notifier.streams) == 1
    greeting, heard, *alive, closed = read_envelopes(first + rest)
    assert (greeting.status, closed.status) == ("OK", "Closed")
    assert heard.told[0].events == ["CreatedEvent", "ModifiedEvent"]
    assert {each.told[0].events[0] for each in alive} == {"StatusEvent"}
    assert simulator.notifier.streams == set()


async def test_changes_made_in_another_thread_are_told_at_once(clock: Clock) -> None:
    simulator = Simulator(clock=clock, pace=Pace(heartbeat=600))
    mailbox = simulator.add_mailbox("anna@example.com")
    wanted = subscribed(simulator, mailbox).id
    async with (
        serving(simulator) as url,
        aiohttp.ClientSession() as client,
        posted(client, url, listen(wanted), mailbox.email) as answer,
    ):
        await answer.content.readchunk()
        item_id = await asyncio.to_thread(made, mailbox)
        (heard,) = read_envelopes((await asyncio.wait_for(answer.content.readchunk(), 5))[0])
        assert heard.told[0].items == [item_id]


async def test_a_client_that_goes_away_gives_its_place_free(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.limits = Limits(streams=1)
    one, other = subscribed(simulator, mailbox).id, subscribed(simulator, mailbox).id
    async with serving(simulator) as url, aiohttp.ClientSession() as client:
        async with posted(client, url, listen(one), mailbox.email) as answer:
            await answer.content.readchunk()
            async with posted(client, url, listen(other), mailbox.email) as second:
                assert second.status == 500
            answer.close()
        async with asyncio.timeout(5):
            while simulator.notifier.streams:
                await asyncio.sleep(0.01)
        async with posted(client, url, listen(other), mailbox.email) as second:
            assert second.status == 200


async def test_a_stream_breaks_off_within_an_event(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.faults.add(Fault("stream-dropped", what="change"))
    wanted = subscribed(simulator, mailbox).id
    async with serving(simulator) as url, aiohttp.ClientSession() as client:
        answer = await posted(client, url, listen(wanted), mailbox.email)
        heard = [(await answer.content.readchunk())[0]]
        made(mailbox)
        assert not await asyncio.wait_for(all_of(answer, heard), 5), "it ended well"
    found = b"".join(heard)
    assert len(read_envelopes(found)) == 1
    assert found.count(b"<?xml") == 2


async def all_of(answer: aiohttp.ClientResponse, heard: list[bytes]) -> bool:
    """Hear an answer to its end; gives whether that was a good one."""
    try:
        while part := await answer.content.readany():
            heard.append(part)
    except aiohttp.ClientError:
        return False
    return True


async def test_open_streams_end_with_the_server(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    wanted = subscribed(simulator, mailbox).id
    async with aiohttp.ClientSession() as client:
        async with serving(simulator) as url:
            answer = await posted(client, url, listen(wanted), mailbox.email)
            await answer.content.readchunk()
        assert simulator.notifier.streams == set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
        async with serving(simulator) as url:
            again = await posted(client, url, listen(wanted), mailbox.email)
            (greeting,) = read_envelopes((await again.content.readchunk())[0])
            assert greeting.status == "OK"


def test_a_thread_does_what_it_is_told_and_says_what_came_of_it(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    with SimulatorThread(simulator) as server:
        server.call(lambda: subscribed(simulator, mailbox))
        assert server.call(simulator.notifier.forget) == 1
        with pytest.raises(ZeroDivisionError):
            server.call(lambda: 1 // 0)


def order(control: Control, method: str, what: str, given: Any = None) -> Any:
    body = b"" if given is None else json.dumps(given).encode()
    answer = control.answer(Request(method, f"/control/{what}", {}, body))
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_the_control_face_steers_notifications(simulator: Simulator, mailbox: MailboxModel) -> None:
    control = Control(simulator)
    pushed = subscribed(simulator, mailbox, to_push())
    streamed = subscribed(simulator, mailbox)
    found = order(control, "GET", "subscriptions")
    assert [(each["id"], each["way"]) for each in found] == [
        (pushed.id, "push"),
        (streamed.id, "streaming"),
    ]
    assert order(control, "GET", "counts") == {"Subscribe": 2}
    order(control, "POST", "faults", [{"kind": "stream-dropped", "probability": 0.1}])
    assert order(control, "POST", "limits", {"streams": 3})["streams"] == 3
    assert simulator.limits.streams == 3
    assert order(control, "POST", "streams/drop") == 0
    assert order(control, "GET", "told") == []
    order(control, "POST", "watermarks/forget", {"mailbox": "Anna@example.com"})
    assert mailbox.news.generation == 1
    assert order(control, "POST", "forget", {"mailbox": "Anna@example.com"}) == {"forgotten": 2}
    order(control, "POST", "log/clear")
    assert order(control, "GET", "counts") == {}


async def test_a_thousand_mailboxes_cost_next_to_nothing(clock: Clock) -> None:
    simulator = Simulator(clock=clock)
    boxes = [simulator.add_mailbox(f"box{number}@example.com") for number in range(1000)]
    ids = [subscribed(simulator, each).id for each in boxes]
    groups = [ids[start : start + 200] for start in range(0, 1000, 200)]
    heard: list[bytes] = []
    async with aiohttp.ClientSession() as client:
        async with serving(simulator) as url:
            answers = [
                await posted(client, url, listen(*group), boxes[place].email)
                for place, group in enumerate(groups)
            ]
            hearing = [asyncio.create_task(all_of(each, heard)) for each in answers]
            await asyncio.sleep(0.05)
            began = time.process_time()
            for number in range(100):
                made(boxes[number * 10])
                await asyncio.sleep(0.005)
            spent = time.process_time() - began
            async with asyncio.timeout(5):
                while len(simulator.notifier.told) < 100:
                    await asyncio.sleep(0.01)
        await asyncio.wait_for(asyncio.gather(*hearing), 5)
    told = [told for each in read_envelopes(b"".join(heard)) for told in each.told]
    assert {each.subscription for each in told} == set(ids[::10])
    assert spent / 100 < 0.01, "seconds of CPU for a change, its client included"
