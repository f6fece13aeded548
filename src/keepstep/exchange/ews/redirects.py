"""Redirects: one within the same server is followed, any other is the failure `redirected`.

The same server is the same scheme, host and port. There the request goes again as it was, with
method, body and credentials: to Exchange a GET, which the older statuses have made of a POST, says
nothing. To anyone else nothing is sent at all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urljoin, urlsplit

from keepstep.core.errors import ExchangeError
from keepstep.exchange.ews.answer import RawAnswer
from keepstep.exchange.ews.web import Ask, Session, Way, ask

MOST_REDIRECTS = 3
# RFC 9110, 15.4: of the others none says "the same, elsewhere".
_FOLLOWED = frozenset({301, 302, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOGIN_PLACE = re.compile(r"/owa|/auth|log[io]n|sign-?in|adfs|microsoftonline", re.IGNORECASE)
# What may be shown of an address that a stranger names.
_HOST = re.compile(r"[\w.:-]{1,100}")


async def ask_following(
    session: Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    ask: Ask = ask,
) -> RawAnswer:
    """Send one request as `ask` does, following at most three redirects within its server.

    Raises `ExchangeError` redirected, naming where it leads, for every other redirect; login-page
    for one to a place to sign in at. All that follows the first answer has one time limit.
    """
    answer = await ask(session, method, url, headers=headers, body=body)
    if not _is_redirect(answer):
        return answer
    try:
        async with asyncio.timeout(session.way.limits.total_seconds):
            for _ in range(MOST_REDIRECTS):
                url = next_address(url, answer)
                answer = await ask(session, method, url, headers=headers, body=body)
                if not _is_redirect(answer):
                    return answer
    except TimeoutError as error:
        raise ExchangeError("timed-out", "while following a redirect") from error
    raise _failure(answer, url, f"more than {MOST_REDIRECTS} times, at last")


async def fetch_following(
    way: Way, method: str, url: str, *, headers: Mapping[str, str], body: bytes
) -> RawAnswer:
    """Send one request on a connection of its own, as `ask_following` does."""
    async with Session(way, connections=1) as session:
        return await ask_following(session, method, url, headers=headers, body=body)


def next_address(url: str, answer: RawAnswer) -> str:
    """Give the address within the server of `url` that a redirect leads to, else raise."""
    location = answer.headers.get("location", "").strip()
    if _LOGIN_PLACE.search(location):
        raise ExchangeError("login-page", f"HTTP {answer.status}")
    target = _target(url, answer)
    if (
        target is None
        or answer.status not in _FOLLOWED
        or _server_of(target) != _server_of(urlsplit(url))
        or "@" in target.netloc
    ):
        raise _failure(answer, url, "")
    return target._replace(fragment="").geturl()


def _is_redirect(answer: RawAnswer) -> bool:
    return 300 <= answer.status < 400


def _target(url: str, answer: RawAnswer) -> SplitResult | None:
    """Give the address that a redirect names, None where it names none that can be read."""
    location = answer.headers.get("location", "").strip()
    try:
        target = urlsplit(urljoin(url, location))
        _server_of(target)
    except ValueError:
        return None
    return target if location else None


def _server_of(parts: SplitResult) -> tuple[str, str, int | None]:
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(scheme)


def _failure(answer: RawAnswer, url: str, how_often: str) -> ExchangeError:
    target = _target(url, answer)
    host = target.hostname or "" if target is not None else ""
    if target is None or not _HOST.fullmatch(host):
        where = "to an address that can't be read"
    else:
        port = f":{target.port}" if target.port else ""
        where = f"to {target.scheme}://{f'[{host}]' if ':' in host else host}{port}"
    return ExchangeError(
        "redirected", " ".join(f"HTTP {answer.status}, {how_often} {where}".split())
    )
