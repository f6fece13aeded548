"""What commands print: JSON for machines, tables that are safe to show for people."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

# They turn the direction of text: a name could show as another one.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSAFE = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
_REPLACED = "\ufffd"
_GAP = "  "


def print_json(value: object) -> None:
    """Print one JSON document. ASCII only: safe for any terminal and any encoding."""
    click.echo(json.dumps(value, indent=2, default=_plain))


def safe(text: str) -> str:
    """Give the text on one line, without anything that could steer a terminal."""
    return "".join(_safe(character) for character in text)


def width(text: str) -> int:
    """Give how many columns of a terminal the text takes."""
    return sum(_columns(character) for character in text)


def fit(text: str, columns: int) -> str:
    """Give the text cut or padded to so many columns, made safe."""
    shown = safe(text)
    if width(shown) > columns:
        while width(shown) > columns - 1:
            shown = shown[:-1]
        shown += "…"
    return shown + " " * (columns - width(shown))


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their content (at most 48)."""
    lines = [[safe(cell) for cell in row] for row in (heading, *rows)]
    widths = [min(48, max(width(line[place]) for line in lines)) for place in range(len(heading))]
    for line in lines:
        cells = [fit(cell, columns) for cell, columns in zip(line, widths, strict=True)]
        click.echo(_GAP.join(cells).rstrip())


def instant(moment: datetime | None) -> str | None:
    """Give an instant as RFC 3339 in UTC, None for None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def seconds(length: float | None) -> str:
    """Give a length of time in seconds, to a tenth while it is short: "0.7 s"; "" for None."""
    if length is None:
        return ""
    return f"{length:.1f} s" if length < 10 else f"{length:.0f} s"


class Progress:
    """A progress bar on standard error, only where that is a terminal. Call it (done, total)."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: ProgressBar[Any] | None = None
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show that so many of all are done."""
        if not self._shown or total <= 0:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label=self._label, file=sys.stderr)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)


def _safe(character: str) -> str:
    if character in "\r\n\t":
        return " "
    unsafe = character in _BIDI or unicodedata.category(character) in _UNSAFE
    return _REPLACED if unsafe else character


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return instant(value)
    raise TypeError(type(value).__name__)
