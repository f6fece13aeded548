"""What the server tells unasked, on the network: posts to listeners, and answers that go on.

Everything waits for something to happen or for a moment to come; nothing looks again and again.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from math import inf

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    StreamReader,
    TCPConnector,
    web,
)

from keepstep_simulator.ews.notification_xml import SOAP_ACTION
from keepstep_simulator.face import XML, Flow
from keepstep_simulator.pushes import FAILED, LARGEST_WORD, Post, outcome_of
from keepstep_simulator.simulator import Simulator

_AT_ONCE = 100
_HEADERS = {"Content-Type": XML, "SOAPAction": f'"{SOAP_ACTION}"'}


class Alarm:
    """Wakes one task of an event loop, from any thread."""

    def __init__(self) -> None:
        """Belong to the running loop."""
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def ring(self) -> None:
        """Wake who waits, or who will."""
        if threading.get_ident() == self._thread:
            self._event.set()
        else:
            _in_loop(self._loop, self._event.set)

    def off(self) -> None:
        """Forget what rang so far."""
        self._event.clear()

    async def wait(self, seconds: float) -> None:
        """Wait until it rings, for so many seconds (infinity: for ever) at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == inf else max(0.0, seconds)):
                await self._event.wait()


def _in_loop(loop: asyncio.AbstractEventLoop, deed: Callable[[], object]) -> None:
    # A loop that is closed serves nobody any more.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(deed)


class Gatherer:
    """Brings news from any thread to that of the server, those of one moment at once."""

    def __init__(self, simulator: Simulator) -> None:
        """Take the simulator that they are about."""
        self._simulator = simulator
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: set[str] = set()

    def note(self, address: str) -> None:
        """Take the address of a mailbox in which something happened."""
        with self._lock:
            is_first = not self._waiting
            self._waiting.add(address)
        if is_first:
            _in_loop(self._loop, self._soon)

    def _soon(self) -> None:
        self._loop.call_later(self._simulator.notifier.pace.gather, self._pass_on)

    def _pass_on(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for each in sorted(waiting):
            self._simulator.note_news(each)


class Postman:
    """Posts notifications to the listeners of push subscriptions, many at a time."""

    def __init__(self, simulator: Simulator) -> None:
        """Take the simulator whose they are."""
        self._pushes = simulator.notifier.pushes
        self._ticks = simulator.ticks
        self._timeout = ClientTimeout(total=simulator.notifier.pace.patience)
        self._alarm = Alarm()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._pushes.wake = self._alarm.ring

    async def run(self) -> None:
        """Post what is due, until cancelled."""
        async with (
            ClientSession(
                connector=TCPConnector(limit=_AT_ONCE), cookie_jar=DummyCookieJar()
            ) as client,
            asyncio.TaskGroup() as posting,
        ):
            while True:
                self._alarm.off()
                for post in self._pushes.take(self._ticks()):
                    posting.create_task(self._post(client, post))
                await self._alarm.wait(self._pushes.next_at() - self._ticks())

    async def _post(self, client: ClientSession, post: Post) -> None:
        async with self._places:
            outcome = await self._outcome(client, post)
        self._pushes.done(post, outcome, self._ticks())

    async def _outcome(self, client: ClientSession, post: Post) -> str:
        try:
            async with client.post(
                post.url,
                data=post.body,
                headers=_HEADERS,
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                return outcome_of(answer.status, await _word(answer.content))
        except (ClientError, OSError, TimeoutError, ValueError):
            return FAILED


async def _word(content: StreamReader) -> bytes:
    """Read what a listener says, no more of it than a word needs."""
    said = b""
    while len(said) <= LARGEST_WORD and (part := await content.read(LARGEST_WORD)):
        said += part
    return said


@asynccontextmanager
async def telling(simulator: Simulator) -> AsyncIterator[None]:
    """Tell what happens in a simulator while the block runs; at its end all streams break off."""
    simulator.news = Gatherer(simulator).note
    postman = asyncio.create_task(Postman(simulator).run())
    try:
        yield
    finally:
        simulator.news = simulator.note_news
        simulator.notifier.pushes.wake = lambda: None
        simulator.notifier.drop_streams()
        postman.cancel()
        for ended in await asyncio.gather(postman, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


async def send_on(response: web.StreamResponse, flow: Flow, ticks: Callable[[], float]) -> bool:
    """Send an answer that goes on, to its end; whether it ends well, and does not break off."""
    alarm = Alarm()
    flow.wake = alarm.ring
    while True:
        alarm.off()
        for each in flow.take(ticks()):
            await response.write(each)
        if flow.over or flow.dropped:
            return flow.over
        await alarm.wait(flow.next_at() - ticks())
