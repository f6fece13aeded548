"""What a connector that tells of changes promises, whatever the wire: run against each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import pytest
from aiohttp import web

from keepstep.core.errors import ExchangeError
from keepstep.exchange.connector import Target
from keepstep.exchange.ews.push import CONTENT_TYPE, answer, read_notification
from keepstep.exchange.notification import (
    Changed,
    Closed,
    Connected,
    Event,
    Failed,
    Heartbeat,
    Notification,
    NotifyingConnector,
    Subscribed,
)
from keepstep_simulator import Fault, Limits, MailboxModel, Pace, Simulator
from tests.contract.harness import HOUR, NINE, NOW, OPERATOR, TARGET

OTHER = Target("bruno@example.com", "Europe/Berlin")
SOON = 10.0
Kind = TypeVar("Kind", bound=Event)
QUICK = Pace(minute=0.4, heartbeat=0.05, patience=5, gather=0)


class Ear:
    """A listener for what is pushed: `heard` fills; `ok` is what it answers."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Notification] = asyncio.Queue()
        self.ok = True
        self.url = ""

    async def next(self) -> Notification:
        return await asyncio.wait_for(self.heard.get(), SOON)

    async def next_change(self) -> Notification:
        while (told := await self.next()).is_heartbeat:
            pass
        return told


