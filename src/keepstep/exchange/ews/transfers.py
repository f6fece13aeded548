"""Transfers by libcurl within an asyncio loop, as many at once as there are calls.

libcurl says which sockets it waits for and when it wants to be asked again; here these are the
loop's. On Linux all its sockets are watched by one epoll of their own, which the loop watches: to
be told of a socket costs then one call into the kernel, where the loop's own list of readers costs
five times that (docs/performance.md).
"""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pycurl

# As epoll has them: select.EPOLLIN and EPOLLOUT, which not every system's Python knows.
_READ, _WRITE = 1, 4
_AT_ONCE = 64
# Time limits are kept to within so many milliseconds.
_COARSE = 1000


class Broken(Exception):
    """A transfer failed: libcurl's `number` for why (`pycurl.E_...`).

    `verified` is OpenSSL's verdict on the certificate (0: good, or none was seen), `connected` the
    status by which a proxy answered CONNECT (0: none was asked). libcurl's own text is not kept:
    it may hold addresses.
    """

    def __init__(self, number: int, verified: int = 0, connected: int = 0) -> None:
        super().__init__(f"libcurl {number}")
        self.number = number
        self.verified = verified
        self.connected = connected


@dataclass(eq=False, slots=True)
class Handle:
    """What one transfer at a time goes by, and what came of it: header lines, pieces of the body.

    `place` is what it was last told to ask, as whoever uses it notes it.
    """

    curl: pycurl.Curl
    heard: list[bytes] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    place: object = None


class _Watch(Protocol):
    def want(self, socket: int, flags: int) -> None: ...

    def leave(self, socket: int) -> None:
        """Nothing is waited for on this socket now; most likely soon again, or it is closed."""

    def forget(self, socket: int) -> None:
        """Watch it no longer: something happened on it that nobody waits for."""

    def close(self) -> None: ...


Act = Callable[[list[tuple[int, int]]], None]


class _ByEpoll:
    """Watches sockets by an epoll of their own. A closed socket leaves it by itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Act) -> None:
        self._loop = loop
        self._act = act
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._ready)

    def want(self, socket: int, flags: int) -> None:
        try:
            self._epoll.modify(socket, flags)
        except FileNotFoundError:
            self._epoll.register(socket, flags)

    def leave(self, socket: int) -> None:
        """Let it stay watched: that spares two calls into the kernel where it is used again."""

    def forget(self, socket: int) -> None:
        try:
            self._epoll.unregister(socket)
        except OSError:
            return

    def close(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _ready(self) -> None:
        self._act(self._epoll.poll(0, _AT_ONCE))


class _ByLoop:
    """Watches sockets by the loop itself, where there is no epoll."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Act) -> None:
        self._loop = loop
        self._act = act
        self._wanted: dict[int, int] = {}

    def want(self, socket: int, flags: int) -> None:
        self.forget(socket)
        self._wanted[socket] = flags
        if flags & _READ:
            self._loop.add_reader(socket, self._act, [(socket, _READ)])
        if flags & _WRITE:
            self._loop.add_writer(socket, self._act, [(socket, _WRITE)])

    def leave(self, socket: int) -> None:
        self.forget(socket)

    def forget(self, socket: int) -> None:
        if self._wanted.pop(socket, 0):
            self._loop.remove_reader(socket)
            self._loop.remove_writer(socket)

    def close(self) -> None:
        for socket in list(self._wanted):
            self.forget(socket)


def _watch(loop: asyncio.AbstractEventLoop, act: Act) -> _Watch:
    return _ByEpoll(loop, act) if sys.platform == "linux" else _ByLoop(loop, act)


