"""Sending one delivery to a webhook's receiver, to no address but where that is allowed."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from keepstep import __version__
from keepstep.core.addresses import is_forbidden, is_inside
from keepstep.core.errors import KeepstepError
from keepstep.core.signing import headers

SECONDS = 10
FORBIDDEN = "webhook-target-forbidden"
_USER_AGENT = f"Keepstep/{__version__}"


class _Resolver(AbstractResolver):
    """Resolves names, and refuses those that lead to where nothing may be sent.

    What it gives is what is connected to, so a name can't mean another address in between.
    """

    def __init__(self, refuse: Callable[[str], None], inner: AbstractResolver) -> None:
        self._inner = inner
        self._refuse = refuse

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses of a name. Raises OSError as resolvers do, and KeepstepError."""
        found = await self._inner.resolve(host, port, family)
        for each in found:
            self._refuse(each["host"])
        return found

    async def close(self) -> None:
        """Release the resolver within."""
        await self._inner.close()


class Post:
    """Sends deliveries, over connections that are kept. An async context manager.

    `private`: addresses of this machine and of private networks are allowed, too; those of cloud
    metadata and of the local link never are. `resolver` asks the name service (None: the usual).
    """

    def __init__(self, *, private: bool, resolver: AbstractResolver | None = None) -> None:
        self._private = private
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Post:
        resolver = _Resolver(self._refuse, self._resolver or aiohttp.ThreadedResolver())
        connector = aiohttp.TCPConnector(limit=20, resolver=resolver)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._session is not None
        await self._session.close()

    def _refuse(self, host: str) -> None:
        if is_forbidden(host) or (is_inside(host) and not self._private):
            raise KeepstepError(FORBIDDEN)

    async def send(
        self, url: str, secret: str, identity: str, timestamp: int, document: dict[str, Any]
    ) -> str:
        """Send a document, signed; give why it was not taken, "" if it was. Raises nothing.

        `timestamp` is in seconds since 1970. No redirect is followed; of the answer only the
        status is looked at.
        """
        assert self._session is not None
        body = json.dumps(document, separators=(",", ":")).encode()
        signed = headers(secret, identity, timestamp, body)
        signed |= {"Content-Type": "application/json", "User-Agent": _USER_AGENT}
        try:
            # An address in place of a name never comes to the resolver.
            self._refuse(urlsplit(url).hostname or "")
            sending = self._session.post(url, data=body, headers=signed, allow_redirects=False)
            async with sending as response:
                taken = 200 <= response.status < 300
                return "" if taken else f"answered with status {response.status}"
        except KeepstepError as error:
            return error.code
        except TimeoutError:
            return f"no answer within {SECONDS} seconds"
        except (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError) as error:
            if isinstance(error.__cause__, KeepstepError):
                return error.__cause__.code
            return f"can't be reached ({type(error).__name__})"
