"""Reading a client's CalendarItem into fields of the model."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from keepstep_simulator.ews import words
from keepstep_simulator.ews.envelope import EwsError, T, schema_fault
from keepstep_simulator.ews.recurrence_xml import read_recurrence
from keepstep_simulator.ews.zone_reader import read_zone
from keepstep_simulator.items import Attendee
from keepstep_simulator.zones import UnknownZone, Zone, zone_of

_SENSITIVITY = words.inverse(words.SENSITIVITY)
_SHOW_AS = words.inverse(words.SHOW_AS)
_RESPONSE = words.inverse(words.RESPONSE)
_IMPORTANCE = words.inverse(words.IMPORTANCE)
_ROLES = {
    "RequiredAttendees": "required",
    "OptionalAttendees": "optional",
    "Resources": "resource",
}
_EMPTY: dict[str, dict[str, Any]] = {
    "Subject": {"subject": None},
    "Location": {"location": None},
    "EnhancedLocation": {"location": None},
    "Body": {"body": None},
    "Categories": {"categories": ()},
    "Recurrence": {"recurrence": None},
    "RequiredAttendees": {"required": ()},
    "OptionalAttendees": {"optional": ()},
    "Resources": {"resource": ()},
    "ReminderIsSet": {"reminder_minutes": None},
    "ReminderMinutesBeforeStart": {"reminder_minutes": None},
    "Sensitivity": {"sensitivity": "normal"},
    "Importance": {"importance": "normal"},
    "LegacyFreeBusyStatus": {"show_as": "busy"},
}


def read_fields(elements: Iterable[etree._Element]) -> dict[str, Any]:
    """Give the fields that a CalendarItem's children set; those not kept here are passed over.

    ``required``, ``optional`` and ``resource`` hold the attendees of each role; naive datetimes
    have no offset on the wire and are for the item's zone to read. Raises EwsFault.
    """
    fields: dict[str, Any] = {}
    for element in elements:
        name = etree.QName(element).localname
        if name in _ROLES:
            role = _ROLES[name]
            fields[role] = tuple(_attendee(each, role) for each in element)
        elif name in _READERS:
            fields.update(_READERS[name](element))
    if fields.pop("reminder_off", False):
        fields["reminder_minutes"] = None
    return fields


def emptied(name: str) -> dict[str, Any]:
    """Give the fields of a deleted property. Raises EwsError for one that must stay."""
    if name not in _EMPTY:
        raise EwsError("ErrorInvalidPropertyDelete")
    return dict(_EMPTY[name])


def _word(words_of: dict[str, str], element: etree._Element) -> str:
    text = (element.text or "").strip()
    if text not in words_of:
        raise schema_fault(f"The value '{text}' is invalid - The Enumeration constraint failed.")
    return words_of[text]


def read_instant(text: str | None) -> datetime:
    """Give an xs:dateTime; aware if it carries an offset. Raises EwsFault."""
    value = (text or "").strip()
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise schema_fault(f"The value '{value}' is no dateTime.") from None
    if "T" not in value:
        raise schema_fault(f"The value '{value}' is no dateTime.")
    return read if read.tzinfo is None else read.astimezone(UTC)


def _boolean(element: etree._Element) -> bool:
    text = (element.text or "").strip()
    if text not in ("true", "false", "0", "1"):
        raise schema_fault(f"The value '{text}' is no boolean.")
    return text in ("true", "1")


def _body(element: etree._Element) -> dict[str, Any]:
    kind = element.get("BodyType", "")
    if kind not in ("HTML", "Text"):
        raise schema_fault("The required attribute 'BodyType' is missing or invalid.")
    return {"body": element.text or "", "body_type": kind}


def _reminder(element: etree._Element) -> dict[str, Any]:
    return {} if _boolean(element) else {"reminder_off": True}


def _zone(field: str) -> Callable[[etree._Element], dict[str, Any]]:
    def read(element: etree._Element) -> dict[str, Any]:
        return {field: read_zone(element)}

    return read


def _zone_id(field: str) -> Callable[[etree._Element], dict[str, Any]]:
    def read(element: etree._Element) -> dict[str, Any]:
        return {field: named_zone((element.text or "").strip())}

    return read


def named_zone(name: str) -> Zone:
    """Give a zone that a client names by its Windows id. Raises EwsError."""
    try:
        return zone_of(name)
    except UnknownZone:
        raise EwsError("ErrorTimeZone", "The time zone is not valid.") from None


def _attendee(element: etree._Element, role: str) -> Attendee:
    mailbox = element.find(T + "Mailbox")
    email = None if mailbox is None else mailbox.findtext(T + "EmailAddress")
    if mailbox is None or not email:
        raise EwsError("ErrorInvalidRecipients")
    response = element.find(T + "ResponseType")
    answered = element.findtext(T + "LastResponseTime")
    return Attendee(
        mailbox.findtext(T + "Name") or email,
        email,
        role,
        "none" if response is None else _word(_RESPONSE, response).replace("unknown", "none"),
        None if answered is None else read_instant(answered),
        mailbox.findtext(T + "RoutingType") or "SMTP",
        mailbox.findtext(T + "MailboxType") or "Mailbox",
    )


_READERS: dict[str, Callable[[etree._Element], dict[str, Any]]] = {
    "Subject": lambda e: {"subject": e.text or ""},
    "Sensitivity": lambda e: {"sensitivity": _word(_SENSITIVITY, e)},
    "Body": _body,
    "Categories": lambda e: {"categories": tuple(each.text or "" for each in e)},
    "Importance": lambda e: {"importance": _word(_IMPORTANCE, e)},
    "ReminderIsSet": _reminder,
    "ReminderMinutesBeforeStart": lambda e: {"reminder_minutes": int(e.text or "0")},
    "UID": lambda e: {"uid": e.text or ""},
    "Start": lambda e: {"start": read_instant(e.text)},
    "End": lambda e: {"end": read_instant(e.text)},
    "IsAllDayEvent": lambda e: {"all_day": _boolean(e)},
    "LegacyFreeBusyStatus": lambda e: {"show_as": _word(_SHOW_AS, e)},
    "Location": lambda e: {"location": e.text or ""},
    "EnhancedLocation": lambda e: {"location": e.findtext(T + "DisplayName") or ""},
    "IsResponseRequested": lambda e: {"response_requested": _boolean(e)},
    "Recurrence": lambda e: {"recurrence": read_recurrence(e)},
    "StartTimeZone": _zone("start_zone"),
    "EndTimeZone": _zone("end_zone"),
    "MeetingTimeZone": lambda e: (
        {"time_zone": named_zone(e.get("TimeZoneName", ""))} if e.get("TimeZoneName") else {}
    ),
    "StartTimeZoneId": _zone_id("start_zone"),
    "EndTimeZoneId": _zone_id("end_zone"),
}
