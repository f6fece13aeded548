"""Which column of a file is which field of an operator: as named, guessed, or said by a person.

Columns are given as one target for each place of the heading, None for a column that is ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from keepstep.core.errors import UsageError
from keepstep.store.fields import did_you_mean, read_email, shown
from keepstep.store.import_files import Table

FIRST_NAME = "first_name"
LAST_NAME = "last_name"
# What a column can be. First and last name make the name, where a file has them apart.
TARGETS = (
    "email",
    "name",
    FIRST_NAME,
    LAST_NAME,
    "calendar_sync",
    "access_group",
    "time_zone",
)
# The column that a file of refused rows has beside the original ones.
PROBLEM = "problem"
LONGEST_NAMED = 200
_ROWS_LOOKED_AT = 50

Columns = tuple[str | None, ...]

# Headings that people and other programs use, English and German, as `_plain` writes them.
_SYNONYMS = {
    "email": "email|e mail|mail|email address|e mail address|mail address|smtp|smtp address"
    "|primary smtp address|primarysmtpaddress|user principal name|userprincipalname|upn|operator"
    "|email adresse|e mail adresse|mailadresse|mail adresse|e mailadresse|emailadresse",
    "name": "name|full name|fullname|display name|displayname|operator name|person|user name"
    "|vollstandiger name|anzeigename|mitarbeiter|vor und nachname",
    FIRST_NAME: "first name|firstname|given name|givenname|forename|vorname",
    LAST_NAME: "last name|lastname|surname|family name|sn|nachname|familienname|zuname",
    "calendar_sync": "calendar sync|calendarsync|sync|synchronize|synchronise|sync enabled"
    "|calendar|calendar integration|enabled|active|kalenderabgleich|kalender abgleich|abgleich"
    "|kalender|kalendersynchronisation|kalender sync|synchronisieren|aktiv|eingeschaltet",
    "access_group": "access group|accessgroup|group|team|department|role|unit|zugriffsgruppe"
    "|gruppe|abteilung|bereich|mannschaft",
    "time_zone": "time zone|timezone|tz|iana time zone|operator time zone|default time zone"
    "|zeitzone",
}
_BY_HEADING = {
    heading: target for target, headings in _SYNONYMS.items() for heading in headings.split("|")
}


def named(table: Table) -> tuple[Columns, tuple[str, ...]]:
    """Give the columns called as the fields are, in any case, and a note on those ignored.

    Raises UsageError, without the file's name, where the column email is missing or one comes
    twice.
    """
    names = [cell.strip().casefold() for cell in table.heading]
    fields = [each for each in TARGETS if each not in {FIRST_NAME, LAST_NAME}]
    if "email" not in names:
        found = ", ".join(name for name in names if name)
        raise UsageError(f"has no column email (its columns: {found[:LONGEST_NAMED]}).")
    twice = [name for name in fields if names.count(name) > 1]
    if twice:
        raise UsageError(f"has the column {twice[0]} more than once.")
    columns = tuple(name if name in fields else None for name in names)
    return columns, ignored(table.heading, columns)


def ignored(heading: Sequence[str], columns: Columns) -> tuple[str, ...]:
    """Give a note that names the columns which are ignored, if there are any."""
    names = [
        cell.strip().casefold()
        for cell, target in zip(heading, columns, strict=True)
        if target is None and cell.strip() and cell.strip().casefold() != PROBLEM
    ]
    return (f"columns ignored: {', '.join(names)[:LONGEST_NAMED]}.",) if names else ()


def guess(table: Table, saved: Mapping[str, str | None] | None = None) -> Columns:
    """Guess the columns: by a saved mapping first, by their headings, the address by the cells.

    `saved` is target by heading (see `to_save`). No target is given twice.
    """
    known = {key(heading): target for heading, target in (saved or {}).items()}
    guessed: list[str | None] = []
    for heading in table.heading:
        target = known[key(heading)] if key(heading) in known else _BY_HEADING.get(_plain(heading))
        guessed.append(None if target in guessed else target)
    if "name" in guessed:
        guessed = [None if each in {FIRST_NAME, LAST_NAME} else each for each in guessed]
    if "email" not in guessed:
        place = _place_of_addresses(table, guessed)
        if place is not None:
            guessed[place] = "email"
    return tuple(guessed)


def check(heading: Sequence[str], columns: Sequence[str | None]) -> Columns:
    """Give the columns that a person said. Raises UsageError for those that can't be."""
    if len(columns) != len(heading):
        raise UsageError(f"the file has {len(heading)} columns: say what each one is.")
    chosen = [each for each in columns if each]
    for target in chosen:
        if target not in TARGETS:
            near = did_you_mean(target, TARGETS)
            hint = f"; did you mean {near}?" if near else f"; there are {', '.join(TARGETS)}."
            raise UsageError(f"a column can't be {shown(target)}{hint}")
        if chosen.count(target) > 1:
            raise UsageError(f"two columns can't both be {target}.")
    if "email" not in chosen:
        raise UsageError("one column must be the e-mail address: it tells who is who.")
    if "name" in chosen and {FIRST_NAME, LAST_NAME} & set(chosen):
        raise UsageError("name is the whole name: a first or last name can't be beside it.")
    return tuple(each or None for each in columns)


def to_save(heading: Sequence[str], columns: Columns) -> dict[str, str | None]:
    """Give the columns as a mapping to save: target by heading, for files made alike."""
    return {
        key(cell): target
        for cell, target in zip(heading, columns, strict=True)
        if key(cell) and key(cell) != PROBLEM
    }


def by_saved(heading: Sequence[str], saved: Mapping[str, str | None]) -> Columns:
    """Give the columns that a saved mapping alone says. Raises UsageError as `check` does."""
    return check(heading, [saved.get(key(cell)) for cell in heading])


def key(heading: str) -> str:
    """Give a heading as saved mappings know it."""
    return " ".join(heading.casefold().split())[:LONGEST_NAMED]


def _plain(heading: str) -> str:
    """Give a heading without case, accents and punctuation."""
    split = unicodedata.normalize("NFKD", heading.casefold())
    bare = "".join(each for each in split if not unicodedata.combining(each))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _place_of_addresses(table: Table, guessed: Sequence[str | None]) -> int | None:
    """Give the first column, not yet taken, whose cells are addresses for the most part."""
    rows = table.rows[:_ROWS_LOOKED_AT]
    for place, target in enumerate(guessed):
        cells = [row.cells[place] for row in rows if place < len(row.cells)]
        filled = [cell for cell in cells if cell.strip()]
        if target is None and filled and sum(map(_is_address, filled)) * 2 > len(filled):
            return place
    return None


def _is_address(cell: str) -> bool:
    try:
        return bool(read_email(cell))
    except ValueError:
        return False
