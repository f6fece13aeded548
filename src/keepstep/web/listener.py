"""PushNotificationsListener: where Exchange posts its notifications.

Anybody on the network may post here. What does not come to an address that we made is refused by
its path alone, before its body is read; no call touches the database.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from keepstep import spans
from keepstep.exchange.ews.push import CONTENT_TYPE, MOST_BYTES
from keepstep.spans import Kind, Span
from keepstep.sync.delivery.desk import Answer
from keepstep.sync.delivery.front import Front
from keepstep.sync.delivery.making import LISTENER_PATH

BODY_SECONDS = 10.0
# Bodies held in memory at once; whoever comes beyond that is asked to come again.
BODIES_AT_ONCE = 64
_MORE_THAN_A_TOKEN = 200


class _Gone(Exception):
    """Whoever called has hung up, or is too slow."""


class _TooLarge(Exception):
    """The body is larger than any notification."""


class Listener:
    """Answers the calls of Exchange, for the desk."""

    def __init__(self, desk: Front) -> None:
        self._desk = desk
        self._bodies = 0

    @staticmethod
    def token_in(path: str) -> str | None:
        """Give the last part of a path of the listener, whatever prefix a proxy has left; or None.

        Of a path that is too long it gives "", which no address has.
        """
        before, _, token = path.rpartition("/")
        if before.rpartition("/")[2] != LISTENER_PATH:
            return None
        return token if len(token) < _MORE_THAN_A_TOKEN else ""

    async def answer(
        self, token: str, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one call: 200 and what the desk says, or a 4xx status and nothing."""
        with spans.span(f"POST /{LISTENER_PATH}", Kind.SERVER) as span:
            try:
                answer = await self._answer_to(token, scope, receive)
            except _Gone:
                answer = Answer(HTTPStatus.REQUEST_TIMEOUT)
            if span.recorded:
                _tell(span, scope, answer)
        headers = [(b"content-length", str(len(answer.body)).encode())]
        if answer.body:
            headers.append((b"content-type", CONTENT_TYPE.encode()))
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append((b"allow", b"POST"))
        if answer.status is not HTTPStatus.OK:
            # Nothing more is read of a call that was refused.
            headers.append((b"connection", b"close"))
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": headers,
                "trailers": False,
            }
        )
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _answer_to(
        self, token: str, scope: HTTPScope, receive: ASGIReceiveCallable
    ) -> Answer:
        if not self._desk.knows_address(token):
            return self._desk.refuse(HTTPStatus.NOT_FOUND)
        if scope["method"] != "POST":
            return self._desk.refuse(HTTPStatus.METHOD_NOT_ALLOWED)
        if self._bodies >= BODIES_AT_ONCE:
            return self._desk.refuse(HTTPStatus.TOO_MANY_REQUESTS)
        self._bodies += 1
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive)
            return await self._desk.take(token, body)
        except _TooLarge:
            return self._desk.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except TimeoutError:
            raise _Gone from None
        finally:
            self._bodies -= 1


def _tell(span: Span, scope: HTTPScope, answer: Answer) -> None:
    """Tell the span how the call was answered; its path is a secret."""
    span.tell(
        {
            "http.request.method": "POST" if scope["method"] == "POST" else "_OTHER",
            "http.route": f"/{LISTENER_PATH}/{{token}}",
            "http.response.status_code": int(answer.status),
        }
    )
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.failed(str(int(answer.status)))


async def _body(receive: ASGIReceiveCallable) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        size += len(message["body"])
        if size > MOST_BYTES:
            raise _TooLarge
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)
