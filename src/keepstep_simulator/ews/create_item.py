"""CreateItem: calendar items, and the replies that answer or cancel a meeting."""

from lxml import etree

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import EwsError, M, T, failure, schema_fault, success, wrap
from keepstep_simulator.ews.item_reader import named_zone, read_fields
from keepstep_simulator.ews.item_xml import item_id, view_of
from keepstep_simulator.ews.writing import REFUSED, as_ews_error, with_attendees
from keepstep_simulator.model import MailboxModel

_NAME = "CreateItem"
SENDING = ("SendToNone", "SendOnlyToAll", "SendToAllAndSaveCopy")
_REPLIES = {
    T + "AcceptItem": "accepted",
    T + "TentativelyAcceptItem": "tentative",
    T + "DeclineItem": "declined",
}


def create_item(call: Call) -> bytes:
    """Answer a CreateItem."""
    items = call.request.find(M + "Items")
    if items is None or len(items) == 0:
        raise schema_fault("The element 'Items' has incomplete content.")
    sending = call.request.get("SendMeetingInvitations")
    if sending is not None and sending not in SENDING:
        raise schema_fault(f"The value '{sending}' is invalid: SendMeetingInvitations.")
    messages = []
    for element in items:
        try:
            written = _reply(call, element) if _is_reply(element) else _one(call, element, sending)
            messages.append(success(_NAME, f"<m:Items>{written}</m:Items>"))
        except EwsError as error:
            call.details.setdefault("code", error.code)
            messages.append(failure(_NAME, error, "<m:Items/>"))
    return wrap(call.server, _NAME, "".join(messages))


def _is_reply(element: etree._Element) -> bool:
    """Whether it answers or cancels a meeting; its folder is that of the message then sent."""
    return element.tag in _REPLIES or element.tag == T + "CancelCalendarItem"


def _one(call: Call, element: etree._Element, sending: str | None) -> str:
    parent = call.request.find(M + "SavedItemFolderId")
    mailbox = call.own_mailbox() if parent is None else call.calendar(parent)
    if element.tag != T + "CalendarItem":
        raise EwsError("ErrorInvalidOperation", "Only calendar items are kept here.")
    if sending is None:
        raise EwsError("ErrorSendMeetingInvitationsRequired")
    fields = with_attendees(read_fields(element), ())
    if "start" not in fields or "end" not in fields:
        missing = "start" if "start" not in fields else "end"
        raise EwsError("ErrorRequiredPropertyMissing", f"Required property is missing: {missing}")
    if call.envelope.zone_id and not {"start_zone", "time_zone"} & set(fields):
        fields["time_zone"] = named_zone(call.envelope.zone_id)
    if fields.get("recurrence") is None:
        fields.pop("recurrence", None)
    if not fields.get("uid", "x"):
        del fields["uid"]
    try:
        new_id = mailbox.create(**fields)
    except REFUSED as error:
        raise as_ews_error(error) from None
    if sending != "SendToNone":
        call.deliver(mailbox, new_id, "invite")
    return _id_only(mailbox, new_id)


def _id_only(mailbox: MailboxModel, new_id: str) -> str:
    written = item_id(view_of(mailbox.get(new_id), mailbox.folder_id))
    return f"<t:CalendarItem>{written}</t:CalendarItem>"


def _reply(call: Call, element: etree._Element) -> str:
    reference = element.find(T + "ReferenceItemId")
    if reference is None:
        raise schema_fault("The element 'ReferenceItemId' is missing.")
    target = call.target(reference)
    if target.happening is not None:
        raise EwsError("ErrorInvalidOperation", "Replies to one occurrence are not kept here.")
    if element.tag == T + "CancelCalendarItem":
        if not target.item.is_organizer:
            raise EwsError("ErrorCalendarIsNotOrganizer")
        call.deliver(target.mailbox, target.item.id, "cancel")
        target.mailbox.cancel(target.item.id)
        return ""
    if target.item.is_organizer:
        raise EwsError("ErrorCalendarIsOrganizerForAccept")
    response = _REPLIES[str(element.tag)]
    if response == "declined":
        target.mailbox.delete(target.item.id)
        return ""
    return _id_only(target.mailbox, target.mailbox.accept(target.item.id, response=response))
