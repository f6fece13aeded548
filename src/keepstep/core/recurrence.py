"""Occurrences: what a calendar shows of an appointment in a window of time.

A series keeps the wall clock of its zone. Its occurrences begin at one wall time and end at one,
both in the zone of the start, as Exchange keeps them (Outlook's RecurrencePattern: StartTime and
EndTime are based on the time zone of the start): an occurrence across a clock change is an hour
longer or shorter. All-day ones go from midnight to midnight of their dates.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from keepstep.core.appointment import Appointment, Occurrence
from keepstep.core.series import LAST_DAY, Series, days_of, overlaps
from keepstep.core.timezones import local

_A_DAY = timedelta(days=1)


def occurrences(appointment: Appointment, start: datetime, end: datetime) -> list[Occurrence]:
    """Give the occurrences that overlap a window (aware instants), in order of start.

    One overlaps if it ends after `start` and begins before `end`; one of no length if it is at
    `start` or later, and before `end`. The cost follows what the window holds, not what lies
    before it. ValueError: a pattern that can't be (`patterns.check`).
    """
    recurrence = appointment.recurrence
    if recurrence is None:
        if not overlaps(appointment.start, appointment.end, start, end):
            return []
        return [as_single(appointment)]
    series = Series(appointment, recurrence)
    first, last = series.days_around(start, end)
    taken = series.taken(first, last)
    found = series.by_pattern(first, last, taken, start, end)
    if appointment.changed:
        found += series.exceptions(start, end)
        found.sort(key=_order)
    return found


def span(appointment: Appointment) -> tuple[datetime, datetime | None]:
    """Give the first start and the last end of all occurrences; None as end: there is no last.

    Where every occurrence is deleted, those of the pattern's first.
    """
    recurrence = appointment.recurrence
    if recurrence is None:
        return appointment.start, appointment.end
    series = Series(appointment, recurrence)
    exceptions = [series.corrected(changed) for changed in appointment.changed]
    starts = [changed.start for changed in exceptions]
    ends = [changed.end for changed in exceptions]
    taken = series.taken(1, LAST_DAY)
    first = series.outermost(taken, backwards=False)
    if first is not None:
        starts.append(series.times(first)[0])
    if series.course.length is None:
        return min(starts, default=appointment.start), None
    last = series.outermost(taken, backwards=True)
    if last is not None:
        ends.append(series.times(last)[1])
    if not starts:
        return series.first_times()
    return min(starts), max(ends)


def last_end(appointment: Appointment) -> datetime | None:
    """Give the end of the last occurrence; None: the series never ends."""
    return span(appointment)[1]


def ends_after(appointment: Appointment, instant: datetime) -> bool:
    """Say whether any occurrence ends after the instant."""
    recurrence = appointment.recurrence
    if recurrence is None:
        return appointment.end > instant
    series = Series(appointment, recurrence)
    late = [changed for changed in appointment.changed if changed.end > instant - _A_DAY]
    if any(series.corrected(changed).end > instant for changed in late):
        return True
    length = series.course.length
    if length is None:
        return True
    if not length:
        return appointment.end > instant
    if series.times(series.course.nth(length - 1))[1] <= instant:
        return False
    last = last_end(appointment)
    return last is not None and last > instant


def straightened(appointment: Appointment) -> Appointment:
    """Give the appointment with the true original starts and times of its exceptions.

    For servers that tell them by a wrong UTC offset (see `series`): what is told rightly comes
    back as it was. It shows the same occurrences as before. To be called once, on arrival.
    ValueError: a pattern that can't be (`patterns.check`).
    """
    recurrence = appointment.recurrence
    if recurrence is None or not (appointment.changed or appointment.deleted):
        return appointment
    series = Series(appointment, recurrence)
    changed = tuple(series.corrected(each) for each in appointment.changed)
    deleted = tuple(series.original_of(each) for each in appointment.deleted)
    if (changed, deleted) == (appointment.changed, appointment.deleted):
        return appointment
    return replace(appointment, changed=changed, deleted=deleted)


def as_single(appointment: Appointment) -> Occurrence:
    """Give the appointment itself as an occurrence; of a series the first, as it was made."""
    first_day = last_day = None
    if appointment.all_day:
        zone = appointment.zone
        first_day, last_day = days_of(local(appointment.start, zone), local(appointment.end, zone))
    return Occurrence(
        appointment,
        appointment.start,
        appointment.end,
        appointment.details,
        appointment.all_day,
        first_day=first_day,
        last_day=last_day,
    )


def _order(occurrence: Occurrence) -> tuple[datetime, datetime]:
    return occurrence.start, occurrence.end
