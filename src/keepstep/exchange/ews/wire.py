"""The names and plain values of EWS: namespaces, tags, times, dates, durations, numbers.

Every reader raises `Malformed` for what it can't understand, naming the element and never its
text: what a mailbox holds must not reach a log.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from lxml.etree import _Element

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
# The second spelling is that of many examples in Microsoft's documentation.
SOAP_NAMESPACES = (
    "http://schemas.xmlsoap.org/soap/envelope/",
    "https://schemas.xmlsoap.org/soap/envelope/",
)

M = f"{{{MESSAGES}}}"
T = f"{{{TYPES}}}"

_LONGEST_NAME = 80

_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,7}(?:\.\d+)?)S)?)?"
)
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,9}")
# fromisoformat knows basic formats and week dates as well, which no schema has.
_LIKE_A_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_LIKE_A_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:$|[T+\-Z])")


class Malformed(Exception):
    """An element holds what it must not; `str()` names the element and the kind of fault."""

    def __init__(self, tag: str, fault: str) -> None:
        super().__init__(f"{local_name(tag)}: {fault}")


def local_name(tag: str) -> str:
    """Give a tag's name without its namespace, no longer than any that a schema has."""
    return tag.rpartition("}")[2][:_LONGEST_NAME]


def text_of(element: _Element) -> str:
    """Give an element's text as it stands, "" where it has none."""
    return element.text or ""


def token_of(element: _Element) -> str:
    """Give an element's text without the white space around it, as schemas read tokens."""
    return (element.text or "").strip()


def word_of(element: _Element) -> str:
    """Give a word of an enumeration in lower case: not every server keeps to the schema's."""
    return (element.text or "").strip().lower()


def moment_of(element: _Element) -> datetime:
    """Read a dateTime: aware and in UTC, or naive where the wire names no offset.

    Fractional seconds of any length are read; what is below a microsecond is dropped.
    """
    try:
        return _moment(element.text or "")
    except (ValueError, OverflowError):
        raise Malformed(element.tag, "not a date and time") from None


# Start and end come twice, with the listing and with the item.
@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    text = text.strip()
    if not _LIKE_A_TIME.match(text):
        raise ValueError
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def date_of(element: _Element) -> date:
    """Read a calendar date as it is written: an offset or a time after it is dropped.

    The schema has a date here, and Exchange writes the offset of the item's zone after it; some
    servers send a dateTime. Applying the offset would move the date.
    """
    found = _LIKE_A_DATE.match(token_of(element))
    try:
        if found is None:
            raise ValueError
        return date.fromisoformat(found[1])
    except ValueError:
        raise Malformed(element.tag, "not a date") from None


def number_of(element: _Element, lowest: int, highest: int) -> int:
    """Read a whole number within the bounds."""
    text = token_of(element)
    if not _WHOLE_NUMBER.fullmatch(text) or not lowest <= int(text) <= highest:
        raise Malformed(element.tag, f"not a whole number from {lowest} to {highest}")
    return int(text)


def truth_of(element: _Element) -> bool:
    """Read a boolean: true, false, 1, 0."""
    text = element.text
    if text == "false":
        return False
    text = (text or "").strip()
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise Malformed(element.tag, "neither true nor false")


def duration(text: str, tag: str) -> timedelta:
    """Read an xs:duration of days and less (`-PT60M`, `PT2H`, `P1D`)."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found[part] for part in ("days", "hours", "minutes", "seconds")):
        raise Malformed(tag, "not a duration")
    length = timedelta(
        days=int(found["days"] or 0),
        hours=int(found["hours"] or 0),
        minutes=int(found["minutes"] or 0),
        seconds=float(found["seconds"] or 0),
    )
    return -length if found["sign"] else length


def child(element: _Element, tag: str) -> _Element:
    """Give the first child of that tag; one that must be there is missed aloud."""
    found = element.find(tag)
    if found is None:
        raise Malformed(element.tag, f"{local_name(tag)} is missing")
    return found
