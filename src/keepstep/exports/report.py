"""An export as it is asked for: which report, of whom, from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import IO, TypeVar

from keepstep.core.errors import UsageError
from keepstep.exports import contacts, meetings
from keepstep.exports.columns import CONTACTS, MEETINGS, Column, Line
from keepstep.exports.files import Format, write
from keepstep.store.seen import SeenOperator

One = TypeVar("One")


class Kind(StrEnum):
    """Which report: all meetings, or who met whom."""

    MEETINGS = "meetings"
    CONTACTS = "contacts"


@dataclass(frozen=True, slots=True)
class Report:
    """A report of some operators' meetings from `first` to `last` (exclusive).

    `most` is how many meetings it may have; None: any number.
    """

    kind: Kind
    first: date
    last: date
    include_cancelled: bool = False
    most: int | None = None

    def write(
        self, members: Iterable[SeenOperator], form: Format, target: IO[bytes]
    ) -> tuple[int, int]:
        """Write it; give how many lines it has, of how many meetings.

        Raises UsageError if there are too many: the file is of no use then.
        """
        counted = _Counted(self.most)
        cancelled = self.include_cancelled and self.kind is Kind.MEETINGS
        found = counted.each(
            meetings.met(members, self.first, self.last, include_cancelled=cancelled)
        )
        columns, lines = self._table(found)
        lines_counted = _Counted(None)
        write(columns, lines_counted.each(lines), form, target)
        return lines_counted.count, counted.count

    def _table(self, found: Iterable[meetings.Met]) -> tuple[tuple[Column, ...], Iterator[Line]]:
        if self.kind is Kind.CONTACTS:
            return CONTACTS, contacts.lines(found)
        return MEETINGS, meetings.lines(found)

    def file_name(self, whose: str, form: Format) -> str:
        """Give what to call the file: what, of whom, from when to when (the last day)."""
        plain = "".join(each if each.isalnum() or each in "@.-" else "-" for each in whose)
        last = date.fromordinal(self.last.toordinal() - 1)
        return f"{self.kind}-{plain[:60]}-{self.first}-{last}.{form}"


class _Counted:
    def __init__(self, most: int | None) -> None:
        self.count, self._most = 0, most

    def each(self, found: Iterable[One]) -> Iterator[One]:
        for one in found:
            self.count += 1
            if self._most is not None and self.count > self._most:
                raise UsageError(
                    f"these are more than {self._most:,} meetings: ask for fewer days or people,"
                    " or use the command keepstep export, which writes any number."
                )
            yield one
