"""The simulator on a socket: what arrives, how connections end, and the control face."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from keepstep_simulator import Answer, Fault, MailboxModel, Request, Simulator, serving
from keepstep_simulator.control import Control
from keepstep_simulator.running import serve
from tests.simulator.soap import DAY_TEXT, basic, envelope, sync

HEADERS = {"Authorization": basic(), "Content-Type": "text/xml; charset=utf-8"}
SHORT = aiohttp.ClientTimeout(total=0.3)
BODY = envelope(sync(), mailbox="anna@example.com", version="Exchange2013")


async def test_it_answers_on_a_real_socket(simulator: Simulator, mailbox: MailboxModel) -> None:
    async with serving(simulator) as url, aiohttp.ClientSession() as client:
        async with client.post(url, data=BODY, headers=HEADERS) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/xml"
            assert b"NoError" in await answer.read()
        async with client.post(url, data=BODY) as answer:
            assert answer.status == 401
        async with client.get(url.replace("EWS", "owa"), headers=HEADERS) as answer:
            assert answer.status == 404
        async with client.get(url, headers=HEADERS) as answer:
            assert answer.status == 405


@pytest.mark.parametrize("kind", ["lost-answer", "lost-request", "cut", "hang"])
async def test_connections_end_early(
    simulator: Simulator, mailbox: MailboxModel, kind: str
) -> None:
    simulator.faults.add(Fault(kind, seconds=0.01))
    async with serving(simulator) as url, aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientError):
            async with client.post(url, data=BODY, headers=HEADERS) as answer:
                await answer.read()
        async with client.post(url, data=BODY, headers=HEADERS) as answer:
            assert answer.status == 200


async def test_more_requests_at_once_than_are_allowed_are_refused(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.concurrency = 2
    simulator.faults.add(Fault("slow", times=2, seconds=0.3))

    async def ask(client: aiohttp.ClientSession, url: str) -> tuple[int, bool]:
        async with client.post(url, data=BODY, headers=HEADERS) as answer:
            return answer.status, b"ErrorExceededConnectionCount" in await answer.read()

    async with serving(simulator) as url, aiohttp.ClientSession() as client:
        answers = await asyncio.gather(*(ask(client, url) for _ in range(3)))
        assert sorted(answers) == [(200, False), (200, False), (500, True)]
        assert await ask(client, url) == (200, False)
    codes = [each.code for each in simulator.log]
    assert codes.count("ErrorExceededConnectionCount") == 1


async def test_a_dripping_answer_takes_its_time(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.faults.add(Fault("drip", seconds=0.2))
    async with (
        serving(simulator) as url,
        aiohttp.ClientSession() as client,
        client.post(url, data=BODY, headers=HEADERS) as answer,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.read(), 0.5)


@pytest.mark.parametrize("one", [False, True])
async def test_headers_go_on_and_on(simulator: Simulator, mailbox: MailboxModel, one: bool) -> None:
    simulator.faults.add(Fault("endless-headers", megabytes=10_000, one=one))
    async with serving(simulator) as url, aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientResponseError, match="400"):
            await client.post(url, data=BODY, headers=HEADERS)


@pytest.mark.parametrize(
    ("kind", "whole"), [("huge", False), ("gzip-bomb", False), ("gzip-bomb", True)]
)
async def test_a_huge_answer_goes_on_and_on(
    simulator: Simulator, mailbox: MailboxModel, kind: str, whole: bool
) -> None:
    simulator.faults.add(Fault(kind, megabytes=10_000, whole=whole))
    async with (
        serving(simulator) as url,
        aiohttp.ClientSession() as client,
        client.post(url, data=BODY, headers=HEADERS) as answer,
    ):
        read = 0
        async for part in answer.content.iter_chunked(1 << 16):
            read += len(part)
            if read > 5_000_000:
                break
        assert read > 5_000_000


async def test_a_gzip_bomb_of_moderate_size_unfolds_whole(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.faults.add(Fault("gzip-bomb", megabytes=3))
    async with (
        serving(simulator) as url,
        aiohttp.ClientSession() as client,
        client.post(url, data=BODY, headers=HEADERS) as answer,
    ):
        assert len(await answer.read()) > 3_000_000


async def test_a_hanging_answer_does_not_keep_the_server_from_stopping(
    simulator: Simulator, mailbox: MailboxModel
) -> None:
    simulator.faults.add(Fault("hang", seconds=3600))
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as client:
        async with serving(simulator) as url:
            with pytest.raises(TimeoutError):
                await client.post(url, data=BODY, headers=HEADERS, timeout=SHORT)
            async with client.post(url, data=BODY, headers=HEADERS) as answer:
                assert answer.status == 200
            stopped = loop.time()
        assert loop.time() - stopped < 3


def told(answer: Answer) -> Any:
    return json.loads(answer.body)


def order(control: Control, method: str, what: str, given: Any = None) -> Answer:
    body = b"" if given is None else json.dumps(given).encode()
    return control.answer(Request(method, f"/control/{what}", {}, body))


def test_the_control_face_fills_and_steers(simulator: Simulator) -> None:
    control = Control(simulator)
    order(control, "POST", "mailboxes", {"email": "cleo@example.com", "name": "Cleo"})
    given = {"mailbox": "cleo@example.com", "subject": "Hi", "start": DAY_TEXT, "end": DAY_TEXT}
    made = told(order(control, "POST", "create", given))
    assert told(order(control, "GET", "mailboxes")) == [
        {"email": "cleo@example.com", "name": "Cleo", "items": 1}
    ]
    (item,) = told(order(control, "POST", "items", {"mailbox": "cleo@example.com"}))
    assert (item["id"], item["subject"]) == (made["id"], "Hi")
    recurrence = {"kind": "weekly", "start": DAY_TEXT[:10], "days": ["Tuesday"], "count": 3}
    changed = {"mailbox": "cleo@example.com", "id": made["id"], "recurrence": recurrence}
    assert order(control, "POST", "update", changed).status == 200
    assert simulator.mailboxes["cleo@example.com"].get(made["id"]).is_series
    order(control, "POST", "faults", [{"kind": "http", "status": 503, "times": 2}])
    assert len(simulator.faults) == 1
    order(control, "POST", "faults/clear")
    assert len(simulator.faults) == 0
    assert len(told(order(control, "POST", "live", {"steps": 3}))) == 3
    order(control, "POST", "delete", {"mailbox": "cleo@example.com", "id": made["id"]})
    assert made["id"] not in simulator.mailboxes["cleo@example.com"]
    assert told(order(control, "GET", "log")) == []


def test_the_control_face_refuses_nonsense_and_strangers(simulator: Simulator) -> None:
    control = Control(simulator)
    assert order(control, "POST", "delete", {"mailbox": "x", "id": "y"}).status == 400
    assert order(control, "POST", "faults", [{"kind": "x"}]).status == 400
    assert order(control, "GET", "nothing").status == 404
    stranger = Request("GET", "/control/mailboxes", {}, b"", "192.0.2.7")
    assert control.answer(stranger).status == 403


async def test_the_control_face_is_closed_unless_opened(simulator: Simulator) -> None:
    for open_, status in ((False, 404), (True, 200)):
        async with serving(simulator, control=open_) as url, aiohttp.ClientSession() as client:
            where = url.replace("/EWS/Exchange.asmx", "/control/mailboxes")
            async with client.get(where) as answer:
                assert answer.status == status


async def test_the_command_tells_what_is_there_and_what_happens(simulator: Simulator) -> None:
    simulator.seed_calendars(2, items_each=5)
    lines: list[str] = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(
            serve(simulator, ("127.0.0.1", 0), live_every=0.02, say=lines.append), 0.5
        )
    assert lines[0].startswith("Exchange stand-in (Exchange2016) at http://127.0.0.1:")
    assert "anna.1@example.com" in lines[1]
    assert len(lines) > 5
