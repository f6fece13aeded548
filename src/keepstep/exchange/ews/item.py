"""A CalendarItem element, read value by value: one handler a tag, the children walked once.

Only the children of the item itself are read: the items nested in ConflictingMeetings are not
answers. What becomes an appointment of the values is told in `build`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lxml.etree import _Element

from keepstep.core.appointment import (
    Address,
    Attendee,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
)
from keepstep.core.text import clean, cut, plain_text
from keepstep.exchange.ews.recurrence import recurrence_of
from keepstep.exchange.ews.wire import (
    Malformed,
    T,
    child,
    moment_of,
    number_of,
    text_of,
    token_of,
    truth_of,
    word_of,
)
from keepstep.exchange.ews.zones import ZoneRead, zone_of_definition, zone_of_meeting_zone

CALENDAR_ITEM = f"{T}CalendarItem"
MASTER = "RecurringMaster"
SINGLE_KINDS = frozenset({"Single", "Occurrence", "Exception"})
_MOST = 999_999_999
_CANCELLED = 4  # a bit of AppointmentState (MS-OXOCAL, PidLidAppointmentStateFlags)

SENSITIVITIES = {word.value: word for word in Sensitivity}
_SHOW_AS = {
    "free": ShowAs.FREE,
    "tentative": ShowAs.TENTATIVE,
    "busy": ShowAs.BUSY,
    "oof": ShowAs.OUT_OF_OFFICE,
    "workingelsewhere": ShowAs.WORKING_ELSEWHERE,
    "nodata": ShowAs.NO_DATA,
}
_RESPONSES = {
    "": Response.NONE,
    "unknown": Response.NONE,
    "noresponsereceived": Response.NONE,
    "organizer": Response.ORGANIZER,
    "tentative": Response.TENTATIVE,
    "accept": Response.ACCEPTED,
    "decline": Response.DECLINED,
}
# As the schema writes them, which nearly all servers do.
_AS_WRITTEN = {
    "Unknown": Response.NONE,
    "NoResponseReceived": Response.NONE,
    "Organizer": Response.ORGANIZER,
    "Tentative": Response.TENTATIVE,
    "Accept": Response.ACCEPTED,
    "Decline": Response.DECLINED,
}


@dataclass(frozen=True, slots=True)
class OccurrenceOnWire:
    """An entry of ModifiedOccurrences. Times are naive where the wire names no offset."""

    item_id: str
    start: datetime
    end: datetime
    original_start: datetime


@dataclass(slots=True)
class ItemOnWire:
    """The values of one CalendarItem, None where the answer has none.

    Times are in UTC, or naive where the wire names no offset. `body` is plain text already.
    """

    item_id: str = ""
    change_key: str = ""
    kind: str | None = None
    uid: str | None = None
    subject: str | None = None
    location: str | None = None
    body: str | None = None
    sensitivity: Sensitivity | None = None
    show_as: ShowAs | None = None
    response: Response | None = None
    is_cancelled: bool | None = None
    all_day: bool | None = None
    start: datetime | None = None
    end: datetime | None = None
    first_occurrence: tuple[datetime, datetime] | None = None
    last_modified: datetime | None = None
    organizer: Address | None = None
    required: tuple[Attendee, ...] = ()
    optional: tuple[Attendee, ...] = ()
    resources: tuple[Attendee, ...] = ()
    categories: tuple[str, ...] = ()
    join_url: str | None = None
    recurrence: Recurrence | None = None
    changed: tuple[OccurrenceOnWire, ...] = ()
    deleted: tuple[datetime, ...] = ()
    start_zone: ZoneRead | None = None
    end_zone: ZoneRead | None = None
    start_zone_id: str | None = None
    end_zone_id: str | None = None
    meeting_zone: ZoneRead | None = None
    zone_text: str | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def attendees(self) -> tuple[Attendee, ...]:
        """All who are invited: required, then optional, then resources."""
        return self.required + self.optional + self.resources

    @property
    def is_series(self) -> bool:
        """Whether it is a series: the item type decides, IsRecurring does not."""
        return self.kind == MASTER or (
            self.kind not in SINGLE_KINDS and self.recurrence is not None
        )


def read_item(element: _Element) -> ItemOnWire:
    """Read one item element; raises `Malformed` for what would be wrong if guessed."""
    item = ItemOnWire()
    for part in element:
        handler = _HANDLERS.get(part.tag)
        if handler is not None:
            handler(item, part)
    return item


# One handler a tag. A value that its schema does not have is read as the default that does least
# harm, with a warning, where that can't falsify the appointment.


def _read_id(item: ItemOnWire, element: _Element) -> None:
    item.item_id = element.get("Id", "")
    item.change_key = element.get("ChangeKey", "")


def _read_kind(item: ItemOnWire, element: _Element) -> None:
    item.kind = token_of(element)


def _read_uid(item: ItemOnWire, element: _Element) -> None:
    item.uid = token_of(element)


def _read_subject(item: ItemOnWire, element: _Element) -> None:
    item.subject = clean(text_of(element))


def _read_location(item: ItemOnWire, element: _Element) -> None:
    item.location = clean(text_of(element))


def _read_body(item: ItemOnWire, element: _Element) -> None:
    text = text_of(element)
    if element.get("BodyType", "Text") == "HTML":
        text = plain_text(text)
    # A server that sends both forms is taken at the one that says something.
    if text.strip():
        item.body = cut(clean(text))
    elif item.body is None:
        item.body = ""


def _read_sensitivity(item: ItemOnWire, element: _Element) -> None:
    item.sensitivity = SENSITIVITIES.get(word_of(element))
    if item.sensitivity is None:
        # Better hidden from a colleague than shown against the owner's will.
        item.sensitivity = Sensitivity.PRIVATE
        item.warnings.append("unknown-sensitivity")


def _read_show_as(item: ItemOnWire, element: _Element) -> None:
    item.show_as = _SHOW_AS.get(word_of(element))
    if item.show_as is None:
        item.show_as = ShowAs.BUSY
        item.warnings.append("unknown-show-as")


def _read_response(item: ItemOnWire, element: _Element) -> None:
    item.response = _response(item, element)


def _response(item: ItemOnWire, element: _Element) -> Response:
    response = _AS_WRITTEN.get(element.text or "") or _RESPONSES.get(word_of(element))
    if response is None:
        item.warnings.append("unknown-response")
        return Response.NONE
    return response


def _read_cancelled(item: ItemOnWire, element: _Element) -> None:
    item.is_cancelled = truth_of(element) or bool(item.is_cancelled)


def _read_state(item: ItemOnWire, element: _Element) -> None:
    if number_of(element, -_MOST, _MOST) & _CANCELLED:
        item.is_cancelled = True


def _read_all_day(item: ItemOnWire, element: _Element) -> None:
    item.all_day = truth_of(element)


def _read_start(item: ItemOnWire, element: _Element) -> None:
    item.start = moment_of(element)


def _read_end(item: ItemOnWire, element: _Element) -> None:
    item.end = moment_of(element)


def _read_first_occurrence(item: ItemOnWire, element: _Element) -> None:
    start = moment_of(child(element, f"{T}Start"))
    item.first_occurrence = start, moment_of(child(element, f"{T}End"))


def _read_last_modified(item: ItemOnWire, element: _Element) -> None:
    try:
        item.last_modified = moment_of(element)
    except Malformed:
        item.warnings.append("unknown-last-modified")


def _read_organizer(item: ItemOnWire, element: _Element) -> None:
    mailbox = element.find(f"{T}Mailbox")
    if mailbox is not None:
        item.organizer = Address(*_name_and_address(mailbox))


def _name_and_address(mailbox: _Element) -> tuple[str, str]:
    """Give name and SMTP address; a legacy EX address is no one's to write to, its end a name."""
    name = address = routing = ""
    for part in mailbox:
        tag = part.tag
        if tag == _NAME:
            name = clean(part.text or "")
        elif tag == _EMAIL_ADDRESS:
            address = clean(token_of(part))
        elif tag == _ROUTING_TYPE:
            routing = token_of(part)
    if routing.upper() == "EX" or address[:3].upper() == "/O=":
        return name or address.rpartition("=")[2], ""
    return name, address


