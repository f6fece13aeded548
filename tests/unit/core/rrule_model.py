"""What a series should show, by python-dateutil and the standard library alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

from keepstep.core.appointment import (
    AbsoluteMonthly,
    AbsoluteYearly,
    ChangedOccurrence,
    Daily,
    Pattern,
    Recurrence,
    RelativeMonthly,
    RelativeYearly,
    Weekday,
    Weekly,
)

Shown = tuple[datetime, datetime, datetime | None, bool, date | None, date | None]
"""Start, end, original start, exception or not, first and last day."""


@dataclass(frozen=True)
class Case:
    """A series, its exceptions, and a window. `iana` is the zone by whose rules to reckon.

    `deleted` and `changed` are by date; a changed one that the pattern lacks is an orphan. `told`
    is what a server tells of the first occurrence: start and end.
    """

    recurrence: Recurrence
    iana: str
    begins: time
    length: timedelta
    all_day: bool
    start: datetime
    end: datetime
    deleted: frozenset[date] = frozenset()
    changed: dict[date, ChangedOccurrence] = field(default_factory=dict)
    told: tuple[datetime, datetime] | None = None

    def times(self, day: date) -> tuple[datetime, datetime]:
        """Give start and end of a date's occurrence, by its wall times."""
        wall = datetime.combine(day, self.begins)
        start, end = self._instant(wall), self._instant(wall + self.length)
        if end <= start:
            end = start if self.all_day else start + self.length
        return start, end

    def as_told(self) -> Case:
        """Give the case with the wall clock that its first occurrence shows.

        A server tells the first occurrence's instants alone. If that one lies in a skipped or
        doubled hour, the series is one at the hour that clocks showed then.
        """
        zone = ZoneInfo(self.iana)
        first = next(dates(self.recurrence), self.recurrence.first_date)
        start, end = self.times(first)
        begins, ends = (each.astimezone(zone).replace(tzinfo=None) for each in (start, end))
        length = max(ends - begins, timedelta(0)) or end - start
        if self.all_day:
            length = max(ends.date() - begins.date(), timedelta(days=1))
        at = time() if self.all_day else begins.time()
        return replace(self, begins=at, length=length, told=(start, end))

    def _instant(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=ZoneInfo(self.iana)).astimezone(UTC)


def expected(case: Case) -> list[Shown]:
    """Give all that the window shows, in order."""
    by_start: dict[datetime, Shown] = {}
    until = case.end.date() + timedelta(days=3)
    # By instants, as the wire names them: a day that a zone left out falls on the next one's.
    gone = {case.times(day)[0] for day in (*case.deleted, *case.changed)}
    for day in takewhile(lambda day: day <= until, dates(case.recurrence)):
        start, end = case.times(day)
        if start not in gone:
            days = (day, day + case.length) if case.all_day else (None, None)
            by_start[start] = (start, end, start, False, *days)
    shown = list(by_start.values())
    by_name = {changed.original_start: (day, changed) for day, changed in case.changed.items()}
    shown += [_exception(case, day, changed) for day, changed in by_name.values()]
    return sorted((each for each in shown if _overlaps(case, each)), key=lambda each: each[:3])


def _exception(case: Case, day: date, changed: ChangedOccurrence) -> Shown:
    original = case.times(day)[0]
    days: tuple[date | None, date | None] = (None, None)
    if changed.all_day:
        zone = ZoneInfo(case.iana)
        days = (changed.start.astimezone(zone).date(), changed.end.astimezone(zone).date())
    return changed.start, changed.end, original, True, *days


def _overlaps(case: Case, shown: Shown) -> bool:
    start, end = shown[:2]
    if start == end:
        return case.start <= start < case.end
    return start < case.end and end > case.start


def dates(recurrence: Recurrence) -> Iterator[date]:
    """Give the dates of a recurrence, as rrule reckons them."""
    first = datetime.combine(recurrence.first_date, time())
    last = recurrence.last_date
    # rrule wants one end at most.
    rule = _rule(recurrence.pattern, first, None if last else recurrence.count)
    for number, moment in enumerate(rule):
        if last is not None and moment.date() > last:
            return
        if recurrence.count is not None and number >= recurrence.count:
            return
        yield moment.date()


def _rule(pattern: Pattern, first: datetime, count: int | None) -> rrule:
    interval = pattern.interval
    match pattern:
        case Daily():
            return rrule(DAILY, first, interval, count=count)
        case Weekly(_, weekdays, first_weekday):
            days = _days(weekdays)
            return rrule(
                WEEKLY, first, interval, wkst=int(first_weekday), byweekday=days, count=count
            )
        case AbsoluteMonthly(_, day):
            setpos, days = _or_last(day)
            return rrule(MONTHLY, first, interval, bymonthday=days, bysetpos=setpos, count=count)
        case RelativeMonthly(_, weekdays, position):
            days = _days(weekdays)
            return rrule(MONTHLY, first, interval, byweekday=days, bysetpos=position, count=count)
        case AbsoluteYearly(month, day):
            setpos, days = _or_last(day)
            return rrule(
                YEARLY,
                first,
                interval,
                bymonth=month,
                bymonthday=days,
                bysetpos=setpos,
                count=count,
            )
        case RelativeYearly(month, weekdays, position):
            days = _days(weekdays)
            return rrule(
                YEARLY,
                first,
                interval,
                bymonth=month,
                byweekday=days,
                bysetpos=position,
                count=count,
            )


def _days(weekdays: frozenset[Weekday]) -> list[int]:
    return sorted(int(day) for day in weekdays)


def _or_last(day: int) -> tuple[int, list[int]]:
    """Say "this day, or the last of a month that lacks it" in the words of rrule."""
    return -1, list(range(min(day, 28), day + 1))
