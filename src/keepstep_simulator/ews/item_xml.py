"""Calendar items on the wire: one writer per property, in the order of the schema's sequence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keepstep_simulator import series
from keepstep_simulator.ews import words
from keepstep_simulator.ews.recurrence_xml import write_recurrence
from keepstep_simulator.ews.words import boolean, instant
from keepstep_simulator.ews.zone_xml import definition, display_name
from keepstep_simulator.ids import occurrence_id
from keepstep_simulator.items import Attendee, Item, Occurrence, Person
from keepstep_simulator.text import html_of, text_of, xml

MASTER = "RecurringMaster"


@dataclass(slots=True)
class View:
    """An item as one answer shows it.

    ``kind`` is the wire's CalendarItemType; ``item`` has the values of the occurrence where it is
    one, and ``master`` is then its series. ``listed`` is true in SyncFolderItems and FindItem.
    ``body_type`` is ``Text``, ``HTML`` or ``Best``.
    """

    item: Item
    kind: str
    folder_id: str
    item_id: str
    listed: bool = False
    body_type: str = "Best"
    original: Occurrence | None = None
    master: Item | None = None


def view_of(item: Item, folder_id: str, *, listed: bool = False, body_type: str = "Best") -> View:
    """Give the view of a single appointment or a whole series."""
    kind = "Single" if item.recurrence is None else MASTER
    return View(item, kind, folder_id, item.id, listed, body_type)


def occurrence_view(
    master: Item,
    happening: Occurrence,
    folder_id: str,
    *,
    listed: bool = False,
    body_type: str = "Best",
) -> View:
    """Give the view of one occurrence by itself."""
    assert happening.original_start is not None
    kind = "Exception" if happening.is_exception else "Occurrence"
    derived = occurrence_id(master.id, happening.original_start)
    return View(happening.item, kind, folder_id, derived, listed, body_type, happening, master)


def item_id(view: View) -> str:
    """Give the ``t:ItemId`` of a view; occurrences share their master's change key."""
    return f'<t:ItemId Id="{xml(view.item_id)}" ChangeKey="{xml(view.item.change_key)}"/>'


def _element(name: str, value: str) -> str:
    return f"<t:{name}>{value}</t:{name}>"


def _text(name: str, value: str | None) -> str:
    return "" if value is None else f"<t:{name}>{xml(value)}</t:{name}>"


def _item_class(view: View) -> str:
    classes = {
        "Occurrence": "IPM.Appointment.Occurrence",
        "Exception": "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}",
    }
    return _element("ItemClass", classes.get(view.kind, "IPM.Appointment"))


def _body(view: View) -> str:
    body, stored = view.item.body or "", view.item.body_type
    wanted = stored if view.body_type == "Best" else view.body_type
    if wanted != stored and body:
        body = text_of(body) if wanted == "Text" else html_of(body)
    return f'<t:Body BodyType="{wanted}">{xml(body)}</t:Body>'


def _text_body(view: View) -> str:
    body = view.item.body or ""
    text = text_of(body) if view.item.body_type == "HTML" else body
    return f'<t:TextBody BodyType="Text">{xml(text)}</t:TextBody>'


def _categories(view: View) -> str:
    inner = "".join(f"<t:String>{xml(each)}</t:String>" for each in view.item.categories)
    return f"<t:Categories>{inner}</t:Categories>" if inner else ""


def _response_objects(view: View) -> str:
    if view.item.is_organizer:
        inner = "<t:CancelCalendarItem/><t:ForwardItem/>"
    else:
        inner = "<t:AcceptItem/><t:TentativelyAcceptItem/><t:DeclineItem/><t:ForwardItem/>"
    return f"<t:ResponseObjects>{inner}</t:ResponseObjects>"


def _reminder_due(view: View) -> str:
    if view.item.reminder_minutes is None:
        return ""
    return _element("ReminderDueBy", instant(view.item.start))


def _display(role: str, name: str) -> Callable[[View], str]:
    def write(view: View) -> str:
        names = "; ".join(each.name for each in view.item.attendees if each.role == role)
        return _element(name, xml(names))

    return write


def _effective_rights(_: View) -> str:
    rights = ("CreateAssociated", "CreateContents", "CreateHierarchy", "Delete", "Modify", "Read")
    inner = "".join(_element(right, boolean(right[:6] != "Create")) for right in rights)
    return _element("EffectiveRights", inner)


def _recurrence_id(view: View) -> str:
    if view.original is None or view.original.original_start is None:
        return ""
    return _element("RecurrenceId", instant(view.original.original_start))


def _original_start(view: View) -> str:
    if view.original is None or view.original.original_start is None:
        return ""
    return _element("OriginalStart", instant(view.original.original_start))


def _is_recurring(view: View) -> str:
    if view.kind == MASTER:
        return _element("IsRecurring", boolean(not view.item.is_organizer))
    return _element("IsRecurring", boolean(view.kind != "Single"))


