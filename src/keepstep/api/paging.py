"""Lists in portions: a cursor says after what the next one goes on."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, TypeVar

from ninja import Query
from pydantic import Field

from keepstep.api.problems import Refused

MOST = 500
USUAL = 100
LARGEST = 2**63 - 1

Key = TypeVar("Key", int, str)

Limit = Annotated[int, Query(USUAL, ge=1, le=MOST, description="At most so many.")]
CursorText = Annotated[
    str,
    Query("", max_length=400, description="What `next` was in the answer before; else the first."),
]
Number = Annotated[int, Field(ge=1, le=2**53 - 1)]


def to_cursor(*key: int | str) -> str:
    """Give the key of the last one shown as a cursor."""
    plain = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def from_cursor(text: str, *kinds: type) -> list[int | str] | None:
    """Read a cursor whose key has parts of these types; None for "". Raises Refused."""
    if not text:
        return None
    try:
        plain = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), b"-_", validate=True)
        key = json.loads(plain)
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        raise Refused("cursor-unknown") from None
    fits = isinstance(key, list) and [type(each) for each in key] == list(kinds)
    if not fits or any(isinstance(each, int) and not 0 <= each <= LARGEST for each in key):
        raise Refused("cursor-unknown")
    return list(key)


def number_before(text: str) -> int | None:
    """Read a cursor whose key is one number."""
    key = from_cursor(text, int)
    return None if key is None else int(key[0])