@asynccontextmanager
async def ear() -> AsyncIterator[Ear]:
    heard = Ear()

    async def take(request: web.Request) -> web.Response:
        heard.heard.put_nowait(read_notification(await request.read()))
        return web.Response(body=answer(heard.ok), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_post("/listener", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    heard.url = f"http://{host}:{port}/listener"
    try:
        yield heard
    finally:
        await runner.cleanup()


async def code_of(call: Awaitable[object]) -> str:
    with pytest.raises(ExchangeError) as raised:
        await asyncio.wait_for(call, SOON)
    return raised.value.code


class NotifierContract:
    """A subclass gives the server and the connector under test."""

    has_streams = True

    def simulator(self) -> Simulator:
        """Give the server, which is not listened to yet."""
        return Simulator(clock=lambda: NOW, pace=QUICK)

    def connected(self, server: Simulator) -> AbstractConnected:
        """Give the connector under test, for the length of a test."""
        raise NotImplementedError

    @pytest.fixture
    def server(self) -> Simulator:
        server = self.simulator()
        if self.has_streams:
            server.limits = Limits(streams=server.limits.streams, streaming=True)
        return server

    @pytest.fixture
    def mailbox(self, server: Simulator) -> MailboxModel:
        server.add_mailbox(OTHER.address, "Bruno")
        return server.add_mailbox(OPERATOR, "Anna")

    @pytest.fixture
    async def notifier(
        self, server: Simulator, mailbox: MailboxModel
    ) -> AsyncIterator[NotifyingConnector]:
        async with self.connected(server) as connector:
            yield connector

    @staticmethod
    def change(mailbox: MailboxModel, subject: str = "new") -> str:
        return mailbox.create(subject=subject, start=NINE, end=NINE + HOUR)

    @staticmethod
    async def streamed(notifier: NotifyingConnector, target: Target = TARGET) -> Subscribed:
        folder = await notifier.folder(target)
        anchor = None if target == TARGET else TARGET
        return await notifier.subscribe_streaming(target, folder.id, anchor)

    @staticmethod
    async def pushed(
        notifier: NotifyingConnector, url: str, watermark: str | None = None
    ) -> Subscribed:
        folder = await notifier.folder(TARGET)
        return await notifier.subscribe_push(TARGET, folder.id, url, 1, watermark)


class AbstractConnected:
    """An asynchronous context that gives a connector."""

    async def __aenter__(self) -> NotifyingConnector:
        raise NotImplementedError

    async def __aexit__(self, *_: object) -> None:
        raise NotImplementedError


class StreamContract(NotifierContract):
    """Streams."""

    async def test_a_change_is_told_by_the_stream_of_its_subscription(
        self, notifier: NotifyingConnector, mailbox: MailboxModel, server: Simulator
    ) -> None:
        subscribed = await self.streamed(notifier)
        other = await self.streamed(notifier, OTHER)
        async with aclosing(notifier.stream(TARGET, [subscribed.id, other.id], 1)) as events:
            assert isinstance(await anext(events), Connected)
            self.change(mailbox)
            assert await _next(events, Changed) == Changed(subscribed.id)
            self.change(server.mailboxes[OTHER.address])
            assert await _next(events, Changed) == Changed(other.id)

    async def test_a_quiet_stream_shows_that_it_lives_and_ends_as_agreed(
        self, notifier: NotifyingConnector
    ) -> None:
        subscribed = await self.streamed(notifier)
        stream = notifier.stream(TARGET, [subscribed.id], 1)
        events = [event async for event in stream]
        assert isinstance(events[0], Connected)
        assert isinstance(events[-1], Closed)
        assert any(isinstance(event, Heartbeat) for event in events[1:-1])

    async def test_what_happens_between_two_streams_is_told_by_the_second(
        self, notifier: NotifyingConnector, mailbox: MailboxModel
    ) -> None:
        subscribed = await self.streamed(notifier)
        async for _ in notifier.stream(TARGET, [subscribed.id], 1):
            pass
        self.change(mailbox)
        async with aclosing(notifier.stream(TARGET, [subscribed.id], 1)) as events:
            assert await _next(events, Changed) == Changed(subscribed.id)

    async def test_a_stream_cut_within_an_envelope_is_dropped(
        self, notifier: NotifyingConnector, mailbox: MailboxModel, server: Simulator
    ) -> None:
        subscribed = await self.streamed(notifier)
        server.faults.add(Fault("stream-dropped", "GetStreamingEvents", what="change"))
        stream = notifier.stream(TARGET, [subscribed.id], 1)
        assert isinstance(await anext(stream), Connected)
        self.change(mailbox)
        assert await code_of(_drain(stream)) == "stream-dropped"

    async def test_a_subscription_that_the_server_forgot_is_named_and_the_others_go_on_without_it(
        self, notifier: NotifyingConnector, mailbox: MailboxModel, server: Simulator
    ) -> None:
        gone = await self.streamed(notifier)
        other = await self.streamed(notifier, OTHER)
        await notifier.unsubscribe(TARGET, gone.id)
        async with aclosing(notifier.stream(TARGET, [gone.id, other.id], 1)) as events:
            failed = await _next(events, Failed)
            assert failed == Failed((gone.id,), "subscription-gone")
        async with aclosing(notifier.stream(TARGET, [other.id], 1)) as events:
            self.change(server.mailboxes[OTHER.address])
            assert await _next(events, Changed) == Changed(other.id)

    async def test_more_streams_of_one_anchor_than_the_server_allows_are_refused(
        self, notifier: NotifyingConnector, server: Simulator
    ) -> None:
        server.limits = Limits(streams=1, streaming=True)
        subscribed, other = await self.streamed(notifier), await self.streamed(notifier, OTHER)
        async with aclosing(notifier.stream(TARGET, [subscribed.id], 1)) as events:
            assert isinstance(await anext(events), Connected)
            second = notifier.stream(TARGET, [other.id], 1)
            assert await code_of(_drain(second)) == "stream-limit"

    async def test_more_subscriptions_than_one_stream_may_have_are_not_even_asked_for(
        self, notifier: NotifyingConnector
    ) -> None:
        most = notifier.stream_limits.subscriptions
        before = notifier.requests
        stream = notifier.stream(TARGET, [str(each) for each in range(most + 1)], 1)
        assert await code_of(_drain(stream)) == "stream-limit"
        assert notifier.requests == before

    async def test_whoever_stops_listening_closes_the_connection(
        self, notifier: NotifyingConnector, server: Simulator
    ) -> None:
        subscribed = await self.streamed(notifier)
        async with aclosing(notifier.stream(TARGET, [subscribed.id], 1)) as events:
            await anext(events)
            assert len(server.notifier.streams) == 1
        await _until(lambda: not server.notifier.streams)

    async def test_a_subscription_beyond_the_limit_is_refused(
        self, notifier: NotifyingConnector, server: Simulator
    ) -> None:
        server.limits = Limits(subscriptions=0, streaming=True)
        assert await code_of(self.streamed(notifier)) == "subscription-limit"


class PushContract(NotifierContract):
    """Push."""

    async def test_a_new_listener_hears_a_sign_of_life_and_then_of_each_change(
        self, notifier: NotifyingConnector, mailbox: MailboxModel
    ) -> None:
        async with ear() as heard:
            subscribed = await self.pushed(notifier, heard.url)
            first = await heard.next()
            assert first.is_heartbeat
            assert first.subscription_id == subscribed.id
            self.change(mailbox)
            told = await heard.next_change()
            assert told.subscription_id == subscribed.id
            assert told.events
            assert told.watermark

    async def test_a_listener_that_says_unsubscribe_hears_no_more(
        self, notifier: NotifyingConnector, mailbox: MailboxModel, server: Simulator
    ) -> None:
        async with ear() as heard:
            await self.pushed(notifier, heard.url)
            await heard.next()
            heard.ok = False
            self.change(mailbox)
            await heard.next_change()
            await _until(lambda: not server.notifier.subscriptions)

    async def test_with_a_watermark_it_tells_of_what_happened_since(
        self, notifier: NotifyingConnector, mailbox: MailboxModel, server: Simulator
    ) -> None:
        async with ear() as heard:
            await self.pushed(notifier, heard.url)
            self.change(mailbox)
            watermark = (await heard.next_change()).watermark
            server.notifier.forget()
            self.change(mailbox)
            again = await self.pushed(notifier, heard.url, watermark)
            told = await heard.next_change()
            assert told.subscription_id == again.id

    async def test_a_watermark_that_the_server_forgot_is_refused(
        self, notifier: NotifyingConnector, mailbox: MailboxModel
    ) -> None:
        async with ear() as heard:
            subscribed = await self.pushed(notifier, heard.url)
            mailbox.news.forget_watermarks()
            refused = self.pushed(notifier, heard.url, subscribed.watermark)
            assert await code_of(refused) == "watermark-refused"

    async def test_an_address_that_the_server_does_not_take_is_told_from_other_refusals(
        self, notifier: NotifyingConnector
    ) -> None:
        refused = self.pushed(notifier, "ftp://not-for-this")
        assert await code_of(refused) == "notification-url-refused"

    async def test_unsubscribing_twice_is_no_error(self, notifier: NotifyingConnector) -> None:
        async with ear() as heard:
            subscribed = await self.pushed(notifier, heard.url)
            await notifier.unsubscribe(TARGET, subscribed.id)
            await notifier.unsubscribe(TARGET, subscribed.id)


class WithoutStreams(NotifierContract):
    """A server that knows of no streams."""

    has_streams = False

    async def test_a_server_without_streams_says_so(self, notifier: NotifyingConnector) -> None:
        assert await code_of(self.streamed(notifier)) == "notifications-refused"


async def _next(events: AsyncIterator[Event], kind: type[Kind]) -> Kind:
    async with asyncio.timeout(SOON):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the stream ended without {kind.__name__}")


async def _drain(events: AsyncIterator[Event]) -> None:
    async for _ in events:
        pass


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0.01)
