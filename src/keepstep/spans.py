"""Spans: what the parts tell of their work to whoever traces it; by default nobody.

A span is open while its block runs, within the one that is open around it. No text of an
appointment, no address of a person and no secret belongs into one. Nothing is imported for them
and nothing kept until `send_to` names what records them: see `keepstep.traces`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from enum import Enum
from types import TracebackType
from typing import Protocol

Value = str | int | float | bool


class Kind(Enum):
    """What a span is of: work within this process, a request to another, or one from another."""

    WITHIN = "internal"
    CLIENT = "client"
    SERVER = "server"


class Span(Protocol):
    """A piece of work that is under way. `recorded`: somebody keeps what it is told."""

    @property
    def recorded(self) -> bool:
        """Say whether it is worth the while to put attributes together."""
        ...

    def rename(self, name: str) -> None:
        """Name it by more than was known when it began."""
        ...

    def tell(self, attributes: Mapping[str, Value]) -> None:
        """Add attributes."""
        ...

    def failed(self, code: str) -> None:
        """Mark the work as failed, with a code of the catalogue or an HTTP status."""
        ...


class _Nothing:
    """The span where nobody traces."""

    __slots__ = ()
    recorded = False

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def rename(self, name: str) -> None:
        """Forget it."""

    def tell(self, attributes: Mapping[str, Value]) -> None:
        """Forget it."""

    def failed(self, code: str) -> None:
        """Forget it."""


Open = Callable[[str, Kind], AbstractContextManager[Span]]

_NOTHING = _Nothing()
_open: Open | None = None


def span(name: str, kind: Kind = Kind.WITHIN) -> AbstractContextManager[Span]:
    """Give the span to do a piece of work in, by `with`. `name` is one of few, never an id."""
    return _NOTHING if _open is None else _open(name, kind)


def send_to(opener: Open | None) -> None:
    """Have all spans from now on opened by `opener` (None: by nobody), in this process."""
    global _open
    _open = opener
