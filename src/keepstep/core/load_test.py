"""A load test of an Exchange server: what is tried, and when it is enough.

More and more connections poll mailboxes, each mailbox by one request at a time, as rounds do. It
ends where more of them no longer pay, and at the first sign that the server has had enough. What
follows from the measurements for the settings is in `load_advice`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import ceil
from statistics import median

from keepstep.core.breaker import UNREACHABLE
from keepstep.core.lockout import SIGN_IN_REFUSED

# EWSMaxConcurrency of the default throttling policy.
MOST_ON_2010 = 10
MOST_SINCE_2013 = 27

# What a step needs to say something: so many answers, and so many for each connection.
FEWEST_ANSWERS = 50
ANSWERS_A_CONNECTION = 10
# With fewer than this a step that was cut short is not judged by.
ENOUGH_ANSWERS = 10
# More connections pay while the answers per second grow by this factor ...
GROWS = 1.1
# ... and an answer takes no longer than so many times what it took at best.
SLOWER = 2.0

# So much of a server's time may one mailbox take in all. Microsoft's default policies allow a
# mailbox more than that within a minute: half of it on 2010, a burst of five minutes since 2013.
MAILBOX_SECONDS = 25.0

OPENING_SIZE = 100
PAGE_SIZES = (50, 100, 200, 512)
ITEM_SIZES = (10, 20, 50, 100, 200)
TRIES = 4
# Larger requests hold up the mailbox's other readers, and come near to time limits on the way.
LONGEST_ANSWER = 5.0

# Up to which share of requests and seconds each part may go; the rest is for the steps.
OPENING_SHARE = 0.25
SIZES_SHARE = 0.5
# A step may take this share of the seconds that are left.
STEP_SHARE = 0.5

_BUSY = frozenset({"server-busy", "timed-out"})
_ENDS = UNREACHABLE | {SIGN_IN_REFUSED, "wrong-exchange-version"}


class Sign(StrEnum):
    """What a failure says: the server has had enough, nothing more is to be sent, or one is off."""

    BUSY = "busy"
    ENDS = "ends"
    OF_MAILBOX = "mailbox"


class Ended(StrEnum):
    """Why no more connections were tried."""

    ALL = "all"
    FLAT = "flat"
    SLOW = "slow"
    BUSY = "busy"
    FAILED = "failed"
    MAILBOXES = "mailboxes"
    REQUESTS = "requests"
    SECONDS = "seconds"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a load test may do at most: connections at once, requests and seconds in all."""

    connections: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Level:
    """A step to come: so many connections, answers that are not counted, and those that are."""

    connections: int
    warm_up: int
    answers: int

    @property
    def requests(self) -> int:
        """How many requests it takes."""
        return self.warm_up + self.answers


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps to come, and why there are no more of them."""

    levels: tuple[Level, ...]
    ended: Ended


@dataclass(frozen=True, slots=True)
class Step:
    """What was measured with so many connections: in `seconds`, how long each answer took.

    `busy`: the server gave a sign that it had enough.
    """

    connections: int
    seconds: float
    answers: tuple[float, ...]
    busy: bool = False

    @property
    def is_enough(self) -> bool:
        """Say whether one can judge by it."""
        return len(self.answers) >= max(ENOUGH_ANSWERS, self.connections) and self.seconds > 0

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return len(self.answers) / self.seconds if self.seconds > 0 else 0.0

    @property
    def median(self) -> float:
        """Seconds that half of the answers took at most; 0 without any."""
        return median(self.answers) if self.answers else 0.0

    @property
    def slowest(self) -> float:
        """Seconds that 95 of 100 answers took at most; 0 without any."""
        place = ceil(0.95 * len(self.answers)) - 1
        return sorted(self.answers)[place] if self.answers else 0.0


@dataclass(frozen=True, slots=True)
class Tried:
    """How long answers of exactly `size` entries took, in seconds."""

    size: int
    answers: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds that half of the answers took at most."""
        return median(self.answers)

    @property
    def per_entry(self) -> float:
        """Seconds for each entry."""
        return self.median / self.size


def most_connections(version: str) -> int:
    """Give how many connections a server of this `exchange_version` lets one account have."""
    return MOST_ON_2010 if version == "Exchange2010" else MOST_SINCE_2013


def plan(bounds: Bounds, mailboxes: int, requests: int) -> Plan:
    """Give the steps that so many mailboxes, and the requests that are left, allow."""
    levels: list[Level] = []
    for connections in _doubling(min(bounds.connections, mailboxes)):
        answers = max(FEWEST_ANSWERS, ANSWERS_A_CONNECTION * connections)
        level = Level(connections, connections, answers)
        requests -= level.requests
        if requests < 0:
            return Plan(tuple(levels), Ended.REQUESTS)
        levels.append(level)
    return Plan(tuple(levels), Ended.MAILBOXES if mailboxes < bounds.connections else Ended.ALL)


def expected_requests(bounds: Bounds, mailboxes: int) -> int:
    """Give about how many requests a test takes that goes to its end."""
    opened = min(bounds.connections, mailboxes)
    sizes = TRIES * (len(PAGE_SIZES) + len(ITEM_SIZES))
    steps = plan(bounds, opened, bounds.requests).levels
    return min(bounds.requests, opened + sizes + sum(each.requests for each in steps))


def _doubling(most: int) -> list[int]:
    """Give 1, 2, 4, … and at last `most`."""
    found = []
    connections = 1
    while connections < most:
        found.append(connections)
        connections *= 2
    return [*found, most] if most > 0 else []


def verdict(steps: Sequence[Step]) -> Ended | None:
    """Say whether the last of the steps shows that more connections do not pay; None: go on."""
    *before, last = steps
    if last.busy:
        return Ended.BUSY
    judged = [each for each in before if each.is_enough]
    if not judged or not last.is_enough:
        return None
    if last.per_second < GROWS * judged[-1].per_second:
        return Ended.FLAT
    if last.median > SLOWER * min(each.median for each in judged):
        return Ended.SLOW
    return None


def may_be_larger(tried: Sequence[Tried]) -> bool:
    """Say whether a larger size may be tried after these."""
    return not tried or tried[-1].median <= LONGEST_ANSWER


def sign_of(code: str, pause: timedelta | None) -> Sign:
    """Say what a failure of this code means for the test; any pause asked for ends it."""
    if pause is not None or code in _BUSY:
        return Sign.BUSY
    return Sign.ENDS if code in _ENDS else Sign.OF_MAILBOX


def chosen(of: Sequence[int], count: int) -> list[int]:
    """Give so many of them, evenly spread, then as many again for those that can't be read.

    Neighbours often share a database of the server, which is not to bear it all.
    """
    first = _spread(of, count)
    taken = set(first)
    return first + _spread([each for each in of if each not in taken], count)


def _spread(of: Sequence[int], count: int) -> list[int]:
    if count >= len(of):
        return list(of)
    return [of[place * len(of) // count] for place in range(count)]
