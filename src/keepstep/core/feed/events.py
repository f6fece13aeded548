"""The events of a feed: meetings as single ones, or as series with exceptions.

A reader expands a series by RFC 5545 alone, so what it would get otherwise than Keepstep shows it
is told as an exception: an occurrence whose wall time a clock change skips (readers differ), one
across a clock change (its length is another: 3.8.5.3), one that is in other calendars, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from keepstep.core.appointment import Details, Recurrence
from keepstep.core.feed.meetings import Copy, Meeting, Span, meetings_of, spans_of
from keepstep.core.feed.rules import Rule, rule_of
from keepstep.core.series import Series, overlaps
from keepstep.core.timezones import local

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_LAST_DAY = date(9800, 1, 1).toordinal()
_FEWEST_OF_A_SERIES = 2


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
    courses: dict[Hashable, _Course] = {}
    for copy, key in keys.items():
        recurrence = copy.appointment.recurrence
        if recurrence is not None and key not in courses:
            courses[key] = _Course(copy, recurrence, window.horizon, spans[-1][1] + _WEEK)
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


class _Course:
    """The dates of a series within the times looked at, each with its start and end.

    `next_date` is the first after the horizon, `tail_date` the first that is so late that nothing
    but the pattern decides what is on it; None: there is no such date. `later` are the times that
    must be looked at to know of them.
    """

    def __init__(
        self, copy: Copy, recurrence: Recurrence, horizon: datetime, beyond: datetime
    ) -> None:
        self.copy, self.recurrence = copy, recurrence
        self.series = Series(copy.appointment, recurrence)
        self.all_day = copy.appointment.all_day
        self.next_date = self._first_after(horizon)
        self.tail_date = self._first_after(beyond)
        self.dates: dict[int, Span] = {}
        self.by_start: dict[datetime, int] = {}
        starts = [
            self.series.times(each)[0]
            for each in (self.next_date, self.tail_date)
            if each is not None
        ]
        self.later = [(start - _DAY, start + _DAY) for start in starts]
        length = self.series.course.length
        if self.tail_date is None and length:
            # It ends before: all of its dates are to be looked at.
            end = self.series.times(self.series.course.nth(length - 1))[1]
            self.later += [(horizon, end + _DAY)] if end + _DAY > horizon else []

    def _first_after(self, moment: datetime) -> int | None:
        course = self.series.course
        number = course.index(moment.toordinal() + 1)
        if course.length is not None and number >= course.length:
            return None
        ordinal = course.nth(number)
        return ordinal if ordinal < _LAST_DAY else None

    def look_at(self, spans: Iterable[Span]) -> None:
        """Work out the dates within these times."""
        for start, end in spans:
            first, last = self.series.days_around(start, end)
            for ordinal in self.series.course.between(first, last):
                times = self.series.times(ordinal)
                if overlaps(*times, start, end):
                    self.dates[ordinal] = times
        self.dates = dict(sorted(self.dates.items()))
        self.by_start = {start: ordinal for ordinal, (start, _) in self.dates.items()}

    def wall(self, ordinal: int) -> datetime | date:
        """Give the wall time that a date's occurrence begins at by the pattern, or the date."""
        day = date.fromordinal(ordinal)
        return day if self.all_day else datetime.combine(day, self.series.wall)

    def wall_end(self, ordinal: int) -> datetime | date:
        """Give the same of its end."""
        day = date.fromordinal(ordinal)
        if self.all_day:
            return day + self.series.length
        return datetime.combine(day, self.series.wall) + self.series.length

    def first(self, on: Container[int], *, goes_on: bool) -> int | None:
        """Give the date to begin a series with: the first that something is on, if it is plain.

        Where nothing is on before the horizon, the first after it: from there on the pattern
        decides, and only some of its dates are looked at.
        """
        begin = self.next_date if goes_on else None
        for each in self.dates:
            if (each in on or (begin is not None and each >= begin)) and self.is_plain(each):
                return each
        return None

    def is_plain(self, ordinal: int) -> bool:
        """Say whether every reader gets the times of a date right."""
        if self.all_day:
            return True
        start, end = self.dates[ordinal]
        zone = self.copy.appointment.zone
        walls = local(start, zone), local(end, zone)
        is_exact = end - start == self.series.length
        return is_exact and walls == (self.wall(ordinal), self.wall_end(ordinal))


@dataclass(slots=True, eq=False)
class _Slots:
    """What is shown on the dates of a course."""

    course: _Course
    on: dict[int, Meeting] = field(default_factory=dict)


class _Stream:
    """The meetings that go by one UID, made into events."""

    def __init__(
        self,
        uid: str,
        meetings: Sequence[Meeting],
        courses: dict[Hashable, _Course],
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
        first = course.first(on, goes_on=goes_on)
        if common is None or first is None or (len(on) < _FEWEST_OF_A_SERIES and not goes_on):
            return [(False, Event("", each)) for each in on.values()]
        last = max(on)
        dates = [each for each in course.dates if each >= first and (goes_on or each <= last)]
        starts = {course.dates[each][0] for each in on}
        left_out = [
            course.wall(each)
            for each in dates
            if each not in on and (course.all_day or course.dates[each][0] not in starts)
        ]
        exceptions = [
            (course.wall(each), on[each])
            for each in sorted(on)
            if each >= first and not _is_regular(course, each, on[each], common)
        ]
        event = Event(
            "",
            common,
            course.wall(first),
            course.wall_end(first),
            rule_of(course.recurrence.pattern, _until(course, last, goes_on=goes_on)),
            tuple(sorted(left_out)),
            tuple(exceptions),
        )
        before = [Event("", on[each]) for each in on if each < first]
        return [(goes_on, event), *((False, each) for each in before)]

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


def _is_regular(course: _Course, ordinal: int, meeting: Meeting, common: Meeting) -> bool:
    if not _is_of_pattern(meeting) or not course.is_plain(ordinal):
        return False
    return meeting is common or _look(meeting) == _look(common)


def _until(course: _Course, last: int, *, goes_on: bool) -> date | datetime | None:
    """Give the last start as a rule's end names it; None: there is no last."""
    if goes_on:
        length = course.series.course.length
        if length is None:
            return None
        last = course.series.course.nth(length - 1)
    if course.all_day:
        return date.fromordinal(last)
    return course.series.times(last)[0].astimezone(UTC)


def _last(event: Event) -> datetime:
    if event.rule is None:
        return event.meeting.occurrence.start
    until = event.rule.get("UNTIL", [event.meeting.occurrence.start])[0]
    if isinstance(until, datetime):
        return until
    assert isinstance(until, date)
    return datetime.combine(until, time(), UTC)
