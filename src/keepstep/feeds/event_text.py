"""One event of a feed as components of iCalendar: the master of a series, then its exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from icalendar import Event as Component
from icalendar import vCalAddress, vText, vUri

from keepstep.core.appointment import (
    UTC_ZONE,
    Attendee,
    Details,
    Occurrence,
    Response,
    Role,
    ShowAs,
    Zone,
)
from keepstep.core.ical.events import Event
from keepstep.core.ical.meetings import Meeting
from keepstep.core.ical.zones import zone_id
from keepstep.core.online_meeting import join_link
from keepstep.core.timezones import instant, local

LONGEST_BODY = 20_000
# So many of a team a meeting's line names; all of them stand in its text.
_NAMED = 3
# What a reader takes for an address that there is none (so Outlook and Apple write it, too).
_NO_ADDRESS = "invalid:nomail"
_BUSY = {
    ShowAs.FREE: "FREE",
    ShowAs.TENTATIVE: "TENTATIVE",
    ShowAs.BUSY: "BUSY",
    ShowAs.OUT_OF_OFFICE: "OOF",
    ShowAs.WORKING_ELSEWHERE: "WORKINGELSEWHERE",
}
_TRANSPARENT = {ShowAs.FREE, ShowAs.WORKING_ELSEWHERE}
_ANSWERS = {
    Response.NONE: "NEEDS-ACTION",
    Response.ORGANIZER: "ACCEPTED",
    Response.TENTATIVE: "TENTATIVE",
    Response.ACCEPTED: "ACCEPTED",
    Response.DECLINED: "DECLINED",
}
# Control characters that no text of iCalendar may hold (RFC 5545, 3.1), and halves of a character.
_IMPOSSIBLE = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, *range(0xD800, 0xE000)], None)


@dataclass(frozen=True, slots=True)
class Person:
    """An operator, as a team's feed names one."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Texts:
    """The words that a feed needs in its language."""

    private: str
    no_subject: str
    join: str