def _person(person: Person, listed: bool) -> str:
    if listed and person.routing == "SMTP":
        alias = person.email.partition("@")[0].upper()
        address = (
            "/O=EXAMPLE/OU=EXCHANGE ADMINISTRATIVE GROUP (FYDIBOHF23SPDLT)"
            f"/CN=RECIPIENTS/CN={alias}"
        )
        return _mailbox(person.name, address, "EX")
    return _mailbox(person.name, person.email, person.routing)


def _mailbox(name: str, address: str, routing: str, kind: str | None = None) -> str:
    told = f"<t:EmailAddress>{xml(address)}</t:EmailAddress>" if address else ""
    route = f"<t:RoutingType>{xml(routing)}</t:RoutingType>"
    of_kind = f"<t:MailboxType>{kind}</t:MailboxType>" if kind else ""
    return f"<t:Mailbox><t:Name>{xml(name)}</t:Name>{told}{route}{of_kind}</t:Mailbox>"


def _organizer(view: View) -> str:
    if view.item.organizer is None:
        return ""
    return _element("Organizer", _person(view.item.organizer, view.listed))


def _attendee(each: Attendee) -> str:
    answered = "" if each.responded is None else instant(each.responded)
    time = _element("LastResponseTime", answered) if answered else ""
    mailbox = _mailbox(each.name, each.email, each.routing, each.kind)
    response = _element("ResponseType", words.RESPONSE[each.response])
    return f"<t:Attendee>{mailbox}{response}{time}</t:Attendee>"


def _attendees(name: str, role: str) -> Callable[[View], str]:
    def write(view: View) -> str:
        inner = "".join(_attendee(each) for each in view.item.attendees if each.role == role)
        return _element(name, inner) if inner else ""

    return write


def _appointment_state(view: View) -> str:
    item = view.item
    state = int(item.is_meeting) + 2 * int(not item.is_organizer) + 4 * int(item.cancelled)
    return _element("AppointmentState", str(state))


def _recurrence(view: View) -> str:
    return write_recurrence(view.item)


def _happening(view: View, name: str, happening: Occurrence | None) -> str:
    if happening is None or happening.original_start is None:
        return ""
    derived = xml(occurrence_id(view.item.id, happening.original_start))
    key = xml(view.item.change_key)
    return (
        f'<t:{name}><t:ItemId Id="{derived}" ChangeKey="{key}"/>'
        f"<t:Start>{instant(happening.start)}</t:Start><t:End>{instant(happening.end)}</t:End>"
        f"<t:OriginalStart>{instant(happening.original_start)}</t:OriginalStart></t:{name}>"
    )


def _first(view: View) -> str:
    if view.item.recurrence is None:
        return ""
    return _happening(view, "FirstOccurrence", series.first_occurrence(view.item))


def _last(view: View) -> str:
    if view.item.recurrence is None:
        return ""
    return _happening(view, "LastOccurrence", series.last_occurrence(view.item))


def _modified(view: View) -> str:
    if view.item.recurrence is None:
        return ""
    inner = "".join(
        _happening(
            view,
            "Occurrence",
            series.as_occurrence(view.item, each.original_start, each.original_start),
        )
        for each in view.item.exceptions
    )
    return _element("ModifiedOccurrences", inner) if inner else ""


def _deleted(view: View) -> str:
    inner = "".join(
        f"<t:DeletedOccurrence><t:Start>{instant(each)}</t:Start></t:DeletedOccurrence>"
        for each in view.item.deleted_occurrences
    )
    return _element("DeletedOccurrences", inner) if inner else ""


def _enhanced_location(view: View) -> str:
    place = view.item.location
    if not place:
        return ""
    return (
        f"<t:EnhancedLocation><t:DisplayName>{xml(place)}</t:DisplayName><t:PostalAddress>"
        "<t:Type>Business</t:Type><t:LocationSource>None</t:LocationSource>"
        "</t:PostalAddress></t:EnhancedLocation>"
    )


def _join_url(view: View) -> str:
    return _text("JoinOnlineMeetingUrl", view.item.join_url)


def _wall(name: str, *, end: bool) -> Callable[[View], str]:
    def write(view: View) -> str:
        item = view.item
        value, zone = (item.end, item.end_zone) if end else (item.start, item.start_zone)
        return _element(name, words.wall_clock(value.astimezone(zone.tz)))

    return write


Writer = Callable[[View], str]

