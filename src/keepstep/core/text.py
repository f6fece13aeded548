"""Text of any origin, made fit to be kept and shown: of allowed characters and not too long.

HTML becomes text in `html_text`.
"""

from __future__ import annotations

import re

LONGEST = 5_000_000
CUT_MARK = "\n[cut here: the text is longer than Keepstep keeps]"

# What XML 1.0 (2.2) forbids, and DEL; a surrogate in a Python string always stands alone.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Drop the characters that XML 1.0 forbids and lone surrogates; lines end by LF alone."""
    if text.isprintable():
        # Neither a forbidden character nor the end of a line is printable.
        return text
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def cut(text: str, limit_bytes: int = LONGEST) -> str:
    """Shorten text to a number of bytes in UTF-8, a plain mark at its end included.

    Text that fits stays as it is. A character is never cut in two. A limit shorter than the mark
    leaves the beginning of the text alone.
    """
    if len(text) * 4 <= limit_bytes:
        return text
    data = text.encode("utf-8", "replace")
    if len(data) <= limit_bytes:
        return text
    mark = CUT_MARK if limit_bytes >= 2 * len(CUT_MARK) else ""
    kept = data[: max(limit_bytes - len(mark), 0)].decode("utf-8", "ignore")
    return kept + mark


def plain_text(html: str) -> str:
    """Give an HTML page as plain text: laid out by lines, links as `text <address>`.

    Any string is taken, nothing is raised. What is no HTML comes out as it is, but for white
    space; of a page beyond twice `LONGEST` characters the rest is left out, with a mark.
    """
    # Loaded when first needed: most of what runs never meets HTML.
    from keepstep.core.html_text import text_of_page

    rest = "" if len(html) <= 2 * LONGEST else CUT_MARK
    return text_of_page(clean(html[: 2 * LONGEST])) + rest
