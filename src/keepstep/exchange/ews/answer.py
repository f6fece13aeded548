"""What comes back from the wire, before anything is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer: its status, its headers, its body as one piece.

    Names of headers are in lower case; of one that came several times the values are joined by
    ", " (RFC 9110, 5.3). `certificate` is the server's in DER, where the connection had TLS.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    certificate: bytes = field(default=b"", repr=False)
