"""What comes back from the wire, before anything is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer: its status, its headers (names in lower case), its body as one piece."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