class EventWriter:
    """Makes components of events; `zones` are the time zones that they name, with their years.

    Of a team (`people` by key) each event says whose it is; bodies and attendees are left out:
    those of a hundred calendars would make it too large.
    """

    def __init__(self, texts: Texts, people: Mapping[int, Person] | None) -> None:
        self._texts, self._people = texts, people
        self.zones: dict[Zone, range] = {}

    def components(self, event: Event) -> list[Component]:
        """Give the components of an event: the master of a series first."""
        if event.rule is None or event.begins is None:
            return [self._alone(event.uid, event.meeting)]
        zone = event.meeting.occurrence.appointment.zone
        master = self._described(event.uid, event.meeting)
        self._add_time(master, "dtstart", event.begins, zone)
        if event.ends is not None and event.ends != event.begins:
            self._add_time(master, "dtend", event.ends, zone)
        _mark_all_day(master, all_day=not isinstance(event.begins, datetime))
        master.add("rrule", event.rule)
        for each in event.left_out:
            self._add_time(master, "exdate", each, zone)
        made = [master]
        for original, meeting in event.exceptions:
            exception = self._alone(event.uid, meeting)
            self._add_time(exception, "recurrence-id", original, zone)
            made.append(exception)
        return made

    def _alone(self, uid: str, meeting: Meeting) -> Component:
        component = self._described(uid, meeting)
        occurrence = meeting.occurrence
        first, last = occurrence.first_day, occurrence.last_day
        all_day = occurrence.all_day and first is not None and last is not None
        if all_day and first is not None and last is not None:
            component.add("dtstart", first)
            component.add("dtend", last)
        else:
            self._add_instants(component, occurrence)
        _mark_all_day(component, all_day=all_day)
        return component

    def _add_instants(self, component: Component, occurrence: Occurrence) -> None:
        """Add start and end by the clock of the zone; in UTC where one would mean another time."""
        zone = occurrence.appointment.zone
        start, end = (
            each.astimezone(UTC).replace(microsecond=0)
            for each in (occurrence.start, occurrence.end)
        )
        if any(instant(local(each, zone), zone) != each for each in (start, end)):
            zone = UTC_ZONE
        self._add_time(component, "dtstart", local(start, zone), zone)
        if end > start:
            self._add_time(component, "dtend", local(end, zone), zone)

    def _add_time(self, component: Component, name: str, wall: datetime | date, zone: Zone) -> None:
        if not isinstance(wall, datetime):
            component.add(name, wall, parameters={"VALUE": "DATE"})
            return
        wall = wall.replace(microsecond=0)
        if zone.name == "UTC" and not zone.eras:
            component.add(name, wall.replace(tzinfo=UTC))
            return
        years = self.zones.get(zone, range(wall.year, wall.year + 1))
        first, last = min(wall.year, years.start), max(wall.year + 1, years.stop)
        self.zones[zone] = range(first, last)
        component.add(name, wall, parameters={"TZID": zone_id(zone)})

    def _described(self, uid: str, meeting: Meeting) -> Component:
        """Give all of an event but its times."""
        component, details = Component(), meeting.details
        component.add("uid", uid)
        component.add("dtstamp", meeting.copy.changed.astimezone(UTC).replace(microsecond=0))
        component.add("last-modified", meeting.copy.changed.astimezone(UTC).replace(microsecond=0))
        component.add("summary", self._summary(meeting))
        component.add("status", _status(meeting))
        free = meeting.is_cancelled or details.show_as in _TRANSPARENT
        component.add("transp", "TRANSPARENT" if free else "OPAQUE")
        if details.show_as in _BUSY:
            busy = "FREE" if meeting.is_cancelled else _BUSY[details.show_as]
            component.add("x-microsoft-cdo-busystatus", busy)
        component.add("class", "PRIVATE" if meeting.is_withheld else "PUBLIC")
        owners = self._owners(meeting)
        if not meeting.is_withheld:
            body = "" if owners else _clean(details.body[:LONGEST_BODY]).strip()
            if len(owners) > _NAMED:
                body = _clean(", ".join(each.name or each.email for each in owners))
            self._add_details(component, details, body)
        for each in owners:
            component.add("x-keepstep-operator", _address(each.name, each.email))
        return component

    def _summary(self, meeting: Meeting) -> str:
        subject = meeting.details.subject or self._texts.no_subject
        text = self._texts.private if meeting.is_withheld else subject
        names = [each.name or each.email for each in self._owners(meeting)]
        more = f" +{len(names) - _NAMED}" if len(names) > _NAMED else ""
        return _clean(f"{text} ({', '.join(names[:_NAMED])}{more})" if names else text)

    def _owners(self, meeting: Meeting) -> list[Person]:
        return [self._people[each] for each in meeting.owners] if self._people else []

    def _add_details(self, component: Component, details: Details, body: str) -> None:
        if details.location:
            component.add("location", _clean(details.location))
        link = join_link(details)
        if link is not None:
            component.add("url", link.url)
            label = link.service or self._texts.join
            more = {"VALUE": "URI", "FEATURE": "VIDEO", "LABEL": label}
            component.add("conference", vUri(link.url), parameters=more)
            if link.url not in body and link.url not in details.location:
                body = f"{body}\n\n{self._texts.join}: {link.url}".strip()
        if body:
            component.add("description", body)
        if details.categories:
            component.add("categories", [_clean(each) for each in details.categories])
        if details.organizer is not None:
            organizer = details.organizer
            component.add("organizer", _address(organizer.name, organizer.email))
        for each in () if self._people else details.attendees:
            component.add("attendee", _attendee(each))


def _status(meeting: Meeting) -> str:
    if meeting.is_cancelled:
        return "CANCELLED"
    return "TENTATIVE" if meeting.details.show_as is ShowAs.TENTATIVE else "CONFIRMED"


def _mark_all_day(component: Component, *, all_day: bool) -> None:
    component.add("x-microsoft-cdo-alldayevent", "TRUE" if all_day else "FALSE")


def _address(name: str, email: str) -> vCalAddress:
    """Give a person; what is no e-mail address, as the names of old directories are not, is none.

    What a parameter must not hold (RFC 5545, 3.2) is left out.
    """
    plain = "@" in email and not any(each.isspace() or each in '<>"' for each in email)
    address = vCalAddress(f"mailto:{_clean(email)}" if plain else _NO_ADDRESS)
    if name:
        address.params["CN"] = vText(" ".join(_clean(name).replace('"', "'").split()))
    return address


def _attendee(attendee: Attendee) -> vCalAddress:
    address = _address(attendee.name, attendee.email)
    if attendee.role is Role.RESOURCE:
        address.params["CUTYPE"] = vText("RESOURCE")
        address.params["ROLE"] = vText("NON-PARTICIPANT")
    elif attendee.role is Role.OPTIONAL:
        address.params["ROLE"] = vText("OPT-PARTICIPANT")
    else:
        address.params["ROLE"] = vText("REQ-PARTICIPANT")
    address.params["PARTSTAT"] = vText(_ANSWERS[attendee.response])
    return address


def _clean(text: str) -> str:
    """Give the text with plain line breaks and without what no text may hold."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_IMPOSSIBLE)
