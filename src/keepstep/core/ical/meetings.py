"""Which meetings calendars show: the occurrences of all copies, each meeting once.

A feed shows private appointments as blocked time to everybody: its address is all that a reader
needs, and such addresses are handed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from keepstep.core.appointment import Appointment, Details, Occurrence
from keepstep.core.record import Shown, shown_occurrences
from keepstep.core.roles import Sight, is_withheld

_NEARBY = timedelta(days=3)


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """An appointment as one operator's calendar has it.

    `owner` is the operator's key, `address` the e-mail address in lower case, `changed` when it
    was last changed (UTC).
    """

    owner: int
    address: str
    appointment: Appointment
    shown: Shown
    changed: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """One occurrence, with all in whose calendars it is (the keys of operators).

    `copy` is the one that is shown. Of one that is withheld nothing but its time may be told.
    """

    owners: tuple[int, ...]
    copy: Copy
    occurrence: Occurrence
    is_withheld: bool

    @property
    def details(self) -> Details:
        """Give what it says of itself."""
        return self.occurrence.details

    @property
    def is_cancelled(self) -> bool:
        """Say whether it is cancelled, by itself or with its whole series."""
        return self.occurrence.is_cancelled


Span = tuple[datetime, datetime]


def spans_of(copies: Iterable[Copy], start: datetime, horizon: datetime) -> list[Span]:
    """Give the times (UTC) to look at: from start to horizon, and about what is told beyond.

    What a series shows outside of them is what its pattern says, from the horizon on.
    """
    beyond: list[Span] = []
    for copy in copies:
        appointment, shown = copy.appointment, copy.shown
        moments = [*appointment.deleted]
        if appointment.recurrence is None:
            moments += (appointment.start, appointment.end)
        for changed in appointment.changed:
            moments += (changed.original_start, changed.start, changed.end)
        limits = [each for each in (shown.after, shown.until) if each is not None]
        beyond += [(horizon, each + _NEARBY) for each in limits if each + _NEARBY > horizon]
        moments += [
            datetime(day.year, day.month, day.day, tzinfo=start.tzinfo)
            for day in shown.also | shown.never
        ]
        beyond += [(each - _NEARBY, each + _NEARBY) for each in moments if each + _NEARBY > horizon]
    return _united([(start, horizon), *beyond])


def _united(spans: list[Span]) -> list[Span]:
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united


def meetings_of(copies: Sequence[Copy], spans: Iterable[Span]) -> list[Meeting]:
    """Give what the copies, all of one UID, show in these times: each meeting once.

    A meeting is known by its start. Of its copies the organizer's own is shown, else one that
    stands, else the first; one that is withheld joins it only if the copy shown names its
    operator, and stands alone else. Cancelled ones that are withheld are not shown at all.
    """
    by_start: dict[tuple[datetime | date, int], list[Meeting]] = {}
    is_shared = len({copy.owner for copy in copies}) > 1
    for number, copy in enumerate(copies):
        for occurrence in _occurrences(copy, spans):
            kinds = occurrence.details.sensitivity, copy.appointment.details.sensitivity
            withheld = is_withheld(Sight.NOT_PRIVATE, *kinds)
            if withheld and occurrence.is_cancelled:
                continue
            meeting = Meeting((copy.owner,), copy, occurrence, withheld)
            key = occurrence.first_day or occurrence.start, 0 if is_shared else number
            by_start.setdefault(key, []).append(meeting)
    return [each for group in by_start.values() for each in _together(group, is_shared)]


def _occurrences(copy: Copy, spans: Iterable[Span]) -> Iterator[Occurrence]:
    known = set()
    for start, end in spans:
        for each in shown_occurrences(copy.appointment, copy.shown, start, end):
            name = each.recurrence_id, each.start
            if name not in known:
                known.add(name)
                yield each


def _together(group: list[Meeting], is_shared: bool) -> Iterator[Meeting]:
    seen = [each for each in group if not each.is_withheld]
    if len(group) == 1 or not is_shared or not seen:
        yield from group
        return
    chosen = min(seen, key=_preference)
    people = set(_people(chosen))
    alone = [each for each in group if each.is_withheld and each.copy.address not in people]
    owners = dict.fromkeys(each.copy.owner for each in group if each not in alone)
    yield Meeting(tuple(owners), chosen.copy, chosen.occurrence, False)
    yield from alone


def _preference(meeting: Meeting) -> tuple[bool, bool]:
    return meeting.is_cancelled, _people(meeting)[0] != meeting.copy.address


def _people(meeting: Meeting) -> list[str]:
    """Give the addresses of the organizer, "" for none, and of the attendees, in lower case."""
    organizer = meeting.details.organizer
    named = [organizer.email if organizer else ""]
    return [each.casefold() for each in (*named, *(a.email for a in meeting.details.attendees))]
