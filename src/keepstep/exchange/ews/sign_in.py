"""How a request is signed in to Exchange.

A sign-in is given a function that sends the request with further headers, and gives the answer. So
one that takes several legs on one connection (NTLM, Negotiate) or that renews a token after a
refusal (OAuth) fits as well as the plain one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer

Send = Callable[[Mapping[str, str]], Awaitable[RawAnswer]]

REFUSED = 401
_SCHEMES = ("Basic", "NTLM", "Negotiate", "Bearer")
# A challenge begins at the header's start or after a comma, and a comma may stand in one as well.
_CHALLENGE = re.compile(
    r"(?:^|,)\s*(Basic|NTLM|Negotiate|Bearer)(?![\w-])(?:[ ]+([A-Za-z0-9+/]+=*)(?=\s*(?:,|$)))?",
    re.IGNORECASE,
)


class SignIn(Protocol):
    """Sends requests so that Exchange knows who asks."""

    async def send(self, send: Send) -> RawAnswer:
        """Send by `send(further_headers)`, as often as the sign-in needs; give the last answer."""
        ...


@runtime_checkable
class PinnedSignIn(Protocol):
    """A sign-in that holds for one connection, not for a request."""

    def of_connection(self) -> SignIn:
        """Give the sign-in of a new connection."""
        ...


@dataclass(frozen=True, slots=True)
class BasicSignIn:
    """User name and password with every request (RFC 7617, in UTF-8)."""

    username: str
    password: str = field(repr=False)
    _told: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pair = f"{self.username}:{self.password}".encode()
        told = base64.b64encode(pair).decode("ascii")
        object.__setattr__(self, "_told", {"Authorization": f"Basic {told}"})

    async def send(self, send: Send) -> RawAnswer:
        """Send once, with the Authorization header."""
        answer = await send(self._told)
        require_offer(answer, "Basic")
        return answer


def challenges(answer: RawAnswer) -> dict[str, bytes]:
    """Give what a 401 asks for: by scheme the token of its challenge, b"" where it has none."""
    found: dict[str, bytes] = {}
    for name, token in _CHALLENGE.findall(answer.headers.get("www-authenticate", "")):
        scheme = next(each for each in _SCHEMES if each.lower() == name.lower())
        try:
            found[scheme] = base64.b64decode(token, validate=True)
        except ValueError:
            found[scheme] = b""
    return found


def require_offer(answer: RawAnswer, scheme: str) -> None:
    """Raise `ExchangeError` where a 401 offers other schemes than this one."""
    if answer.status == REFUSED:
        offered = challenges(answer)
        if offered and scheme not in offered:
            raise ExchangeError("sign-in-not-offered", f"the server offers {', '.join(offered)}")