class Transfers:
    """Carries out transfers, and keeps connections for the next ones. For one event loop.

    `prepare` sets, once for each handle, what all transfers have in common; `kept` is how many
    connections are kept at the most.
    """

    def __init__(
        self,
        prepare: Callable[[pycurl.Curl], None],
        kept: int,
        watch: Callable[[asyncio.AbstractEventLoop, Act], _Watch] = _watch,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._prepare = prepare
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, kept)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._wanted: set[int] = set()
        self._watch = watch(self._loop, self._act)
        self._idle: list[Handle] = []
        self._waiting: dict[pycurl.Curl, asyncio.Future[None]] = {}
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_tick_due = False
        self._is_closed = False

    def taken(self) -> Handle:
        """Give a prepared handle that is free; to be given back by `release`."""
        if self._idle:
            return self._idle.pop()
        handle = Handle(pycurl.Curl())
        self._prepare(handle.curl)
        handle.curl.setopt(pycurl.HEADERFUNCTION, handle.heard.append)
        handle.curl.setopt(pycurl.WRITEFUNCTION, handle.taken.append)
        return handle

    def release(self, handle: Handle) -> None:
        """Take a handle back; if its transfer still goes on, it is broken off."""
        self.end(handle)
        handle.heard.clear()
        handle.taken.clear()
        self._idle.append(handle)

    def begin(self, handle: Handle) -> asyncio.Future[None]:
        """Begin the transfer of a handle; what is given ends with it, raising `Broken`."""
        if self._is_closed:
            raise Broken(pycurl.E_ABORTED_BY_CALLBACK)
        done = self._waiting[handle.curl] = self._loop.create_future()
        self._multi.add_handle(handle.curl)
        return done

    def end(self, handle: Handle) -> None:
        """Break a transfer off, if it still goes on; its connection is closed."""
        if self._waiting.pop(handle.curl, None) is not None and not self._is_closed:
            self._multi.remove_handle(handle.curl)

    def go_on(self, handle: Handle) -> None:
        """Let a transfer go on that was paused by what it writes to."""
        if handle.curl in self._waiting:
            handle.curl.pause(pycurl.PAUSE_CONT)
            self._tick_soon()

    def close(self) -> None:
        """Break off what still goes on, and close all connections."""
        if self._is_closed:
            return
        self._is_closed = True
        for curl, done in self._waiting.items():
            self._multi.remove_handle(curl)
            if not done.done():
                done.set_exception(Broken(pycurl.E_ABORTED_BY_CALLBACK))
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._multi.close()
        for handle in self._idle:
            handle.curl.close()
        self._idle.clear()
        self._watch.close()

    def _on_socket(self, event: int, socket: int, _multi: object, _data: object) -> None:
        if event == pycurl.POLL_REMOVE:
            self._wanted.discard(socket)
            self._watch.leave(socket)
            return
        self._wanted.add(socket)
        flags = (_READ if event & pycurl.POLL_IN else 0) | (
            _WRITE if event & pycurl.POLL_OUT else 0
        )
        self._watch.want(socket, flags)

    def _on_timer(self, milliseconds: int) -> None:
        if milliseconds == 0:
            self._tick_soon()
        elif milliseconds > 0 and (self._timer is None or milliseconds < _COARSE):
            # Asked too early libcurl says anew when it wants to be asked. So one timer serves all
            # that is far off, and none is set and cancelled for each transfer.
            due = self._loop.time() + min(milliseconds, _COARSE) / 1000
            if self._timer is None or due < self._due:
                if self._timer is not None:
                    self._timer.cancel()
                self._due, self._timer = due, self._loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._tick()

    def _tick_soon(self) -> None:
        if not self._is_tick_due:
            self._is_tick_due = True
            self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._is_tick_due = False
        if not self._is_closed:
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._finish()

    def _act(self, events: list[tuple[int, int]]) -> None:
        for socket, flags in events:
            if socket in self._wanted:
                # Of an error on a socket libcurl learns by reading.
                told = pycurl.CSELECT_OUT if flags & _WRITE else 0
                told |= pycurl.CSELECT_IN if flags & ~_WRITE else 0
                self._multi.socket_action(socket, told)
            else:
                self._watch.forget(socket)
        self._finish()

    def _finish(self) -> None:
        left = 1
        while left:
            left, good, bad = self._multi.info_read()
            for curl in good:
                self._multi.remove_handle(curl)
                done = self._waiting.pop(curl)
                if not done.done():
                    done.set_result(None)
            for curl, number, _text in bad:
                self._multi.remove_handle(curl)
                done = self._waiting.pop(curl)
                if not done.done():
                    done.set_exception(_broken(curl, number))


def _broken(curl: pycurl.Curl, number: int) -> Broken:
    return Broken(
        number, curl.getinfo(pycurl.SSL_VERIFYRESULT), curl.getinfo(pycurl.HTTP_CONNECTCODE)
    )
