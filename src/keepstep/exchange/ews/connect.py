"""From settings to a connector: what an Exchange server on premises is reached with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from keepstep.exchange.ews.connector import EwsConnector
from keepstep.exchange.ews.sign_in import BasicSignIn
from keepstep.exchange.ews.transport import AiohttpTransport, Limits


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the server. `connections` bounds those open at once; empty: not set."""

    url: str
    version: str
    username: str
    password: str = field(repr=False)
    connections: int = 20
    ca_file: str = ""
    proxy: str = ""


def connect(access: Access) -> EwsConnector:
    """Give a connector; it opens its connections at the first request."""
    transport = AiohttpTransport(
        access.url,
        BasicSignIn(access.username, access.password),
        limits=Limits(connections=access.connections),
        ca_file=Path(access.ca_file) if access.ca_file else None,
        proxy=access.proxy or None,
    )
    return EwsConnector(transport, access.version)
