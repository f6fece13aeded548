"""What goes wrong: an ordered list of (which request, which fault) that reads as a story.

A request takes every fault of the list that holds for it, in order, up to the first that answers
in its place. Kinds that answer in place of the server are in ``refusals``, those that spoil what it
answered in ``spoiling``; those that act before the work are here. Those that strike notifications
are in ``transit``, and strike nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from keepstep_simulator.ews.envelope import Envelope, M
from keepstep_simulator.ews.get_item import ids_in
from keepstep_simulator.ews.versions import ServerVersion
from keepstep_simulator.face import Answer
from keepstep_simulator.refusals import REFUSALS
from keepstep_simulator.spoiling import SPOILINGS
from keepstep_simulator.transit import MISHAPS

PREPARATIONS = ("state-ignored", "garbage-state-accepted", "deleted-meanwhile")
KINDS = frozenset((*REFUSALS, *SPOILINGS, *PREPARATIONS, *MISHAPS))


class Fault:
    """One line of the story.

    ``kind`` is one of KINDS; ``operation`` and ``mailbox`` say for which requests (None: all);
    ``times`` how often it strikes (None: for ever); ``probability`` how likely each time, drawn
    from the simulator's seed. Further parameters are the kind's own.
    """

    __slots__ = ("kind", "left", "mailbox", "operation", "params", "probability")

    def __init__(
        self,
        kind: str,
        operation: str | None = None,
        mailbox: str | None = None,
        times: int | None = 1,
        probability: float | None = None,
        **params: Any,
    ) -> None:
        """Take the line; an unknown kind raises ValueError."""
        if kind not in KINDS:
            raise ValueError(f"no fault of that kind: {kind}")
        self.kind = kind
        self.operation = operation
        self.mailbox = None if mailbox is None else mailbox.lower()
        self.left = times
        self.probability = probability
        self.params = params

    def __repr__(self) -> str:
        """Give the line, for the message of a failing test."""
        return f"Fault({self.kind!r}, {self.operation!r}, {self.mailbox!r}, left={self.left})"

    def concerns(self, operation: str, mailbox: str | None) -> bool:
        """Whether it holds for a request, luck aside."""
        return (
            self.left != 0
            and self.operation in (None, operation)
            and self.mailbox in (None, (mailbox or "").lower())
        )


@dataclass(frozen=True, slots=True)
class Damage:
    """The faults that strike one request."""

    faults: tuple[Fault, ...] = ()

    @property
    def kind(self) -> str | None:
        """The kinds, joined by ``+``; None if nothing strikes."""
        return "+".join(each.kind for each in self.faults) or None

    @property
    def code(self) -> str | None:
        """The EWS error code that a refusal gives, if it gives one."""
        for each in self.faults:
            if each.kind in ("busy-fault", "busy-inner"):
                return "ErrorServerBusy"
            if each.kind in REFUSALS and "code" in each.params:
                return str(each.params["code"])
        return None

    def instead(self, version: ServerVersion, envelope: Envelope) -> Answer | None:
        """Give the answer given in place of the server's, if any."""
        for each in self.faults:
            if each.kind in REFUSALS:
                return REFUSALS[each.kind](version, envelope, each.params)
        return None

    def prepare(
        self,
        envelope: Envelope,
        knows: Callable[[str], bool],
        delete: Callable[[str], None],
    ) -> None:
        """Act before the work: leave a sync state out, or delete what is asked for.

        ``knows`` tells whether a sync state is good; ``delete`` removes an item if it is there.
        """
        for each in self.faults:
            if each.kind == "deleted-meanwhile":
                wanted = envelope.body.find(M + "ItemIds")
                if wanted is not None:
                    for item_id in ids_in(wanted)[: each.params.get("count", 1)]:
                        delete(item_id)
            elif each.kind in PREPARATIONS:
                state = envelope.body.find(M + "SyncState")
                if state is not None and (
                    each.kind == "state-ignored" or not knows(state.text or "")
                ):
                    envelope.body.remove(state)

    def spoil(self, answer: Answer, envelope: Envelope) -> Answer:
        """Give the server's answer with every spoiling done to it, in order."""
        for each in self.faults:
            if each.kind in SPOILINGS:
                answer = SPOILINGS[each.kind](answer, envelope, each.params)
        return answer


_NONE = Damage()


class Faults:
    """The list. Deterministic: luck comes from the generator given."""

    def __init__(self, random: Random) -> None:
        """Take the generator that decides where faults have a probability."""
        self._random = random
        self._faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Write further lines at the end of the story."""
        self._faults.extend(faults)

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self._faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        """Give the lines that can still strike."""
        return iter([each for each in self._faults if each.left != 0])

    def __len__(self) -> int:
        """How many lines can still strike."""
        return sum(1 for _ in self)

    def pick(self, operation: str, mailbox: str | None) -> Damage:
        """Give the faults that strike a request; each that does is used up by one."""
        if not self._faults:
            return _NONE
        struck = []
        for each in self._faults:
            if each.kind in MISHAPS or not each.concerns(operation, mailbox):
                continue
            if not self._strikes(each):
                continue
            struck.append(each)
            if each.kind in REFUSALS:
                break
        self._faults = [each for each in self._faults if each.left != 0]
        return Damage(tuple(struck))

    def pick_mishap(
        self, kinds: tuple[str, ...], operation: str, mailbox: str, what: str
    ) -> Fault | None:
        """Give the first fault of those kinds that strikes a notification, used up by one.

        ``operation`` is SendNotification or GetStreamingEvents; ``what`` is told is ``change`` or
        ``status``, which a fault may name by its parameter ``what``.
        """
        for each in self._faults:
            if (
                each.kind in kinds
                and each.concerns(operation, mailbox)
                and each.params.get("what", what) == what
                and self._strikes(each)
            ):
                return each
        return None

    def _strikes(self, fault: Fault) -> bool:
        """Whether luck has it; if so, it is used up by one."""
        if fault.probability is not None and self._random.random() >= fault.probability:
            return False
        if fault.left is not None:
            fault.left -= 1
        return True
