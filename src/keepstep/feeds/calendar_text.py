"""The text of a feed, by the library icalendar (RFC 5545, 7986; and what Outlook adds to them)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from icalendar import Calendar, Component, Timezone, TimezoneDaylight, TimezoneStandard

from keepstep import __version__
from keepstep.core.appointment import Zone
from keepstep.core.ical.events import Event
from keepstep.core.ical.zones import Observance, observances, zone_id
from keepstep.feeds.event_text import EventWriter, Person, Texts

REFRESH = timedelta(minutes=15)
"""How often programs are asked to read the feed again."""
_LINE = 75
_END = b"END:VCALENDAR\r\n"


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed is of: its name, the texts in its language, and, of a team, its people by key.

    Without people the calendar is one operator's, and no event says whose it is. Rules of time
    zones are told from `first_year` to `last_year` at least.
    """

    name: str
    texts: Texts
    first_year: int
    last_year: int
    people: Mapping[int, Person] | None = None


def calendar_text(feed: Feed, events: Iterable[Event]) -> bytes:
    """Give the feed as UTF-8. The events are worked off one by one."""
    writer = EventWriter(feed.texts, feed.people)
    # As text already: the library's objects take many times the memory.
    texts = [_text(each) for event in events for each in writer.components(event)]
    calendar = _head(feed)
    for zone in sorted(writer.zones, key=zone_id):
        years = writer.zones[zone]
        first, last = min(feed.first_year, years.start), max(feed.last_year, years.stop)
        calendar.add_component(timezone_component(zone, first, last))
    head = calendar.to_ical()
    assert head.endswith(_END)
    return b"".join((head.removesuffix(_END), *texts, _END))


def _text(component: Component) -> bytes:
    """Give the component's lines, folded (RFC 5545, 3.1): the library's own way is half the cost.

    A line has 75 bytes at most, and no character is torn apart.
    """
    folded = []
    for line in component.content_lines():
        content = line.encode("utf-8", "replace")
        start, end = 0, _LINE
        while end < len(content):
            while content[end] & 0xC0 == 0x80:  # within a character
                end -= 1
            folded.append(content[start:end] + b"\r\n ")
            start, end = end, end + _LINE - 1
        folded.append(content[start:] + b"\r\n" if content else b"")
    return b"".join(folded)


def _head(feed: Feed) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", f"-//Keepstep//Keepstep {__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", feed.name)
    calendar.add("x-wr-calname", feed.name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", f"PT{REFRESH // timedelta(minutes=1)}M")
    return calendar


def timezone_component(zone: Zone, first_year: int, last_year: int) -> Timezone:
    """Give the VTIMEZONE that tells the offsets of a zone in these years, and beyond."""
    component = Timezone()
    component.add("tzid", zone_id(zone))
    for each in observances(zone, first_year, last_year):
        component.add_component(_observance(each))
    return component


def _observance(observance: Observance) -> TimezoneStandard | TimezoneDaylight:
    component = TimezoneDaylight() if observance.is_daylight else TimezoneStandard()
    component.add("dtstart", observance.begins)
    component.add("tzoffsetfrom", observance.offset_from)
    component.add("tzoffsetto", observance.offset_to)
    if observance.rule is not None:
        component.add("rrule", observance.rule)
    return component
