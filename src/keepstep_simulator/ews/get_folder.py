"""GetFolder: the calendar folder, and the few folders above and beside it."""

from keepstep_simulator.ews.call import Call, folder_id
from keepstep_simulator.ews.envelope import EwsError, M, T, failure, schema_fault, success, wrap
from keepstep_simulator.model import MailboxModel
from keepstep_simulator.text import xml

_CLASSES = {"calendar": "IPF.Appointment"}
_NAMES = {
    "calendar": "Calendar",
    "root": "",
    "msgfolderroot": "Top of Information Store",
    "inbox": "Inbox",
    "deleteditems": "Deleted Items",
    "sentitems": "Sent Items",
}
_DEFAULT = ("FolderId", "DisplayName", "TotalCount", "ChildFolderCount")
_ALL = (
    "FolderId",
    "ParentFolderId",
    "FolderClass",
    "DisplayName",
    "TotalCount",
    "ChildFolderCount",
    "EffectiveRights",
)
_RIGHTS = (
    "<t:EffectiveRights><t:CreateAssociated>true</t:CreateAssociated>"
    "<t:CreateContents>true</t:CreateContents><t:CreateHierarchy>true</t:CreateHierarchy>"
    "<t:Delete>true</t:Delete><t:Modify>true</t:Modify><t:Read>true</t:Read></t:EffectiveRights>"
)


def get_folder(call: Call) -> bytes:
    """Answer a GetFolder."""
    shape = call.request.find(M + "FolderShape")
    wanted = call.request.find(M + "FolderIds")
    if shape is None or wanted is None or len(wanted) == 0:
        raise schema_fault("FolderShape and FolderIds are needed.")
    names = _properties(shape.findtext(T + "BaseShape") or "")
    for path in shape.iterfind(f"{T}AdditionalProperties/{T}FieldURI"):
        names.add(path.get("FieldURI", "").partition(":")[2])
    messages = []
    for element in wanted:
        try:
            mailbox, name = call.folder(element)
        except EwsError as error:
            messages.append(failure("GetFolder", error, "<m:Folders/>"))
            continue
        folder = _write(mailbox, name, names)
        messages.append(success("GetFolder", f"<m:Folders>{folder}</m:Folders>"))
    return wrap(call.server, "GetFolder", "".join(messages))


def _properties(base: str) -> set[str]:
    bases: dict[str, tuple[str, ...]] = {
        "IdOnly": ("FolderId",),
        "Default": _DEFAULT,
        "AllProperties": _ALL,
    }
    if base not in bases:
        raise schema_fault(f"The value '{base}' is invalid - The Enumeration constraint failed.")
    return {"FolderId", *bases[base]}


def _write(mailbox: MailboxModel, name: str, names: set[str]) -> str:
    element = "CalendarFolder" if name == "calendar" else "Folder"
    parent = "root" if name == "msgfolderroot" else "msgfolderroot"
    count = len(mailbox) if name == "calendar" else 0
    values = {
        "FolderId": f'<t:FolderId Id="{xml(folder_id(mailbox, name))}" ChangeKey="AgAAABYAAAA="/>',
        "ParentFolderId": f'<t:ParentFolderId Id="{xml(folder_id(mailbox, parent))}" '
        'ChangeKey="AQAAAA=="/>',
        "FolderClass": f"<t:FolderClass>{_CLASSES.get(name, 'IPF.Note')}</t:FolderClass>",
        "DisplayName": f"<t:DisplayName>{_NAMES[name]}</t:DisplayName>",
        "TotalCount": f"<t:TotalCount>{count}</t:TotalCount>",
        "ChildFolderCount": "<t:ChildFolderCount>0</t:ChildFolderCount>",
        "EffectiveRights": _RIGHTS,
    }
    inner = "".join(value for key, value in values.items() if key in names)
    return f"<t:{element}>{inner}</t:{element}>"
