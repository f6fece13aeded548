"""The simulator on a real socket: a thin aiohttp shell around ``Simulator.answer``."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import format_datetime
from types import TracebackType
from typing import TypeVar
from weakref import WeakKeyDictionary

from aiohttp import web

from keepstep_simulator.control import Control
from keepstep_simulator.face import Answer, Delivery, Flow, Request
from keepstep_simulator.handshake import Handshake
from keepstep_simulator.simulator import LARGEST_REQUEST, Simulator
from keepstep_simulator.telling import send_on, telling

Result = TypeVar("Result")


def application(
    simulator: Simulator, *, control: bool = False, bind_to: bytes = b"", tells_time: bool = False
) -> web.Application:
    """Give the web application.

    ``control`` opens the control face under ``/control/``; ``bind_to`` is the certificate (DER)
    that handshakes must be bound to; ``tells_time`` lets the header Date be by the simulator's
    clock, not by the machine's.
    """
    app = web.Application(client_max_size=LARGEST_REQUEST)
    handshakes: WeakKeyDictionary[asyncio.BaseTransport, Handshake] = WeakKeyDictionary()

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = await _request(request)
        if request.transport is None:
            return web.Response()
        if request.transport not in handshakes:
            handshakes[request.transport] = Handshake(simulator.accounts, bind_to)
        handshake = handshakes[request.transport]
        challenge = handshake.step(asked.headers.get("authorization", ""))
        if challenge is not None:
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        answer = simulator.answer(replace(asked, user=handshake.user))
        if answer.delivery.stream is None:
            with simulator.log.under_way():
                return await _deliver(request, answer)
        try:
            return await _deliver_stream(request, answer, answer.delivery.stream, simulator.ticks)
        finally:
            simulator.ended(answer)

    async def tell_time(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(simulator.clock(), usegmt=True)

    async def tell_name(_: web.Request, response: web.StreamResponse) -> None:
        if simulator.front_end:
            response.headers["X-FEServer"] = simulator.front_end

    app.on_response_prepare.append(tell_name)
    if tells_time:
        app.on_response_prepare.append(tell_time)
    if control:
        controls = Control(simulator)

        async def handle_control(request: web.Request) -> web.StreamResponse:
            return await _deliver(request, controls.answer(await _request(request)))

        app.router.add_route("*", "/control/{rest:.*}", handle_control)
    app.router.add_route("*", "/{rest:.*}", handle)
    return app


async def _request(request: web.Request) -> Request:
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = await request.read()
    return Request(
        request.method, request.path, headers, body, request.remote or "", secure=request.secure
    )


async def _deliver(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Send an answer as its delivery says."""
    delivery = answer.delivery
    if delivery.wait:
        await asyncio.sleep(delivery.wait)
    if delivery.drop:
        return _dropped(request)
    if delivery.endless_head:
        return await _head_without_end(request, delivery)
    if delivery.drip is None and not delivery.repeat and delivery.cut is None:
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if delivery.cut is not None or delivery.drip is not None:
        response.content_length = len(answer.body)
    else:
        response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        await _stream(response, answer)
    except (ConnectionError, asyncio.CancelledError):
        return response
    if delivery.cut is not None:
        return _dropped(request)
    await response.write_eof()
    return response


async def _stream(response: web.StreamResponse, answer: Answer) -> None:
    delivery = answer.delivery
    if delivery.drip is not None:
        for place in range(len(answer.body)):
            await response.write(answer.body[place : place + 1])
            await asyncio.sleep(delivery.drip)
        return
    await response.write(answer.body if delivery.cut is None else answer.body[: delivery.cut])
    for _ in range(delivery.repeat):
        await response.write(delivery.filler)


async def _deliver_stream(
    request: web.Request, answer: Answer, flow: Flow, ticks: Callable[[], float]
) -> web.StreamResponse:
    """Send an answer that goes on; a client that has gone ends it."""
    await asyncio.sleep(answer.delivery.wait)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        ends_well = await send_on(response, flow, ticks)
    except ConnectionError:
        return response
    if not ends_well:
        return _dropped(request)
    await response.write_eof()
    return response


async def _head_without_end(request: web.Request, delivery: Delivery) -> web.StreamResponse:
    transport = request.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(delivery.repeat):
            transport.write(delivery.filler)
            while not transport.is_closing() and transport.get_write_buffer_size():
                await asyncio.sleep(0.001)
            if transport.is_closing():
                break
    return _dropped(request)


def _dropped(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


@asynccontextmanager
async def serving(
    simulator: Simulator,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    control: bool = False,
    tls: ssl.SSLContext | None = None,
    bind_to: bytes = b"",
    tells_time: bool = False,
) -> AsyncIterator[str]:
    """Serve on a real socket while the block runs; gives the address of the EWS face.

    ``tls`` is the server's side of TLS, None for plain HTTP; the rest is :func:`application`'s.
    """
    app = application(simulator, control=control, bind_to=bind_to, tells_time=tells_time)
    # A client that goes away ends its request at once, so that its stream counts no longer.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        await site.start()
        bound = runner.addresses[0][1]
        scheme = "http" if tls is None else "https"
        async with telling(simulator):
            yield f"{scheme}://{_in_url(host)}:{bound}/EWS/Exchange.asmx"
    finally:
        await runner.cleanup()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class SimulatorThread:
    """A server in a thread of its own, for tests without an event loop; ``url`` is the EWS face."""

    def __init__(
        self,
        simulator: Simulator,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        control: bool = False,
        tls: ssl.SSLContext | None = None,
        bind_to: bytes = b"",
        tells_time: bool = False,
    ) -> None:
        """Take what :func:`serving` takes."""
        self.simulator = simulator
        self.url = ""
        self._serving = serving(
            simulator,
            host,
            port,
            control=control,
            tls=tls,
            bind_to=bind_to,
            tells_time=tells_time,
        )
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with self._serving as url:
            self.url = url
            self._started.set()
            await self._stop.wait()

    def call(self, deed: Callable[[], Result]) -> Result:
        """Do something in the server's own thread, as what touches subscriptions wants it.

        Gives what it gives and raises what it raises.
        """
        assert self._loop is not None

        async def done() -> Result:
            return deed()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(timeout=10)

    def __enter__(self) -> "SimulatorThread":
        """Start, and wait until the socket is open. Raises OSError if it cannot be."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and wait for the thread."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)
