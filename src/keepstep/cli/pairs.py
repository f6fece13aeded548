"""Arguments of the form NAME=VALUE."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from keepstep.core.errors import UsageError

LONGEST_INPUT = 100_000


def read_pairs(arguments: Sequence[str]) -> dict[str, str]:
    """Give the values by name. Raises UsageError for no pair, and for a name given twice."""
    values: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageError(f"give NAME=VALUE, not {name[:60]!r}.")
        if name in values:
            raise UsageError(f"{name} is given twice.")
        values[name] = value
    return values


def read_secret(name: str) -> str:
    """Read a secret from standard input, or ask for it where that is a terminal."""
    if sys.stdin.isatty():
        asked = click.prompt(name, hide_input=True, err=True, default="", show_default=False)
        text = str(asked)
    else:
        try:
            text = sys.stdin.read(LONGEST_INPUT)
        except UnicodeDecodeError:
            raise UsageError(f"{name}: standard input is not UTF-8.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise UsageError(f"{name}: standard input is empty.")
    return text
