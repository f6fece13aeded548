"""XML from outside, parsed with everything shut off that a hostile answer could use."""

from __future__ import annotations

import re
import threading

from lxml import etree
from lxml.etree import _Element

from keepstep.core.errors import ExchangeError

PROLOG = 4096
"""Bytes at the beginning that are looked at before anything is parsed."""

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,10}));")


def parse(body: bytes) -> _Element:
    """Parse XML from outside: no entities, no DTD, nothing fetched, no more than 256 levels.

    An answer with a DOCTYPE is refused as a whole. Characters that XML forbids, which Exchange
    passes through from the texts of its users, are dropped; all else that is not well-formed
    raises `ExchangeError` answer-unreadable.
    """
    if b"<!DOCTYPE" in body[:PROLOG]:
        raise ExchangeError("answer-unreadable", "DOCTYPE")
    try:
        root = etree.fromstring(body, _own.parser())
    except (etree.XMLSyntaxError, ValueError, LookupError):
        root = _parse_cleaned(body)
    if root.getroottree().docinfo.internalDTD is not None:
        raise ExchangeError("answer-unreadable", "DOCTYPE")
    return root


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


class _Own(threading.local):
    """A parser for each thread: making one costs as much as parsing a small answer."""

    def __init__(self) -> None:
        self._parser = _parser()

    def parser(self) -> etree.XMLParser:
        return self._parser


_own = _Own()


def _parse_cleaned(body: bytes) -> _Element:
    cleaned = _REFERENCE.sub(_kept_reference, body)
    cleaned = cleaned.decode("utf-8", "replace").encode()
    cleaned = _FORBIDDEN.sub(b"", cleaned)
    if cleaned == body:
        raise ExchangeError("answer-unreadable", "not well-formed")
    try:
        return etree.fromstring(cleaned, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError):
        raise ExchangeError("answer-unreadable", "not well-formed") from None


def _kept_reference(found: re.Match[bytes]) -> bytes:
    number = int(found[1], 16) if found[1] else int(found[2])
    allowed = (
        number in (0x9, 0xA, 0xD)
        or 0x20 <= number <= 0xD7FF
        or 0xE000 <= number <= 0xFFFD
        or 0x10000 <= number <= 0x10FFFF
    )
    return found[0] if allowed else b""
