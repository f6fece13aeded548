"""Episodes of failure: who is named in a failure e-mail, and when an episode is over.

An episode of a mailbox begins with its first failed round and ends with its next success, or when
its calendar sync is switched off. When it has lasted for `notification_frequency` minutes the
synchronization is cancelled, and the operator is named, once, in a failure e-mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

# Mailboxes that failed together reach the limit within moments of each other: one e-mail, not two.
GATHER_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Episode:
    """A mailbox that fails: since when (UTC), and with which code last."""

    mailbox_id: int
    email: str
    code: str
    since: datetime

    @property
    def key(self) -> tuple[int, datetime]:
        """Give what tells this episode from the mailbox's earlier ones."""
        return self.mailbox_id, self.since


@dataclass(frozen=True, slots=True)
class NamedEpisode:
    """An episode that an e-mail named, and how its mailbox stands now.

    `failing_since` (UTC) is None for one that does not fail, `enabled` whether it is to be read.
    """

    mailbox_id: int
    since: datetime
    failing_since: datetime | None
    enabled: bool

    @property
    def over(self) -> bool:
        """Say whether the mailbox is in step again, has been meanwhile, or is off."""
        return not self.enabled or self.failing_since != self.since


def to_be_named(
    failing: Iterable[Episode],
    named: AbstractSet[tuple[int, datetime]],
    now: datetime,
    notification_frequency: timedelta,
) -> list[Episode]:
    """Give the episodes that an e-mail is to name now, ordered by code and address.

    That is each one that has lasted `notification_frequency` and is not in `named`. While more are
    about to, they are waited for, at most for `GATHER_WITHIN` from the first.
    """
    fresh = [each for each in failing if each.key not in named]
    due = [each for each in fresh if each.since + notification_frequency <= now]
    if not due:
        return []
    send_at = min(each.since for each in due) + notification_frequency + GATHER_WITHIN
    if now < send_at and any(
        now < each.since + notification_frequency <= send_at for each in fresh
    ):
        return []
    return sorted(due, key=lambda each: (each.code, each.email))


def all_over(named: Sequence[NamedEpisode]) -> bool:
    """Say whether the last operator that an e-mail named is in step or off."""
    return all(each.over for each in named)
