"""DeleteItem: items, whole series, single occurrences; however deleted, they leave the folder."""

from lxml import etree

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.create_item import SENDING
from keepstep_simulator.ews.envelope import EwsError, M, failure, schema_fault, success, wrap
from keepstep_simulator.ews.get_item import ids_in

_NAME = "DeleteItem"
_TYPES = ("HardDelete", "SoftDelete", "MoveToDeletedItems")


def delete_item(call: Call) -> bytes:
    """Answer a DeleteItem."""
    wanted = call.request.find(M + "ItemIds")
    if wanted is None or len(wanted) == 0:
        raise schema_fault("The element 'ItemIds' has incomplete content.")
    if call.request.get("DeleteType") not in _TYPES:
        raise schema_fault("The required attribute 'DeleteType' is missing or invalid.")
    call.details["item_ids"] = ids_in(wanted)
    messages = []
    for element in wanted:
        try:
            _one(call, element)
            messages.append(success(_NAME, ""))
        except EwsError as error:
            call.details.setdefault("code", error.code)
            messages.append(failure(_NAME, error))
    return wrap(call.server, _NAME, "".join(messages))


def _one(call: Call, element: etree._Element) -> None:
    target = call.target(element)
    sending = call.request.get("SendMeetingCancellations")
    if sending is None:
        raise EwsError("ErrorSendMeetingCancellationsRequired")
    if sending not in SENDING:
        raise schema_fault(f"The value '{sending}' is invalid: SendMeetingCancellations.")
    if target.happening is not None and target.happening.original_start is not None:
        target.mailbox.delete_occurrence(target.item.id, target.happening.original_start)
        return
    if sending != "SendToNone":
        call.deliver(target.mailbox, target.item.id, "cancel")
    if call.request.get("DeleteType") == "MoveToDeletedItems":
        target.mailbox.move_out(target.item.id)
    else:
        target.mailbox.delete(target.item.id)
