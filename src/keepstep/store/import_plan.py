"""What an import would do, row by row: decided here, from values alone, before anything is stored.

The preview shows the plan, the import carries it out: they can't differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from keepstep.store.fields import read_switch
from keepstep.store.harmless import unguarded
from keepstep.store.import_columns import FIRST_NAME, LAST_NAME, Columns
from keepstep.store.import_files import Row, Table
from keepstep.store.operators import FIELDS

LONGEST_REPORTED = 200
# An empty cell of these says nothing; one of name or access_group says: none.
_EMPTY_IS_NOTHING = frozenset({"calendar_sync", "time_zone"})
# What a German spreadsheet writes for true and false, and people for yes and no.
_SWITCH_WORDS = {"wahr": "on", "ja": "on", "falsch": "off", "nein": "off"}
_DEFAULTS: dict[str, str | bool] = {
    "name": "",
    "calendar_sync": False,
    "access_group": "",
    "time_zone": "UTC",
}

Value = str | bool
Fields = dict[str, Value]
Progress = Callable[[int, int], None]


class Purpose(StrEnum):
    """What an import is for."""

    ADD = "add"
    ADD_OR_UPDATE = "add-or-update"


class Outcome(StrEnum):
    """What becomes of a row."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused: its line in the file, the column, what stood there, the reason."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """An operator that is known: its key in the database and its fields by name."""

    key: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row of the file, by its line, and what becomes of it.

    `email` is as stored, or as the cell has it. `changes` is (old, new) by field, old being None
    for an operator who is added. `key` is that of an operator who is known. `place` is the row's
    place in the table, from 0.
    """

    line: int
    place: int
    outcome: Outcome
    email: str
    changes: dict[str, tuple[Value | None, Value]]
    refusals: tuple[Refusal, ...] = ()
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does with every row, in the order of the file."""

    rows: tuple[PlannedRow, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        """Give how many rows have which outcome."""
        counted = Counter(row.outcome for row in self.rows)
        return {each: counted[each] for each in Outcome}

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Give every reason for which a row is refused, in the order of the lines."""
        return tuple(each for row in self.rows for each in row.refusals)

    @property
    def problems(self) -> dict[int, str]:
        """Give in words why rows are refused, by their place in the table."""
        return {
            row.place: "; ".join(
                f"{each.column}: {each.reason}" if each.column else each.reason
                for each in row.refusals
            )
            for row in self.of(Outcome.REFUSED)
        }

    def of(self, outcome: Outcome) -> list[PlannedRow]:
        """Give the rows with this outcome."""
        return [row for row in self.rows if row.outcome is outcome]


def keys(table: Table, columns: Columns) -> set[str]:
    """Give the keys of the addresses in the table, to find out who is known."""
    place = columns.index("email")
    return {_key(row.cells[place]) for row in table.rows if place < len(row.cells)}


def plan(table: Table, columns: Columns, purpose: Purpose, known: Mapping[str, Known]) -> Plan:
    """Decide what becomes of every row. `known` are the operators by key (see `keys`)."""
    return Plan(tuple(_Planner(table, columns, purpose, known).rows()))


class _Planner:
    """Goes through the rows, and remembers which address stood in which line."""

    def __init__(
        self, table: Table, columns: Columns, purpose: Purpose, known: Mapping[str, Known]
    ) -> None:
        self._table = table
        self._places = {target: place for place, target in enumerate(columns) if target}
        self._columns = columns
        self._purpose = purpose
        self._known = known
        self._lines: dict[str, int] = {}
        self._read_before: dict[tuple[str, str], Value] = {}

    def rows(self) -> Iterator[PlannedRow]:
        for place, row in enumerate(self._table.rows):
            yield self._planned(place, row)

    def _planned(self, place: int, row: Row) -> PlannedRow:
        cells = self._cells(row)
        email = cells.get("email", "").strip()
        refusals = self._unusable(row, cells)
        if not refusals:
            refusals = self._out_of_place(row.line, email, cells)
        if refusals:
            return _refused(place, row, email, refusals)
        read, refusals = self._read_all(row.line, cells)
        if refusals:
            return _refused(place, row, email, refusals)
        return _decided(place, row.line, read, self._known.get(_key(email)))

    def _cells(self, row: Row) -> dict[str, str]:
        """Give the cells that say something, by field."""
        cells = {
            target: unguarded(row.cells[place])
            for target, place in self._places.items()
            if place < len(row.cells)
        }
        first, last = cells.pop(FIRST_NAME, None), cells.pop(LAST_NAME, None)
        if first is not None or last is not None:
            cells["name"] = " ".join(filter(None, (first and first.strip(), last and last.strip())))
        return {
            name: cell
            for name, cell in cells.items()
            if cell.strip() or name not in _EMPTY_IS_NOTHING
        }

    def _unusable(self, row: Row, cells: Mapping[str, str]) -> list[Refusal]:
        """Refuse a row that does not fit under the heading, and cells that can't be read."""
        width = len(self._table.heading)
        extra = next((cell for cell in row.cells[width:] if cell.strip()), None)
        if extra is not None:
            reason = f"the row has more cells than the heading ({width})"
            return [Refusal(row.line, "", _short(extra), reason)]
        refusals = []
        for place, reason in row.faults:
            target = self._columns[place] if place < width else None
            if target is not None:
                name = "name" if target in {FIRST_NAME, LAST_NAME} else target
                refusals.append(Refusal(row.line, name, _short(cells.get(name, "")), reason))
        return refusals

    def _out_of_place(self, line: int, email: str, cells: Mapping[str, str]) -> list[Refusal]:
        """Refuse an address that stood above, and a known one if only new ones are to come."""
        key, value = _key(email), _short(cells.get("email", ""))
        first = self._lines.setdefault(key, line)
        if key and first != line:
            return [Refusal(line, "email", value, f"stands in line {first} already")]
        if self._purpose is Purpose.ADD and key in self._known:
            return [Refusal(line, "email", value, "is known already, and the purpose is add")]
        return []

    def _read_all(self, line: int, cells: Mapping[str, str]) -> tuple[Fields, list[Refusal]]:
        read: Fields = {}
        refusals = []
        for name in ("email", *_DEFAULTS):
            cell = cells.get(name, "" if name == "email" else None)
            if cell is None:
                continue
            try:
                read[name] = self._read(name, cell)
            except ValueError as error:
                refusals.append(Refusal(line, name, _short(cell), str(error)))
        return read, refusals

    def _read(self, name: str, cell: str) -> Value:
        """Read a cell; what was read before, as groups and zones mostly were, is remembered."""
        if name in {"email", "name"}:
            return _READ[name](cell)
        known = self._read_before.get((name, cell))
        if known is None:
            known = self._read_before[name, cell] = _READ[name](cell)
        return known


def _decided(place: int, line: int, read: Fields, known: Known | None) -> PlannedRow:
    if known is None:
        new = {"email": read["email"], **_DEFAULTS, **read}
        changes: dict[str, tuple[Value | None, Value]] = {
            name: (None, value) for name, value in new.items()
        }
        return PlannedRow(line, place, Outcome.ADDED, str(read["email"]), changes)
    changes = {
        name: (known.fields[name], value)
        for name, value in read.items()
        if name != "email" and known.fields[name] != value
    }
    outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
    return PlannedRow(line, place, outcome, str(known.fields["email"]), changes, key=known.key)


def _refused(place: int, row: Row, email: str, refusals: list[Refusal]) -> PlannedRow:
    return PlannedRow(row.line, place, Outcome.REFUSED, _short(email), {}, tuple(refusals))


def _switch(cell: str) -> bool:
    return read_switch(_SWITCH_WORDS.get(cell.strip().casefold(), cell))


_READ: dict[str, Callable[[str], Value]] = {**FIELDS, "calendar_sync": _switch}


def _key(cell: str) -> str:
    return unguarded(cell).strip().lower()


def _short(text: str) -> str:
    return text[:LONGEST_REPORTED]
