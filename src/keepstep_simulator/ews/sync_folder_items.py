"""SyncFolderItems: pages of changes, newest first, from an opaque state on."""

from lxml import etree

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import EwsError, M, failure, schema_fault, success, wrap
from keepstep_simulator.ews.item_xml import view_of
from keepstep_simulator.ews.shapes import Shape, read_shape
from keepstep_simulator.ids import BadId, SyncState, decode_state, encode_state
from keepstep_simulator.model import MailboxModel
from keepstep_simulator.text import xml

_NAME = "SyncFolderItems"
LIMIT = 512
"""The most changes that the schema's MaxSyncChangesReturnedType lets one ask for."""


def sync_folder_items(call: Call) -> bytes:
    """Answer a SyncFolderItems."""
    limit = _limit(call.request)
    text = (call.request.findtext(M + "SyncState") or "").strip()
    call.details.update(max_changes=limit, sync_state=bool(text))
    try:
        shape = read_shape(call.request, call.server.rank, call.rank, listed=True)
        mailbox = call.calendar(call.request.find(M + "SyncFolderId"))
        message = _page(mailbox, shape, _state(mailbox, text), limit)
    except EwsError as error:
        last = "<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"
        call.details["code"] = error.code
        message = failure(_NAME, error, last)
    return wrap(call.server, _NAME, message)


def _limit(request: etree._Element) -> int:
    text = (request.findtext(M + "MaxChangesReturned") or "").strip()
    if not text.isdigit() or not 1 <= int(text) <= LIMIT:
        raise schema_fault(
            "The 'http://schemas.microsoft.com/exchange/services/2006/messages:MaxChangesReturned' "
            f"element is invalid - The value '{text}' is invalid according to its datatype "
            "'MaxSyncChangesReturnedType'."
        )
    return int(text)


def _state(mailbox: MailboxModel, text: str) -> SyncState:
    if not text:
        return SyncState((), mailbox.feed.generation)
    try:
        state = decode_state(text, mailbox.mark)
    except BadId:
        raise EwsError("ErrorInvalidSyncStateData") from None
    if not mailbox.feed.knows(state):
        raise EwsError("ErrorInvalidSyncStateData")
    return state


def _page(mailbox: MailboxModel, shape: Shape, state: SyncState, limit: int) -> str:
    changes, after, last = mailbox.feed.page(state, limit)
    parts = []
    for change in changes:
        if change.what == "delete":
            item_id = xml(change.item_id)
            parts.append(f'<t:Delete><t:ItemId Id="{item_id}" ChangeKey="AQAAAA=="/></t:Delete>')
            continue
        tag = "Create" if change.what == "create" else "Update"
        view = view_of(mailbox.get(change.item_id), mailbox.folder_id, listed=True)
        parts.append(f"<t:{tag}>{shape.write(view)}</t:{tag}>")
    listed = f"<m:Changes>{''.join(parts)}</m:Changes>" if parts else "<m:Changes/>"
    return success(
        _NAME,
        f"<m:SyncState>{encode_state(after, mailbox.mark)}</m:SyncState>"
        f"<m:IncludesLastItemInRange>{'true' if last else 'false'}</m:IncludesLastItemInRange>"
        f"{listed}",
    )
