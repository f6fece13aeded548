"""From settings to a connector: what an Exchange server on premises is reached with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.sign_in import BasicSignIn, PinnedSignIn, SignIn
from keepstep.exchange.ews.sign_in_negotiate import NegotiateSignIn
from keepstep.exchange.ews.sign_in_oauth import OAuthSignIn
from keepstep.exchange.ews.tokens import OAuthClient, acquire
from keepstep.exchange.ews.transport import HttpTransport
from keepstep.exchange.ews.web import Limits, Way

_TOKEN_LIMITS = Limits(total_seconds=30, answer_bytes=1024 * 1024)


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the server, and how to sign in to it. "" is: not set.

    `connections` bounds those open at once, `timeout_seconds` how long one answer may take.
    """

    url: str
    version: str
    username: str = ""
    password: str = field(default="", repr=False)
    connections: int = 20
    ca_file: str = ""
    proxy: str = ""
    auth: str = "basic"
    timeout_seconds: float = 100
    oauth_authority: str = ""
    oauth_tenant: str = ""
    oauth_client_id: str = ""
    oauth_client_secret: str = field(default="", repr=False)
    oauth_scope: str = ""


def connect(access: Access) -> EwsConnector:
    """Give a connector; it opens its connections at the first request."""
    return EwsConnector(transport_of(access), access.version)


def transport_of(access: Access) -> HttpTransport:
    """Give the way to the server, signed in as the settings say."""
    way = way_of(access)
    return HttpTransport(
        access.url,
        _SIGN_INS[access.auth](access),
        limits=way.limits,
        ca_file=way.ca_file,
        proxy=way.proxy,
    )


def way_of(access: Access) -> Way:
    """Give how servers are reached, whoever asks."""
    limits = Limits(connections=access.connections, total_seconds=access.timeout_seconds)
    return Way(limits, Path(access.ca_file) if access.ca_file else None, access.proxy)


def _basic(access: Access) -> SignIn:
    return BasicSignIn(access.username, access.password)


def _ntlm(access: Access) -> PinnedSignIn:
    host = urlsplit(access.url).hostname or ""
    return NegotiateSignIn(access.username, access.password, host, "NTLM")


def _negotiate(access: Access) -> PinnedSignIn:
    host = urlsplit(access.url).hostname or ""
    return NegotiateSignIn(access.username, access.password, host, "Negotiate")


def _oauth(access: Access) -> SignIn:
    client = OAuthClient(
        access.oauth_authority,
        access.oauth_tenant,
        access.oauth_client_id,
        access.oauth_scope,
        access.oauth_client_secret,
    )
    way = way_of(access)
    return OAuthSignIn(partial(acquire, client, Way(_TOKEN_LIMITS, way.ca_file, way.proxy)))


_SIGN_INS: dict[str, Callable[[Access], SignIn | PinnedSignIn]] = {
    "basic": _basic,
    "ntlm": _ntlm,
    "negotiate": _negotiate,
    "oauth": _oauth,
}
