"""The events of a feed: meetings as single ones, or as series with exceptions.

A reader expands a series by RFC 5545 alone, so what it would get otherwise than Keepstep shows it
is told as an exception: an occurrence whose wall time a clock change skips (readers differ), one
across a clock change (its length is another: 3.8.5.3), one that is in other calendars, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from keepstep.core.appointment import Details
from keepstep.core.ical.courses import Course, Part
from keepstep.core.ical.meetings import Copy, Meeting, meetings_of, spans_of
from keepstep.core.ical.rules import Rule, rule_of
from keepstep.core.timezones import local

_WEEK = timedelta(days=7)
_FEWEST_OF_A_SERIES = 2
_NEVER = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Window:
    """What a feed holds: what ends after `start`; beyond `horizon` series go on by their pattern.

    Both are instants in UTC. Single appointments come whenever they are.
    """

    start: datetime
    horizon: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One event: a single meeting, or a series.

    `uid` tells it from all others of the feed. A series has a `rule`; `begins` and `ends` are the
    wall times (naive) of its first occurrence, or dates. `left_out` are wall times, or dates, at
    which the rule has none, and `exceptions` the meetings instead of those that it has there.
    """

    uid: str
    meeting: Meeting
    begins: datetime | date | None = None
    ends: datetime | date | None = None
    rule: Rule | None = None
    left_out: tuple[datetime | date, ...] = ()
    exceptions: tuple[tuple[datetime | date, Meeting], ...] = ()


def events_of(
    copies: Sequence[Copy], window: Window, disguise: Callable[[str], str]
) -> list[Event]:
    """Give the events for the copies of one UID in some calendars, in the order of operators.

    What is withheld must not be known by its UID: `disguise` gives another for it.
    """
    spans = spans_of(copies, window.start, window.horizon)
    keys = {copy: _key(copy) for copy in copies}
    courses: dict[Hashable, Course] = {}
    for copy, key in keys.items():
        recurrence = copy.appointment.recurrence
        if recurrence is not None and key not in courses:
            courses[key] = Course(copy, recurrence, window.horizon, spans[-1][1] + _WEEK)
    spans += [span for course in courses.values() for span in course.later]
    for course in courses.values():
        course.look_at(spans)
    streams: dict[int | None, list[Meeting]] = {}
    for meeting in meetings_of(copies, spans):
        stream = meeting.copy.owner if meeting.is_withheld else None
        streams.setdefault(stream, []).append(meeting)
    uid, found = copies[0].appointment.uid, []
    for owner, meetings in streams.items():
        name = uid if owner is None else disguise(f"{owner} {uid}")
        found += _Stream(name, meetings, courses, keys).events()
    return found


def _key(copy: Copy) -> Hashable:
    """Give what two copies of a series have in common that happen at the same times."""
    appointment = copy.appointment
    begin, end = (local(each, appointment.zone) for each in (appointment.start, appointment.end))
    length = end - begin or appointment.end - appointment.start
    return appointment.recurrence, appointment.zone, begin.time(), length, appointment.all_day


@dataclass(slots=True, eq=False)
class _Slots:
    """What is shown on the dates of a course."""

    course: Course
    on: dict[int, Meeting] = field(default_factory=dict)


