"""How it is known that there is something to read: the ways of delivery, and which a mailbox gets.

Words: a *way* is push, streaming or polling. A mailbox is *heard of* when a notification or a sign
of life of its subscription arrives; while that is not overdue it is *covered*, and polled only once
in a *safety poll*. Push is *proven* once Exchange was heard at the listener's address: until then
only a few mailboxes probe it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

OVERDUE = timedelta(minutes=2)
"""So long after a sign of life was due the mailbox is polled at the job's schedule again."""
SIGN_OF_LIFE = timedelta(seconds=60)
"""A stream that is silent for longer has missed a sign of life; servers send one every 30-45 s."""
PROBES = 5
PROBE_PATIENCE = timedelta(minutes=2)
"""Exchange calls a new address at once; after so long without, the other ways serve."""


class Delivery(StrEnum):
    """What the administrator chose."""

    AUTOMATIC = "automatic"
    PUSH = "push"
    STREAMING = "streaming"
    POLLING = "polling"


class Way(StrEnum):
    """How changes of one mailbox come to be known."""

    PUSH = "push"
    STREAMING = "streaming"
    POLLING = "polling"


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription as it stands. Instants are UTC.

    `heard_at` is when it was last heard of (None: never), `ours` whether this process made it or
    took it on: one of an earlier process is renewed.
    """

    way: Way
    subscription_id: str
    folder_id: str
    address: str
    watermark: str
    subscribed_at: datetime
    heard_at: datetime | None
    ours: bool

    @property
    def silent_since(self) -> datetime:
        """Give since when nothing was heard of it."""
        return max(self.subscribed_at, self.heard_at or self.subscribed_at)


@dataclass(frozen=True, slots=True)
class Watched:
    """A mailbox as far as delivery goes.

    `wanted`: its calendar sync is on and it had a round, in the folder `folder_id` of the mailbox
    `address`. `retry_at`: a subscription was refused, and is asked for again then.
    """

    mailbox_id: int
    address: str
    time_zone: str
    folder_id: str
    wanted: bool
    standing: Standing | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of the ways to this server: which serve, in order, and whether push is proven.

    `probing_since` is when the first probe of push was made (None: not yet).
    """

    ways: tuple[Way, ...]
    frequency: timedelta
    push_proven: bool = False
    probing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: subscriptions to make (or renew) by a way, and to end."""

    subscribe: tuple[tuple[Watched, Way], ...] = ()
    end: tuple[Watched, ...] = ()


def ways_of(delivery: Delivery, *, has_address: bool, refused: Collection[Way]) -> tuple[Way, ...]:
    """Give the ways to try, the best first, polling not among them: it is what remains.

    `has_address`: the setting notification_url says where Exchange reaches this server.
    """
    asked = {
        Delivery.AUTOMATIC: (Way.PUSH, Way.STREAMING),
        Delivery.PUSH: (Way.PUSH,),
        Delivery.STREAMING: (Way.STREAMING,),
        Delivery.POLLING: (),
    }[delivery]
    return tuple(
        way for way in asked if way not in refused and (way is not Way.PUSH or has_address)
    )


def way_now(way: str, covered_until: datetime | None, now: datetime) -> Way:
    """Give the way by which changes of a mailbox come to be known at `now`.

    `way` is that of its subscription ("" for none), `covered_until` as `covered_until` gave it
    when the mailbox was last heard of. All instants are aware.
    """
    if way and covered_until is not None and covered_until > now:
        return Way(way)
    return Way.POLLING


def known_in_step(
    last_success: datetime, covered_until: datetime | None, *, failing: bool, now: datetime
) -> datetime:
    """Give when a mailbox was last known to be in step (UTC).

    While it is covered Exchange tells of each change: having heard of none is as good as a round.
    """
    if not failing and covered_until is not None and covered_until > now:
        return now
    return last_success


def covered_until(way: Way, heard_at: datetime, frequency: timedelta) -> datetime:
    """Give until when a mailbox heard of at `heard_at` need not be polled at the job's schedule."""
    due = frequency if way is Way.PUSH else SIGN_OF_LIFE
    return heard_at + due + OVERDUE


def plan(mailboxes: Iterable[Watched], outlook: Outlook, now: datetime) -> Plan:
    """Decide which subscriptions to make, renew and end."""
    watched = list(mailboxes)
    probes = _probes(watched, outlook)
    subscribe: list[tuple[Watched, Way]] = []
    end: list[Watched] = []
    for mailbox in watched:
        way = _way_for(mailbox, outlook, probes, now) if mailbox.wanted else None
        if way is None:
            if mailbox.standing is not None:
                end.append(mailbox)
        elif _is_needed(mailbox, way, outlook, now):
            subscribe.append((mailbox, way))
    return Plan(tuple(subscribe), tuple(end))


def _probes(mailboxes: Sequence[Watched], outlook: Outlook) -> set[int]:
    """Give the mailboxes that try push out while it is not proven: those that do, then others."""
    able = [each for each in mailboxes if each.wanted]
    able.sort(key=lambda each: (not _is_by(each, Way.PUSH), each.mailbox_id))
    return {each.mailbox_id for each in able[:PROBES]}


def _is_by(mailbox: Watched, way: Way) -> bool:
    return mailbox.standing is not None and mailbox.standing.way is way


def _way_for(
    mailbox: Watched, outlook: Outlook, probes: Collection[int], now: datetime
) -> Way | None:
    """Give the best way for the mailbox, None for polling."""
    for way in outlook.ways:
        if way is not Way.PUSH or outlook.push_proven or mailbox.mailbox_id in probes:
            return way
        began = outlook.probing_since
        if began is None or now - began < PROBE_PATIENCE:
            # Whether push serves is known in a moment: no other way is begun for so short a time.
            return mailbox.standing.way if mailbox.standing else None
    return None


def _is_needed(mailbox: Watched, way: Way, outlook: Outlook, now: datetime) -> bool:
    standing = mailbox.standing
    if standing is not None and (
        standing.way is way
        and standing.ours
        and standing.folder_id == mailbox.folder_id
        and standing.address.casefold() == mailbox.address.casefold()
    ):
        return way is Way.PUSH and now - standing.silent_since >= 2 * outlook.frequency
    return mailbox.retry_at is None or mailbox.retry_at <= now
