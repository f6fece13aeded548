"""Reading what a person typed into one field: each function gives the value or says why not.

The reasons are the ends of a sentence that begins with the field's name.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST_LINE = 200
# The context of a job that means everybody: no group can be called so.
EVERYBODY = "system"
_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})


def read_switch(text: str) -> bool:
    """Read on/off, true/false, yes/no or 1/0, in any case. Raises ValueError."""
    word = text.strip().casefold()
    if word in _ON:
        return True
    if word in _OFF:
        return False
    raise ValueError(f"must be on or off (true or false), not {shown(text)}")


def read_number(text: str, lowest: int, highest: int) -> int:
    """Read a whole number within bounds. Raises ValueError."""
    word = text.strip()
    if word.isascii() and word.removeprefix("-").isdigit() and len(word) < 10:
        number = int(word)
        if lowest <= number <= highest:
            return number
    raise ValueError(f"must be a whole number from {lowest} to {highest}, not {shown(text)}")


def read_line(text: str) -> str:
    """Read one line of text without control characters. Raises ValueError."""
    line = text.strip()
    if len(line) > LONGEST_LINE:
        raise ValueError(f"must have at most {LONGEST_LINE} characters, not {len(line)}")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in line):
        raise ValueError("must be one line without control characters")
    return line


def read_group(text: str) -> str:
    """Read the name of an access group, "" for none. Raises ValueError."""
    group = read_line(text)
    if group.casefold() == EVERYBODY:
        raise ValueError(f"must not be {shown(group)}: to a job that means every operator")
    return group


def read_email(text: str) -> str:
    """Read an e-mail address; its spelling is kept. Raises ValueError."""
    address = text.strip()
    if not address:
        raise ValueError("is empty")
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError(f"must be an e-mail address, not {shown(text)}") from None
    # What is no ASCII can stand in the domain only, and databases differ in its lower case.
    return address if address.isascii() else address.lower()


def read_zone(text: str) -> str:
    """Read the IANA name of a time zone, in any case. Raises ValueError."""
    names = _zones()
    name = names.get(text.strip().casefold())
    if name is None:
        near = did_you_mean(text.strip().casefold(), names)
        hint = f"; did you mean {names[near]}?" if near else ""
        raise ValueError(
            f"must be an IANA time zone such as Europe/Berlin, not {shown(text)}{hint}"
        )
    return name


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Give the name most like the word, or "" if none is like it."""
    near = difflib.get_close_matches(word[:LONGEST_LINE], list(names), n=1)
    return near[0] if near else ""


def sentence(reasons: Sequence[str]) -> str:
    """Give the reasons as one line with an end."""
    line = "; ".join(reasons)
    return line if line.endswith("?") else f"{line}."


def shown(text: str) -> str:
    """Give what was typed as it may stand in a message: quoted, short, on one line."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() - _NO_ZONES}
