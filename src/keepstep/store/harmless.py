"""Cells that a spreadsheet would take for a formula: guarded in what is written, and back.

A cell that begins with one of these characters is evaluated when the file is opened (OWASP: CSV
injection). An apostrophe before it makes it text.
"""

from __future__ import annotations

# The full-width ones are read as the others are, in some languages.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_GUARD = "'"
# What XML of a workbook can't hold, besides tab, line feed and carriage return.
_IMPOSSIBLE = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd"
)


def guarded(text: str) -> str:
    """Give the text as no spreadsheet evaluates it."""
    return _GUARD + text if _is_formula(text.lstrip(_GUARD)) else text


def fit_for_xml(text: str) -> str:
    """Give the text with a mark in place of each character that a workbook can't hold."""
    return text.translate(_IMPOSSIBLE)


def unguarded(text: str) -> str:
    """Give the text as it was before `guarded`."""
    guard = text.startswith(_GUARD) and _is_formula(text.lstrip(_GUARD))
    return text.removeprefix(_GUARD) if guard else text


def _is_formula(text: str) -> bool:
    return text.lstrip(" ").startswith(_STARTS)
