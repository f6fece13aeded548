"""How a request is signed in to Exchange.

A sign-in is given a function that sends the request with further headers, and gives the answer. So
one that takes several legs on one connection (NTLM, Negotiate) or that renews a token after a
refusal (OAuth) fits as well as the plain one.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keepstep.exchange.ews.answer import RawAnswer

Send = Callable[[Mapping[str, str]], Awaitable[RawAnswer]]


class SignIn(Protocol):
    """Sends requests so that Exchange knows who asks."""

    async def send(self, send: Send) -> RawAnswer:
        """Send by `send(further_headers)`, as often as the sign-in needs; give the last answer."""
        ...


@dataclass(frozen=True, slots=True)
class BasicSignIn:
    """User name and password with every request (RFC 7617, in UTF-8)."""

    username: str
    password: str = field(repr=False)

    async def send(self, send: Send) -> RawAnswer:
        """Send once, with the Authorization header."""
        pair = f"{self.username}:{self.password}".encode()
        return await send({"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")})
