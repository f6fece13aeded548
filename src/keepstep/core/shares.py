"""How the connections to one Exchange server are shared out among all processes together."""

from __future__ import annotations

from dataclasses import dataclass

SHARD_SIZE = 250
"""Mailboxes that are handed out together."""
# Below so many connections there is no lane of its own for first rounds.
_LEAST_FOR_LANES = 4
_LIVING_JOBS = 4
_FIRST_JOBS = 2


@dataclass(frozen=True, slots=True)
class Share:
    """So many jobs at once in all processes together, with so many connections each."""

    jobs: int
    connections: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Who may have how many: shards that are kept in step, first rounds, notified rounds.

    All together they never have more than the limit. `first.jobs` is 0 where the limit is too low
    to divide: first rounds go with the others then.
    """

    living: Share
    first: Share
    notified: int


def shares_of(limit: int) -> Shares:
    """Divide the limit of connections (1 or more) among the kinds of work."""
    if limit < _LEAST_FOR_LANES:
        return Shares(Share(1, limit), Share(0, 0), 0)
    fifth = max(limit // 5, 1)
    rest = limit - 2 * fifth
    jobs = min(_LIVING_JOBS, rest)
    lanes = min(_FIRST_JOBS, fifth)
    return Shares(Share(jobs, rest // jobs), Share(lanes, fifth // lanes), fifth)


def fair_share(share: Share, members: int) -> int:
    """Give how many of the share's jobs one of so many processes should have in hand at once.

    All together may have `share.jobs`; whoever is quickest shall not have most of them.
    """
    return -(-share.jobs // members)


def shard_of(mailbox_id: int) -> int:
    """Give the shard that a mailbox belongs to."""
    return mailbox_id // SHARD_SIZE
