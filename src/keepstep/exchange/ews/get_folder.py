"""GetFolder: the default calendar folder of a mailbox."""

from __future__ import annotations

from keepstep.core.errors import ExchangeError
from keepstep.core.text import clean
from keepstep.exchange.connector import Folder
from keepstep.exchange.ews.envelope import Answer, messages_of
from keepstep.exchange.ews.wire import M, T, text_of

OPERATION = "GetFolder"

REQUEST = (
    b"<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    b'<t:FieldURI FieldURI="folder:DisplayName"/></t:AdditionalProperties></m:FolderShape>'
    b'<m:FolderIds><t:DistinguishedFolderId Id="calendar"/></m:FolderIds></m:GetFolder>'
)


def folder_of(answer: Answer) -> Folder:
    """Read the answer: the folder's id, and its name in the owner's language."""
    message = messages_of(answer, OPERATION, 1)[0]
    message.raise_failure()
    for folder in message.element.iterfind(f"{M}Folders/*"):
        folder_id = folder.find(f"{T}FolderId")
        name = folder.find(f"{T}DisplayName")
        if folder_id is not None and folder_id.get("Id"):
            return Folder(folder_id.get("Id", ""), "" if name is None else clean(text_of(name)))
    raise ExchangeError("answer-unreadable", "GetFolder: no folder")