class _Stream:
    """The meetings that go by one UID, made into events."""

    def __init__(
        self,
        uid: str,
        meetings: Sequence[Meeting],
        courses: dict[Hashable, Course],
        keys: Mapping[Copy, Hashable],
    ) -> None:
        self._uid, self._keys = uid, keys
        self._slots = {key: _Slots(course) for key, course in courses.items()}
        self._single: list[Meeting] = []
        for meeting in meetings:
            self._place(meeting)

    def _place(self, meeting: Meeting) -> None:
        original = meeting.occurrence.recurrence_id
        if original is not None:
            slots = self._slots[self._keys[meeting.copy]]
            ordinal = slots.course.by_start.get(original)
            if ordinal is not None and ordinal not in slots.on:
                slots.on[ordinal] = meeting
                return
        self._single.append(meeting)

    def events(self) -> list[Event]:
        """Give the events; the one that goes on longest keeps the UID as it is."""
        made: list[tuple[bool, Event]] = []
        for slots in self._slots.values():
            made += self._of_course(slots)
        made += [(False, Event("", each)) for each in self._single]
        made.sort(key=lambda each: (each[0], _last(each[1])), reverse=True)
        taken: set[str] = set()
        return [self._named(event, taken) for _, event in made]

    def _of_course(self, slots: _Slots) -> list[tuple[bool, Event]]:
        course, on = slots.course, slots.on
        goes_on = course.tail_date in on
        common = on[course.tail_date] if course.tail_date in on else _most_common(on)
        made: list[tuple[bool, Event]] = []
        for part in course.parts():
            shown = {day: each for day, each in on.items() if part.holds(day)}
            first = course.first(part, shown, goes_on=goes_on)
            is_series = goes_on or len(shown) >= _FEWEST_OF_A_SERIES
            if common is not None and first is not None and is_series:
                made.append((goes_on, _series(course, part, shown, common, first, goes_on)))
                shown = {day: each for day, each in shown.items() if day < first}
            made += [(False, Event("", each)) for each in shown.values()]
        return made

    def _named(self, event: Event, taken: set[str]) -> Event:
        uid = self._uid
        if uid in taken:
            occurrence = event.meeting.occurrence
            moment = event.begins or occurrence.first_day or occurrence.start
            uid += f"-{'series' if event.rule else 'single'}-{moment:%Y%m%dT%H%M%S}"
        numbered = (f"{uid}-{number}" for number in count(2))
        while uid in taken:
            uid = next(numbered)
        taken.add(uid)
        return replace(event, uid=uid)


def _series(
    course: Course,
    part: Part,
    on: Mapping[int, Meeting],
    common: Meeting,
    first: int,
    goes_on: bool,
) -> Event:
    """Give a series that begins on the first date, and the exceptions that tell all else."""
    last = max(on) if not goes_on else _NEVER
    starts = {course.dates[each][0] for each in on}
    left_out = [
        each
        for each in course.dates
        if first <= each <= last
        and part.holds(each)
        and each not in on
        and (course.all_day or course.dates[each][0] not in starts)
    ]
    left_out += [each for each in course.of_others(part, first) if each <= last]
    return Event(
        "",
        common,
        course.wall(first),
        course.wall_end(first),
        rule_of(part.pattern, course.last_start() if goes_on else course.start_of(last)),
        tuple(course.wall(each) for each in sorted(left_out)),
        tuple(
            (course.wall(each), on[each])
            for each in sorted(on)
            if each >= first and not _is_regular(course, each, on[each], common)
        ),
    )


def _most_common(on: Mapping[int, Meeting]) -> Meeting | None:
    """Give what most of the occurrences that are no exceptions look like."""
    regular = [each for _, each in sorted(on.items()) if _is_of_pattern(each)]
    if not regular:
        return None
    look = Counter(map(_look, regular)).most_common(1)[0][0]
    return next(each for each in regular if _look(each) == look)


def _look(meeting: Meeting) -> tuple[tuple[int, ...], Details]:
    return meeting.owners, meeting.details


def _is_of_pattern(meeting: Meeting) -> bool:
    return not meeting.occurrence.is_exception


def _is_regular(course: Course, ordinal: int, meeting: Meeting, common: Meeting) -> bool:
    if not _is_of_pattern(meeting) or not course.is_plain(ordinal):
        return False
    return meeting is common or _look(meeting) == _look(common)


def _last(event: Event) -> datetime:
    if event.rule is None:
        return event.meeting.occurrence.start
    until = event.rule.get("UNTIL", [event.meeting.occurrence.start])[0]
    if isinstance(until, datetime):
        return until
    assert isinstance(until, date)
    return datetime.combine(until, time(), UTC)
