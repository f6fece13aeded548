"""FindItem: a calendar view with series expanded, or an indexed page of the items as they are."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from lxml import etree

from keepstep_simulator.ews.call import Call
from keepstep_simulator.ews.envelope import EwsError, M, T, failure, schema_fault, success, wrap
from keepstep_simulator.ews.item_reader import read_instant
from keepstep_simulator.ews.item_xml import View, occurrence_view, view_of
from keepstep_simulator.ews.restriction import read_restriction
from keepstep_simulator.ews.shapes import read_shape
from keepstep_simulator.items import Item
from keepstep_simulator.model import MailboxModel

_NAME = "FindItem"
LIMIT = 1000
"""Items of one answer: a calendar view fails beyond it, a page is cut (EWSFindCountLimit)."""
LONGEST = timedelta(days=732)
"""Two years with a leap day each."""


def find_item(call: Call) -> bytes:
    """Answer a FindItem."""
    folders = call.request.find(M + "ParentFolderIds")
    if folders is None or len(folders) == 0:
        raise schema_fault("The element 'ParentFolderIds' has incomplete content.")
    if call.request.get("Traversal") not in ("Shallow", "SoftDeleted", "Associated"):
        raise schema_fault("The required attribute 'Traversal' is missing or invalid.")
    messages = []
    for folder in folders:
        try:
            messages.append(_one(call, folder))
        except EwsError as error:
            if type(error) is not EwsError:
                raise
            call.details.setdefault("code", error.code)
            messages.append(failure(_NAME, error))
    return wrap(call.server, _NAME, "".join(messages))


def _one(call: Call, folder: etree._Element) -> str:
    shape = read_shape(call.request, call.server.rank, call.rank, listed=True)
    mailbox, name = call.folder(folder)
    view = call.request.find(M + "CalendarView")
    views: Sequence[View]
    offset: int | None = None
    if name != "calendar" or call.request.get("Traversal") != "Shallow":
        views, total, last = [], 0, True
    elif view is not None:
        if call.request.find(M + "Restriction") is not None:
            raise EwsError("ErrorInvalidRequest", "CalendarView takes no Restriction.")
        views, total, last = _calendar(mailbox, view)
    else:
        views, total, offset = _page(mailbox, call.request)
        last = offset >= total
    items = "".join(shape.write(each) for each in views)
    place = "" if offset is None else f' IndexedPagingOffset="{offset}"'
    attributes = f'{place} TotalItemsInView="{total}"'
    end = "true" if last else "false"
    return success(
        _NAME,
        f'<m:RootFolder{attributes} IncludesLastItemInRange="{end}">'
        + (f"<t:Items>{items}</t:Items>" if items else "<t:Items/>")
        + "</m:RootFolder>",
    )


def _calendar(mailbox: MailboxModel, view: etree._Element) -> tuple[Sequence[View], int, bool]:
    start, end = _aware(view.get("StartDate")), _aware(view.get("EndDate"))
    if end < start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate")
    if end - start > LONGEST:
        raise EwsError("ErrorCalendarViewRangeTooBig")
    most = view.get("MaxEntriesReturned")
    found = mailbox.occurrences(start, end)
    if most is None and len(found) > LIMIT:
        raise EwsError("ErrorCalendarViewRangeTooBig")
    cut = found[: min(int(most or LIMIT), LIMIT)]
    folder = mailbox.folder_id
    views = [
        view_of(each.item, folder, listed=True)
        if each.original_start is None
        else occurrence_view(mailbox.get(each.item.id), each, folder, listed=True)
        for each in cut
    ]
    return views, len(found), len(cut) == len(found)


def _aware(text: str | None) -> datetime:
    value = read_instant(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _page(mailbox: MailboxModel, request: etree._Element) -> tuple[Sequence[View], int, int]:
    items = list(_restricted(mailbox, request))
    items.reverse()
    _sort(items, request.find(M + "SortOrder"))
    page = request.find(M + "IndexedPageItemView")
    offset, most = 0, LIMIT
    if page is not None:
        try:
            offset = int(page.get("Offset", ""))
            most = min(int(page.get("MaxEntriesReturned", str(LIMIT))), LIMIT)
        except ValueError:
            raise schema_fault("Offset and MaxEntriesReturned are integers.") from None
        if page.get("BasePoint") == "End":
            offset = max(0, len(items) - offset - most)
    shown = items[offset : offset + most]
    views = [view_of(item, mailbox.folder_id, listed=True) for item in shown]
    return views, len(items), min(offset + most, len(items))


def _restricted(mailbox: MailboxModel, request: etree._Element) -> Iterable[Item]:
    restriction = request.find(M + "Restriction")
    if restriction is None or len(restriction) == 0:
        return mailbox.items()
    return filter(read_restriction(restriction[0]), mailbox.items())


def _sort(items: list[Item], order: etree._Element | None) -> None:
    if order is None:
        return
    for field in reversed(order):
        path = field.find(T + "FieldURI")
        descending = field.get("Order") == "Descending"
        uri = "" if path is None else path.get("FieldURI", "")
        if uri == "calendar:Start":
            items.sort(key=lambda item: item.start, reverse=descending)
        elif uri == "calendar:End":
            items.sort(key=lambda item: item.end, reverse=descending)
        elif uri == "item:Subject":
            items.sort(key=lambda item: item.subject or "", reverse=descending)
        elif uri == "item:LastModifiedTime":
            items.sort(key=lambda item: item.modified, reverse=descending)
        else:
            raise EwsError("ErrorUnsupportedPathForSortGroup")
