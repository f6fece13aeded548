"""When a mailbox that was told of is polled: at once, and once more when a burst is over.

Whoever drags a series about, or imports a hundred appointments, makes a hundred notifications: the
first is answered by a round at once, the rest together by one when it has become quiet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

CALM_SECONDS = 5.0
"""A notification so long after the last round begins nothing anew: it is answered at once."""
QUIET_SECONDS = 0.4
LONGEST_SECONDS = 10.0
"""However long a burst lasts, what came first waits no longer."""
AT_ONCE_SECONDS = 0.03
"""A server often tells of one change twice: a moment lets both be one."""


@dataclass(frozen=True, slots=True)
class Told:
    """Notifications of one mailbox that no round has answered; seconds of a monotonic clock."""

    first: float
    latest: float

    def again(self, at: float) -> Told:
        """Give what is waiting after one more notification."""
        return replace(self, latest=max(self.latest, at))


def due_at(told: Told, last_round: float | None) -> float:
    """Give when the round is to begin; `last_round` is when the one before began (None: never)."""
    if last_round is None or told.first - last_round > CALM_SECONDS:
        return told.first + AT_ONCE_SECONDS
    return min(told.latest + QUIET_SECONDS, told.first + LONGEST_SECONDS)
