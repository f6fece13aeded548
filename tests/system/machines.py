"""Machines that are set up wrongly: servers that are no Exchange, or that can't be trusted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from keepstep_simulator import Simulator

ANNA = "anna@example.com"


def exchange(version: str = "Exchange2016", ahead: timedelta = timedelta(0)) -> Simulator:
    """Give an Exchange with Anna's mailbox, whose clock is so far ahead."""
    simulator = Simulator(clock=lambda: datetime.now(UTC) + ahead, version=version)
    mailbox = simulator.add_mailbox(ANNA)
    start = datetime.now(UTC) + timedelta(days=1)
    mailbox.create(subject="Visit", start=start, end=start + timedelta(hours=1))
    return simulator


@contextmanager
def web_server(
    status: int,
    body: str,
    headers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    heard: list[str] | None = None,
) -> Iterator[str]:
    """Answer every request alike; gives the address. `heard` gets each request's headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if heard is not None:
                heard.append(f"{self.path}\n{self.headers}")
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(status)
            for name, value in (headers or {"Content-Type": "text/html"}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}/EWS/Exchange.asmx"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
