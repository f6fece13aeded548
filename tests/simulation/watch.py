"""Watches the engine from outside while it runs: what may never be, at any instant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log2
from typing import Any

from keepstep.core.appointment import OCCURRENCE_UNREAD
from keepstep.core.breaker import SHARED
from keepstep.core.decisions import Put, SetAside
from keepstep.core.failures import FAILURES
from keepstep.core.lockout import SIGN_IN_REFUSED
from keepstep.store import mailboxes, notices, runs
from keepstep.store.apply import PageResult, apply_page, mend
from keepstep.store.models import Mailbox
from keepstep.sync.run import RunResult
from tests.simulation.process import Process

_FIRST, _LONGEST, _LONGEST_IF_LASTING = 15.0, 900.0, 3600.0
_FIRST_OF_ALL = 0.75
_GATHERING = timedelta(minutes=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
_OF_ALL = SHARED | {SIGN_IN_REFUSED}

# A mailbox, and since when it failed.
EpisodeKey = tuple[int, datetime]


@dataclass(slots=True)
class _Episode:
    since: datetime
    failures: int = 0
    earliest: datetime = _NEVER


@dataclass(slots=True)
class Watch:
    """Notes what goes through the processes' writers and networks, and what is wrong about it.

    The bound on requests is worked out anew from the retry policy. For a mailbox's own trouble:
    pauses double from 15 s, each at most halved; past `notification_frequency` they are 15
    minutes, an hour where the failure lasts. For the trouble of all: what the pauses of a server,
    doubling from 1 s less a quarter, let through in the time. A pause that Exchange names is
    kept. `wrong` collects what broke it. `set_aside` are the ids of items that were unreadable
    once, `half_read` the UIDs of series of which a changed occurrence was.
    """

    clock: Callable[[], datetime]
    notification_frequency: timedelta
    emails: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    set_aside: set[str] = field(default_factory=set)
    half_read: set[str] = field(default_factory=set)
    lasted: dict[EpisodeKey, timedelta] = field(default_factory=dict)
    to_be_named: set[EpisodeKey] = field(default_factory=set)
    _last_success: dict[int, datetime] = field(default_factory=dict)
    _episodes: dict[int, _Episode] = field(default_factory=dict)
    _paused: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def sent(self, process: Process, email: str) -> None:
        """Note a request that leaves a process."""
        self.requests[email] += 1
        until = self._paused.get((process.name, email), _NEVER)
        if self.clock() < until:
            self.wrong.append(f"{process.name} asks for {email} before the pause ends at {until}")

    def ran(self, process: Process, result: RunResult) -> None:
        """Note what a run told."""
        for failure in result.failures:
            if failure["code"] == "internal-error":
                self.wrong.append(f"{process.name}: {failure['message']}")

    def of(self, process: Process) -> Callable[..., Callable[[Any], None]]:
        """Give what watches the writer of a process."""
        return lambda function, args: self._called(process, function, args)

    def _called(
        self, process: Process, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> Callable[[Any], None]:
        at = self.clock()
        if function is runs.due_mailboxes:
            return lambda ids: self._due(ids, at)
        if function is mailboxes.take:
            return lambda taken: self._taken(process, taken)
        if function is mailboxes.note_failure:
            return lambda _: self._failed(args[0], args[2], args[5], at)
        if function is mailboxes.note_not_tried:
            return lambda _: self._not_tried(args[0])
        if function is mailboxes.note_idle:
            return lambda _: self._idle(args[0])
        if function is apply_page or function is mend:
            return lambda _: self._applied(args[0])
        if function is notices.review:
            return lambda _: self._reviewed(args[0])
        return lambda _: None

    def _due(self, ids: list[int], at: datetime) -> None:
        for each in ids:
            episode = self._episodes.get(each)
            if episode is not None and at < episode.earliest:
                self.wrong.append(
                    f"{self.emails[each]} is due at {at}, not before {episode.earliest} by policy"
                )

    def _taken(self, process: Process, taken: list[mailboxes.TakenMailbox]) -> None:
        for each in taken:
            self._paused[process.name, each.email] = each.paused_until or _NEVER

    def _failed(self, mailbox_id: int, code: str, paused: datetime | None, at: datetime) -> None:
        episode = self._episodes.setdefault(mailbox_id, _Episode(at))
        episode.failures += 1
        self._prolong(mailbox_id, episode)
        length = (at - episode.since).total_seconds()
        if at - episode.since >= self.notification_frequency:
            least = _LONGEST if FAILURES[code].passes_by_itself else _LONGEST_IF_LASTING
        else:
            least = min(_FIRST * 2 ** (episode.failures - 1), _LONGEST) / 2
        if code in _OF_ALL:
            least = 0
        episode.earliest = max(at + timedelta(seconds=least), paused or _NEVER)
        most = 2 + log2(1 + length / _FIRST_OF_ALL) + length / (_LONGEST / 2)
        if episode.failures > most:
            self.wrong.append(
                f"{self.emails[mailbox_id]} failed {episode.failures} times in {length:.0f} s"
            )

    def _not_tried(self, notes: list[mailboxes.NotTried]) -> None:
        for note in notes:
            if _stood(note):
                since = note.trouble.since
                episode = self._episodes.setdefault(note.mailbox_id, _Episode(since))
                self._prolong(note.mailbox_id, episode)

    def _prolong(self, mailbox_id: int, episode: _Episode) -> None:
        self.lasted[mailbox_id, episode.since] = self.clock() - episode.since

    def _idle(self, notes: list[mailboxes.IdleNote]) -> None:
        for note in notes:
            if note.mailbox_id in self._episodes and _stood(note):
                self._over(note.mailbox_id)

    def _applied(self, page: PageResult) -> None:
        self.set_aside |= {each.item_id for each in page.decisions if isinstance(each, SetAside)}
        self.half_read |= {
            each.appointment.uid
            for each in page.decisions
            if isinstance(each, Put) and OCCURRENCE_UNREAD in each.appointment.warnings
        }
        if page.success is None:
            return
        self._over(page.mailbox_id)
        if page.success < self._last_success.get(page.mailbox_id, _NEVER):
            self.wrong.append(f"the last success of {self.emails[page.mailbox_id]} goes back")
        self._last_success[page.mailbox_id] = page.success

    def _over(self, mailbox_id: int) -> None:
        episode = self._episodes.pop(mailbox_id, None)
        if episode is not None:
            self._prolong(mailbox_id, episode)

    def _reviewed(self, now: datetime) -> None:
        for mailbox_id, episode in self._episodes.items():
            if now - episode.since >= self.notification_frequency + _GATHERING:
                self.to_be_named.add((mailbox_id, episode.since))


def _stood(note: mailboxes.IdleNote | mailboxes.NotTried) -> bool:
    return Mailbox.objects.filter(pk=note.mailbox_id, fence=note.fence).exists()


def wrongly_told(named: Iterable[EpisodeKey], watch: Watch) -> list[str]:
    """Give what is wrong about the episodes that failure e-mails named."""
    found, named = [], set(named)
    for mailbox_id, since in sorted(watch.to_be_named - named):
        found.append(f"no e-mail names {watch.emails[mailbox_id]}, failing since {since}")
    for mailbox_id, since in sorted(named):
        lasted = watch.lasted.get((mailbox_id, since))
        if lasted is None or lasted < watch.notification_frequency:
            found.append(
                f"an e-mail names {watch.emails[mailbox_id]}, failing since {since} for {lasted}"
            )
    return found
