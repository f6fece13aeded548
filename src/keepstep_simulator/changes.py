"""The change feed of one folder: what a client that saw so much has yet to see.

Every change of an item takes the next number; an item is listed once, under its newest number, so
several changes between two syncs are one. A state is the set of numbers seen.
"""

from dataclasses import dataclass, field

from keepstep_simulator.ids import SyncState

_KEPT_NUMBERS = 32


@dataclass(slots=True)
class _Track:
    numbers: list[int]
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a page: ``what`` is ``create``, ``update`` or ``delete``."""

    what: str
    item_id: str


@dataclass(slots=True)
class ChangeFeed:
    """The numbers of a folder's items, living and gone."""

    newest: int = 0
    generation: int = 0
    serial: int = 0
    _tracks: dict[str, _Track] = field(default_factory=dict)
    _log: list[tuple[int, str]] = field(default_factory=list)

    def note(self, item_id: str, *, alive: bool = True) -> int:
        """Note that an item was created or changed (not alive: went); gives the change's number."""
        self.newest += 1
        track = self._tracks.setdefault(item_id, _Track([]))
        track.numbers.append(self.newest)
        track.alive = alive
        if len(track.numbers) > _KEPT_NUMBERS:
            del track.numbers[1]
        self._log.append((self.newest, item_id))
        if len(self._log) > 1000 + 4 * len(self._tracks):
            self._log = [each for each in self._log if self._is_current(*each)]
        return self.newest

    def forget_states(self) -> None:
        """Refuse every state given so far."""
        self.generation += 1

    def knows(self, state: SyncState) -> bool:
        """Whether a state is one that this folder gave, and has not forgotten."""
        return state.generation == self.generation and (
            not state.seen or state.seen[-1][1] <= self.newest
        )

    def page(self, state: SyncState, limit: int) -> tuple[list[Change], SyncState, bool]:
        """Up to ``limit`` changes, newest first; the state after them; whether that was all."""
        self.serial += 1
        seen = state.seen
        if len(seen) == 1 and seen[0] == (0, self.newest):
            return [], SyncState(seen, self.generation, self.serial), True
        found: list[Change] = []
        lowest = 0
        for number, item_id in self._unseen(seen):
            change = self._change(item_id, seen)
            if change is None:
                continue
            if len(found) == limit:
                after = _with(seen, lowest, self.newest)
                return found, SyncState(after, self.generation, self.serial), False
            found.append(change)
            lowest = number
        done = SyncState(((0, self.newest),), self.generation, self.serial)
        return found, done, True

    def _unseen(self, seen: tuple[tuple[int, int], ...]) -> list[tuple[int, str]]:
        floor = seen[0][1] if seen and seen[0][0] == 0 else 0
        entries = []
        for number, item_id in reversed(self._log):
            if number <= floor:
                break
            if self._is_current(number, item_id) and not _covers(seen, number):
                entries.append((number, item_id))
        return entries

    def _is_current(self, number: int, item_id: str) -> bool:
        return self._tracks[item_id].numbers[-1] == number

    def _change(self, item_id: str, seen: tuple[tuple[int, int], ...]) -> Change | None:
        track = self._tracks[item_id]
        listed = any(_covers(seen, number) for number in track.numbers[:-1])
        if not track.alive:
            return Change("delete", item_id) if listed else None
        return Change("update" if listed else "create", item_id)


def _covers(seen: tuple[tuple[int, int], ...], number: int) -> bool:
    return any(low <= number <= high for low, high in seen)


def _with(seen: tuple[tuple[int, int], ...], low: int, high: int) -> tuple[tuple[int, int], ...]:
    """Give the intervals with one more, which swallows those that lie in it or touch it."""
    kept = [each for each in seen if each[1] < low - 1 or each[0] > high + 1]
    touching = [each for each in seen if each not in kept]
    for each in touching:
        low, high = min(low, each[0]), max(high, each[1])
    return tuple(sorted([*kept, (low, high)]))