def _people(item: ItemOnWire, element: _Element, role: Role) -> tuple[Attendee, ...]:
    people = []
    for entry in element:
        name = address = ""
        response = Response.NONE
        for part in entry:
            tag = part.tag
            if tag == _MAILBOX:
                name, address = _name_and_address(part)
            elif tag == _RESPONSE_TYPE:
                response = _response(item, part)
        people.append(Attendee(name, address, role, response))
    return tuple(people)


def _read_required(item: ItemOnWire, element: _Element) -> None:
    item.required = _people(item, element, Role.REQUIRED)


def _read_optional(item: ItemOnWire, element: _Element) -> None:
    item.optional = _people(item, element, Role.OPTIONAL)


def _read_resources(item: ItemOnWire, element: _Element) -> None:
    item.resources = _people(item, element, Role.RESOURCE)


def _read_categories(item: ItemOnWire, element: _Element) -> None:
    item.categories = tuple(clean(text_of(part)) for part in element)


def _read_join_url(item: ItemOnWire, element: _Element) -> None:
    item.join_url = clean(token_of(element))


def _read_recurrence(item: ItemOnWire, element: _Element) -> None:
    item.recurrence = recurrence_of(element)


def _read_changed(item: ItemOnWire, element: _Element) -> None:
    item.changed = tuple(
        OccurrenceOnWire(
            child(entry, f"{T}ItemId").get("Id", ""),
            moment_of(child(entry, f"{T}Start")),
            moment_of(child(entry, f"{T}End")),
            moment_of(child(entry, f"{T}OriginalStart")),
        )
        for entry in element
    )