WRITERS: Mapping[str, Writer] = {
    "ItemId": item_id,
    "ParentFolderId": lambda v: f'<t:ParentFolderId Id="{xml(v.folder_id)}" ChangeKey="AQAAAA=="/>',
    "ItemClass": _item_class,
    "Subject": lambda v: _text("Subject", v.item.subject),
    "Sensitivity": lambda v: _element("Sensitivity", words.SENSITIVITY[v.item.sensitivity]),
    "Body": _body,
    "DateTimeReceived": lambda v: _element("DateTimeReceived", instant(v.item.created)),
    "Size": lambda v: _element("Size", str(1900 + 2 * len(v.item.body or ""))),
    "Categories": _categories,
    "Importance": lambda v: _element("Importance", words.IMPORTANCE[v.item.importance]),
    "IsSubmitted": lambda _: "<t:IsSubmitted>false</t:IsSubmitted>",
    "IsDraft": lambda _: "<t:IsDraft>false</t:IsDraft>",
    "IsFromMe": lambda _: "<t:IsFromMe>false</t:IsFromMe>",
    "IsResend": lambda _: "<t:IsResend>false</t:IsResend>",
    "IsUnmodified": lambda _: "<t:IsUnmodified>false</t:IsUnmodified>",
    "DateTimeSent": lambda v: _element("DateTimeSent", instant(v.item.created)),
    "DateTimeCreated": lambda v: _element("DateTimeCreated", instant(v.item.created)),
    "ResponseObjects": _response_objects,
    "ReminderDueBy": _reminder_due,
    "ReminderIsSet": lambda v: _element(
        "ReminderIsSet", boolean(v.item.reminder_minutes is not None)
    ),
    "ReminderMinutesBeforeStart": lambda v: _element(
        "ReminderMinutesBeforeStart", str(v.item.reminder_minutes or 0)
    ),
    "DisplayCc": _display("optional", "DisplayCc"),
    "DisplayTo": _display("required", "DisplayTo"),
    "HasAttachments": lambda _: "<t:HasAttachments>false</t:HasAttachments>",
    "Culture": lambda _: "<t:Culture>en-US</t:Culture>",
    "EffectiveRights": _effective_rights,
    "LastModifiedName": lambda v: _text(
        "LastModifiedName", v.item.organizer.name if v.item.organizer else ""
    ),
    "LastModifiedTime": lambda v: _element("LastModifiedTime", instant(v.item.modified)),
    "IsAssociated": lambda _: "<t:IsAssociated>false</t:IsAssociated>",
    "TextBody": _text_body,
    "UID": lambda v: _text("UID", v.item.uid),
    "RecurrenceId": _recurrence_id,
    "DateTimeStamp": lambda v: _element("DateTimeStamp", instant(v.item.modified)),
    "Start": lambda v: _element("Start", instant(v.item.start)),
    "End": lambda v: _element("End", instant(v.item.end)),
    "OriginalStart": _original_start,
    "IsAllDayEvent": lambda v: _element("IsAllDayEvent", boolean(v.item.all_day)),
    "LegacyFreeBusyStatus": lambda v: _element(
        "LegacyFreeBusyStatus", words.SHOW_AS[v.item.show_as]
    ),
    "Location": lambda v: _text("Location", v.item.location),
    "IsMeeting": lambda v: _element("IsMeeting", boolean(v.item.is_meeting)),
    "IsCancelled": lambda v: _element("IsCancelled", boolean(v.item.cancelled)),
    "IsRecurring": _is_recurring,
    "MeetingRequestWasSent": lambda v: _element(
        "MeetingRequestWasSent", boolean(v.item.is_meeting)
    ),
    "IsResponseRequested": lambda v: _element(
        "IsResponseRequested", boolean(v.item.response_requested)
    ),
    "CalendarItemType": lambda v: _element("CalendarItemType", v.kind),
    "MyResponseType": lambda v: _element("MyResponseType", words.RESPONSE[v.item.my_response]),
    "Organizer": _organizer,
    "RequiredAttendees": _attendees("RequiredAttendees", "required"),
    "OptionalAttendees": _attendees("OptionalAttendees", "optional"),
    "Resources": _attendees("Resources", "resource"),
    "ConflictingMeetingCount": lambda _: _element("ConflictingMeetingCount", "0"),
    "AdjacentMeetingCount": lambda _: _element("AdjacentMeetingCount", "0"),
    "Duration": lambda v: _element("Duration", words.duration(v.item.end - v.item.start)),
    "TimeZone": lambda v: _text("TimeZone", display_name(v.item.start_zone)),
    "AppointmentSequenceNumber": lambda v: _element(
        "AppointmentSequenceNumber", str(v.item.sequence)
    ),
    "AppointmentState": _appointment_state,
    "Recurrence": _recurrence,
    "FirstOccurrence": _first,
    "LastOccurrence": _last,
    "ModifiedOccurrences": _modified,
    "DeletedOccurrences": _deleted,
    "StartTimeZone": lambda v: definition(v.item.start_zone, "StartTimeZone", full=True),
    "EndTimeZone": lambda v: definition(v.item.end_zone, "EndTimeZone", full=True),
    "ConferenceType": lambda _: _element("ConferenceType", "0"),
    "AllowNewTimeProposal": lambda _: _element("AllowNewTimeProposal", "true"),
    "IsOnlineMeeting": lambda v: _element("IsOnlineMeeting", boolean(v.item.join_url is not None)),
    "EnhancedLocation": _enhanced_location,
    "StartWallClock": _wall("StartWallClock", end=False),
    "EndWallClock": _wall("EndWallClock", end=True),
    "StartTimeZoneId": lambda v: _text("StartTimeZoneId", v.item.start_zone.windows_id),
    "EndTimeZoneId": lambda v: _text("EndTimeZoneId", v.item.end_zone.windows_id),
    "JoinOnlineMeetingUrl": _join_url,
    "IsOrganizer": lambda v: _element("IsOrganizer", boolean(v.item.is_organizer)),
}
"""Each property that the simulator has, in the schema's order."""
