"""The columns of an export and their types, whatever the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """The type of a column. Any value but those of TEXT, TEXTS and BOOLEAN may be None."""

    TEXT = "text"
    TEXTS = "texts"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    """An aware datetime in UTC."""
    WALL = "wall"
    """A naive datetime: what the operator's clocks show."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and type."""

    name: str
    kind: Kind


Value = str | tuple[str, ...] | int | bool | datetime | None
Line = tuple[Value, ...]

MEETINGS = (
    Column("operator", Kind.TEXT),
    Column("operator_name", Kind.TEXT),
    Column("access_group", Kind.TEXT),
    Column("subject", Kind.TEXT),
    Column("location", Kind.TEXT),
    Column("start_utc", Kind.INSTANT),
    Column("end_utc", Kind.INSTANT),
    Column("start_local", Kind.WALL),
    Column("end_local", Kind.WALL),
    Column("time_zone", Kind.TEXT),
    Column("duration_minutes", Kind.INTEGER),
    Column("all_day", Kind.BOOLEAN),
    Column("organizer", Kind.TEXT),
    Column("organizer_name", Kind.TEXT),
    Column("attendee_count", Kind.INTEGER),
    Column("attendees", Kind.TEXTS),
    Column("external_attendees", Kind.TEXTS),
    Column("categories", Kind.TEXTS),
    Column("show_as", Kind.TEXT),
    Column("status", Kind.TEXT),
    Column("private", Kind.BOOLEAN),
    Column("uid", Kind.TEXT),
    Column("recurrence_id", Kind.INSTANT),
)
"""One line for each meeting in each operator's calendar."""

CONTACTS = (
    Column("operator", Kind.TEXT),
    Column("operator_name", Kind.TEXT),
    Column("access_group", Kind.TEXT),
    Column("contact", Kind.TEXT),
    Column("contact_name", Kind.TEXT),
    Column("external", Kind.BOOLEAN),
    Column("meetings", Kind.INTEGER),
    Column("total_minutes", Kind.INTEGER),
    Column("first_start_utc", Kind.INSTANT),
    Column("last_start_utc", Kind.INSTANT),
)
"""One line for each person that an operator met: who met whom, and how often."""
