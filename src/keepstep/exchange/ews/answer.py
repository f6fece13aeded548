"""What comes back from the wire, before anything is read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP answer: its status, its headers, its body as one piece.

    Names of headers are in lower case; of one that came several times the values are joined by
    ", " (RFC 9110, 5.3). `certificate` is the server's in DER, where it was asked for and the
    connection had TLS. `seconds` is what it took from sending to the last byte (0: not known).
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    certificate: bytes = field(default=b"", repr=False)
    seconds: float = 0.0


class Headers(Mapping[str, str]):
    """The headers of an answer as they came, read when they are first asked for.

    `lines` begins with the status line. Most answers' headers are never asked for.
    """

    def __init__(self, lines: bytes) -> None:
        self._lines = lines
        self._read: dict[str, str] | None = None

    def may_have(self, name: bytes) -> bool:
        """Say quickly whether a header of this name, in lower case, may be among them."""
        return name in self._lines.lower()

    def __getitem__(self, name: str) -> str:
        return self._joined()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._joined())

    def __len__(self) -> int:
        return len(self._joined())

    def _joined(self) -> dict[str, str]:
        if self._read is None:
            joined: dict[str, str] = {}
            # Undecodable bytes are kept: what is done with a header decides what it may hold.
            for line in self._lines.decode("utf-8", "surrogateescape").split("\n")[1:]:
                name, colon, value = line.partition(":")
                if colon:
                    key, value = name.strip().lower(), value.strip()
                    joined[key] = f"{joined[key]}, {value}" if key in joined else value
            self._read = joined
        return self._read
