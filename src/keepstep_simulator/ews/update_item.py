"""UpdateItem: set and delete properties of items, series and single occurrences."""

from typing import Any

from lxml import etree

from keepstep_simulator.ews.call import Call, Target
from keepstep_simulator.ews.envelope import EwsError, M, T, failure, schema_fault, success, wrap
from keepstep_simulator.ews.item_reader import emptied, read_fields
from keepstep_simulator.ews.item_xml import item_id, occurrence_view, view_of
from keepstep_simulator.ews.shapes import property_name
from keepstep_simulator.ews.writing import REFUSED, as_ews_error, with_attendees

_NAME = "UpdateItem"
_CONFLICTS = ("NeverOverwrite", "AutoResolve", "AlwaysOverwrite")


def update_item(call: Call) -> bytes:
    """Answer an UpdateItem."""
    changes = call.request.find(M + "ItemChanges")
    if changes is None or len(changes) == 0:
        raise schema_fault("The element 'ItemChanges' has incomplete content.")
    if call.request.get("ConflictResolution") not in _CONFLICTS:
        raise schema_fault("The required attribute 'ConflictResolution' is missing or invalid.")
    none = "<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>"
    messages = []
    for change in changes:
        try:
            written = _one(call, change)
            messages.append(success(_NAME, f"<m:Items>{written}</m:Items>{none}"))
        except EwsError as error:
            call.details.setdefault("code", error.code)
            messages.append(failure(_NAME, error, "<m:Items/>"))
    return wrap(call.server, _NAME, "".join(messages))


def _one(call: Call, change: etree._Element) -> str:
    if len(change) < 2 or change[1].tag != T + "Updates" or len(change[1]) == 0:
        raise schema_fault("The element 'ItemChange' has incomplete content.")
    target = call.target(change[0])
    _check_change_key(call, change[0], target)
    if call.request.get("SendMeetingInvitationsOrCancellations") is None:
        raise EwsError("ErrorSendMeetingInvitationsOrCancellationsRequired")
    fields = _fields(call, change[1])
    shown = target.item if target.happening is None else target.happening.item
    fields = with_attendees(fields, shown.attendees)
    try:
        _apply(target, fields)
    except REFUSED as error:
        raise as_ews_error(error) from None
    if call.request.get("SendMeetingInvitationsOrCancellations") != "SendToNone":
        call.deliver(target.mailbox, target.item.id, "update")
    return f"<t:CalendarItem>{_id_after(target)}</t:CalendarItem>"


def _check_change_key(call: Call, element: etree._Element, target: Target) -> None:
    key = element.get("ChangeKey")
    if key is None and element.tag == T + "ItemId":
        if call.request.get("ConflictResolution") != "AlwaysOverwrite":
            raise EwsError("ErrorChangeKeyRequired")
        return
    stale = key is not None and key != target.item.change_key
    if stale and call.request.get("ConflictResolution") == "NeverOverwrite":
        raise EwsError("ErrorIrresolvableConflict")


def _fields(call: Call, updates: etree._Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for update in updates:
        path = update.find(T + "FieldURI")
        if path is None:
            continue
        name = property_name(path.get("FieldURI", ""), call.server.rank)
        if update.tag == T + "DeleteItemField":
            fields.update(emptied(name))
            continue
        item = update.find(T + "CalendarItem")
        if item is None or len(item) != 1 or etree.QName(item[0]).localname != name:
            raise EwsError("ErrorIncorrectUpdatePropertyCount")
        fields.update(read_fields(item))
    return fields


def _apply(target: Target, fields: dict[str, Any]) -> None:
    if target.happening is None:
        target.mailbox.update(target.item.id, **fields)
        return
    if "recurrence" in fields:
        raise EwsError("ErrorCalendarCannotUpdateDeletedItem", "An occurrence has no pattern.")
    original = target.happening.original_start
    assert original is not None
    target.mailbox.change_occurrence(target.item.id, original, **fields)


def _id_after(target: Target) -> str:
    item = target.mailbox.get(target.item.id)
    if target.happening is None or target.happening.original_start is None:
        return item_id(view_of(item, target.mailbox.folder_id))
    happening = target.mailbox.occurrence(item.id, target.happening.original_start)
    return item_id(occurrence_view(item, happening, target.mailbox.folder_id))
