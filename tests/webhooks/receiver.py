"""A receiver of webhooks at a real socket, which checks signatures as another's program does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What came, and how it is answered: `status` of each request's document."""

    secret: str = ""
    status: Callable[[dict[str, Any]], int] = lambda document: 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Answer a request with a status; keep what was taken."""
        self.requests.append((headers, body))
        if self.secret and not is_genuine(self.secret, headers, body):
            return 401
        document = json.loads(body)
        status = self.status(document)
        if status < 300:
            self.taken.append(document)
        return status

    def events(self) -> list[tuple[int, str]]:
        """Give operator and event of everything taken, in order."""
        return [
            (document["operator_id"], each["event"])
            for document in self.taken
            for each in document["events"]
        ]


def is_genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Say whether the signature is that of the secret's owner, and of now."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and f"v1,{made}" in headers["webhook-signature"].split(" ")


@contextmanager
def listening() -> Iterator[Receiver]:
    """Have a receiver listen at a port of this machine while the block runs."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(headers, body))
            self.send_header("Location", "http://169.254.169.254/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
