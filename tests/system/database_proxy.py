"""A way to the database that can be closed: what a failover or a cut cable is to the product."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

HERE = "127.0.0.1"


class Proxy:
    """Passes connections on to a database server while it is open. A context manager."""

    def __init__(self, server: str) -> None:
        """Take the server's address: a URL that names a host, or as `host` a socket's folder."""
        parts = urlsplit(server)
        self._port = parts.port or 5432
        self._host = dict(parse_qsl(parts.query)).get("host") or parts.hostname or HERE
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        with socket.socket() as free:
            free.bind((HERE, 0))
            self.port = free.getsockname()[1]

    def __enter__(self) -> Proxy:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Let connections through, from now on."""
        self._listener = listener = socket.create_server((HERE, self.port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Break off what is open, and refuse what comes."""
        if self._listener is not None:
            # A thread that waits for a connection keeps the port open: wake it.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for each in self._ends:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._ends.clear()

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return far

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = self._connect()
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
