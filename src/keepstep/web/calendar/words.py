"""The words of the calendar: those its script shows, and those for what Exchange tells in codes."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from keepstep.core.appointment import Occurrence, Zone
from keepstep.core.timezones import local

SHOW_AS = {
    "free": gettext_noop("free"),
    "tentative": gettext_noop("tentative"),
    "busy": gettext_noop("busy"),
    "out_of_office": gettext_noop("out of office"),
    "working_elsewhere": gettext_noop("working elsewhere"),
    "no_data": gettext_noop("not told"),
}
SENSITIVITY = {
    "normal": "",
    "personal": gettext_noop("personal"),
    "private": gettext_noop("private"),
    "confidential": gettext_noop("confidential"),
}
ROLES = {
    "required": gettext_noop("required"),
    "optional": gettext_noop("optional"),
    "resource": gettext_noop("room or resource"),
}
# The words for an answer, and the tone of its badge.
RESPONSES = {
    "none": (gettext_noop("no answer"), "muted"),
    "organizer": (gettext_noop("organizer"), "info"),
    "tentative": (gettext_noop("tentative"), "warning"),
    "accepted": (gettext_noop("accepted"), "good"),
    "declined": (gettext_noop("declined"), "bad"),
}
WARNINGS = {
    "ends-before-start": gettext_noop("Exchange says that it ends before it starts."),
    "no-offset": gettext_noop(
        "Exchange gave a time without its offset: it was read by the clocks of its zone."
    ),
    "no-time-zone": gettext_noop("Exchange did not tell its time zone."),
    "no-uid": gettext_noop("Exchange did not tell its UID; its item id stands for it."),
    "occurrence-unread": gettext_noop(
        "A changed occurrence could not be read: it is shown with the details of its series."
    ),
    "unknown-item-type": gettext_noop("Exchange told a kind of appointment that is not known."),
    "unknown-last-modified": gettext_noop("Exchange told an unreadable time of its last change."),
    "unknown-response": gettext_noop("Exchange told an answer that is not known."),
    "unknown-sensitivity": gettext_noop(
        "Exchange told a sensitivity that is not known: it is treated as private."
    ),
    "unknown-show-as": gettext_noop("Exchange told a state of the time that is not known."),
    "unknown-time-zone": gettext_noop(
        "Its time zone is not known by name: the rules sent with it are followed."
    ),
}


def of_script() -> dict[str, str]:
    """Give the words that the script of the page shows."""
    return {
        "all_day": _("all day"),
        "cancelled": _("cancelled"),
        "close": _("Close"),
        "declined": _("declined"),
        "exception": _("changed occurrence of a series"),
        "failed": _("The calendar could not be loaded. It is tried again in a minute."),
        "kept": _("no longer in Exchange"),
        "loading": _("Loading…"),
        "more": _("%s more"),
        "none": _("No appointments on these days."),
        "no_subject": _("(no subject)"),
        "operators": _("%s operators"),
        "private": _("private"),
        "series": _("series"),
        "tentative": _("tentative"),
        "withheld": _("Private appointment"),
    }


def warning(code: str) -> str:
    """Give the words of a warning; a code that has none stands for itself."""
    return _(WARNINGS[code]) if code in WARNINGS else code


def day(when: date) -> str:
    """Give a date with its weekday as it is written in the language of the page."""
    return f"{date_format(when, 'l')}, {date_format(when, 'DATE_FORMAT')}"


def when(occurrence: Occurrence, zone: tzinfo) -> str:
    """Give when it is, by the clocks of a zone; all-day ones by their dates."""
    if occurrence.all_day and occurrence.first_day and occurrence.last_day:
        return _all_day(occurrence.first_day, occurrence.last_day)
    return _span(occurrence.start.astimezone(zone), occurrence.end.astimezone(zone))


def when_where_made(occurrence: Occurrence) -> str:
    """Give when it is by the clocks of the zone it was made in."""
    zone = occurrence.appointment.zone
    return _span(local(occurrence.start, zone), local(occurrence.end, zone))


def zone_name(zone: Zone) -> str:
    """Give what a zone is called: its IANA name, and the name it came with if it has no other."""
    return f"{zone.wire_name} ({zone.name})" if zone.eras and zone.wire_name else zone.name


def _all_day(first: date, after: date) -> str:
    last = after - timedelta(days=1)
    if last <= first:
        return _("%s, all day") % day(first)
    count = (after - first).days
    days = ngettext("%d day", "%d days", count) % count
    return _("%(first)s to %(last)s, all day (%(days)s)") % {
        "first": day(first),
        "last": day(last),
        "days": days,
    }


def _span(start: datetime, end: datetime) -> str:
    begins = f"{day(start.date())}, {start:%H:%M}"
    if start == end:
        return begins
    if start.date() == end.date():
        return _("%(start)s to %(end)s") % {"start": begins, "end": f"{end:%H:%M}"}
    return _("%(start)s to %(end)s") % {
        "start": begins,
        "end": f"{day(end.date())}, {end:%H:%M}",
    }
