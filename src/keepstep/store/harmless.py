"""Cells that a spreadsheet would take for a formula: guarded in what is written, and back.

A cell that begins with one of these characters is evaluated when the file is opened (OWASP: CSV
injection). An apostrophe before it makes it text.
"""

from __future__ import annotations

# The full-width ones are read as the others are, in some languages.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_GUARD = "'"


def guarded(text: str) -> str:
    """Give the text as no spreadsheet evaluates it."""
    return _GUARD + text if _is_formula(text.lstrip(_GUARD)) else text


def unguarded(text: str) -> str:
    """Give the text as it was before `guarded`."""
    guard = text.startswith(_GUARD) and _is_formula(text.lstrip(_GUARD))
    return text.removeprefix(_GUARD) if guard else text


def _is_formula(text: str) -> bool:
    return text.lstrip(" ").startswith(_STARTS)