def _read_deleted(item: ItemOnWire, element: _Element) -> None:
    item.deleted = tuple(moment_of(child(entry, f"{T}Start")) for entry in element)


def _read_start_zone(item: ItemOnWire, element: _Element) -> None:
    item.start_zone = zone_of_definition(element)


def _read_end_zone(item: ItemOnWire, element: _Element) -> None:
    item.end_zone = zone_of_definition(element)


def _read_start_zone_id(item: ItemOnWire, element: _Element) -> None:
    item.start_zone_id = token_of(element)


def _read_end_zone_id(item: ItemOnWire, element: _Element) -> None:
    item.end_zone_id = token_of(element)


def _read_meeting_zone(item: ItemOnWire, element: _Element) -> None:
    item.meeting_zone = zone_of_meeting_zone(element)


def _read_zone_text(item: ItemOnWire, element: _Element) -> None:
    item.zone_text = token_of(element)


_MAILBOX = f"{T}Mailbox"
_NAME = f"{T}Name"
_EMAIL_ADDRESS = f"{T}EmailAddress"
_ROUTING_TYPE = f"{T}RoutingType"
_RESPONSE_TYPE = f"{T}ResponseType"

_HANDLERS: dict[str, Callable[[ItemOnWire, _Element], None]] = {
    f"{T}ItemId": _read_id,
    f"{T}CalendarItemType": _read_kind,
    f"{T}UID": _read_uid,
    f"{T}Subject": _read_subject,
    f"{T}Location": _read_location,
    f"{T}Body": _read_body,
    f"{T}Sensitivity": _read_sensitivity,
    f"{T}LegacyFreeBusyStatus": _read_show_as,
    f"{T}MyResponseType": _read_response,
    f"{T}IsCancelled": _read_cancelled,
    f"{T}AppointmentState": _read_state,
    f"{T}IsAllDayEvent": _read_all_day,
    f"{T}Start": _read_start,
    f"{T}End": _read_end,
    f"{T}FirstOccurrence": _read_first_occurrence,
    f"{T}LastModifiedTime": _read_last_modified,
    f"{T}Organizer": _read_organizer,
    f"{T}RequiredAttendees": _read_required,
    f"{T}OptionalAttendees": _read_optional,
    f"{T}Resources": _read_resources,
    f"{T}Categories": _read_categories,
    f"{T}JoinOnlineMeetingUrl": _read_join_url,
    f"{T}Recurrence": _read_recurrence,
    f"{T}ModifiedOccurrences": _read_changed,
    f"{T}DeletedOccurrences": _read_deleted,
    f"{T}StartTimeZone": _read_start_zone,
    f"{T}EndTimeZone": _read_end_zone,
    f"{T}StartTimeZoneId": _read_start_zone_id,
    f"{T}EndTimeZoneId": _read_end_zone_id,
    f"{T}MeetingTimeZone": _read_meeting_zone,
    f"{T}TimeZone": _read_zone_text,
}
